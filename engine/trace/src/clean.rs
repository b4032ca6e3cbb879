//! Names as they stand in a segment and go to a terminal: one word, short, without anything that steers the terminal.

/// Most bytes of a cleaned name.
pub const NAME_BYTES: usize = 63;

/// A name fit for event text, tables and terminals: spaces, control and invisible characters become `_`, and it is cut
/// to [`NAME_BYTES`] at a character's end.
pub fn clean_name(name: &str) -> String {
    clean(name, NAME_BYTES, false)
}

/// The same for a sentence or a path: plain spaces stay, and it is cut to `bytes`.
pub fn clean_text(text: &str, bytes: usize) -> String {
    clean(text, bytes, true)
}

fn clean(text: &str, bytes: usize, spaces: bool) -> String {
    let mut out = String::with_capacity(text.len().min(bytes));
    for c in text.chars() {
        let c = if spaces && c == ' ' || !is_harmful(c) {
            c
        } else {
            '_'
        };
        if out.len() + c.len_utf8() > bytes {
            break;
        }
        out.push(c);
    }
    out
}

/// Whether a character separates fields, steers a terminal or hides.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_replaced() {
        assert_eq!(clean_name("a b\tc\x1b[31m\u{9b}d"), "a_b_c_[31m_d");
        assert_eq!(clean_name("x\u{202e}y\u{200b}z\u{2028}"), "x_y_z_");
        assert_eq!(clean_name("src/ü.rs:7"), "src/ü.rs:7");
        assert_eq!(clean_text("no privilege\nhere", 99), "no privilege_here");
    }

    #[test]
    fn cut_at_a_characters_end() {
        let name = clean_name(&"ü".repeat(40));
        assert_eq!(name.len(), 62);
        assert_eq!(clean_name(&"a".repeat(70)).len(), NAME_BYTES);
    }
}
