//! The screen in ASCII alone: for terminals and fonts that know nothing else.

use ratatui::buffer::Buffer;

/// Replaces all that is not printable ASCII, also in names that come from elsewhere.
pub fn translate(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell
            .symbol()
            .bytes()
            .any(|byte| !(b' '..=b'~').contains(&byte))
        {
            // Marks that are put on a letter belong to its cell; the letter says enough.
            let c = cell.symbol().chars().next().map_or(' ', stand_in);
            cell.set_char(c);
        }
    }
}

/// The character that stands for another one.
pub fn stand_in(c: char) -> char {
    match c {
        ' '..='~' => c,
        // Levels of a graph, low to high.
        '▁' => '_',
        '▂' => '.',
        '▃' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        // Fills, full to faint.
        '█' => '#',
        '▓' => '%',
        '▒' => '=',
        '░' => '.',
        '▪' => 'o',
        '·' | '•' => '.',
        '…' => '~',
        '●' => '*',
        '○' => 'o',
        '■' => '#',
        '✖' | '×' | '✗' => 'x',
        '✔' | '✓' => 'v',
        '→' | '▶' | '▸' | '›' => '>',
        '←' | '◀' | '◂' | '‹' => '<',
        // Beside a heading, a letter would seem to belong to it.
        '▴' => '+',
        '▾' => '-',
        '↑' | '▲' => '^',
        '↓' | '▼' => 'v',
        '│' | '┃' | '║' | '╎' | '┆' | '▏' | '▕' => '|',
        '─' | '━' | '═' | '╌' | '┄' | '–' | '—' => '-',
        '\u{2500}'..='\u{257f}' => '+',
        '\u{2580}'..='\u{259f}' => '#',
        '\u{2800}' | '\u{a0}' => ' ',
        '\u{2801}'..='\u{28ff}' => ':',
        'µ' | 'μ' => 'u',
        '⚠' => '!',
        '∞' => '8',
        _ => '?',
    }
}

/// Whether the environment says that the terminal knows UTF-8: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is
/// set. Where none is, as in containers, nothing speaks against it.
pub fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let mut names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let locale = names.find_map(|name| variable(name).filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn what_stands_side_by_side_stays_distinct() {
        let kept: [&[char]; 3] = [
            &['█', '▓', '▒', '░', '│', '▪', ' '],
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█', ' '],
            &['●', '■', '✖', '▶', '?'],
        ];
        for group in kept {
            let ascii: Vec<char> = group.iter().map(|c| stand_in(*c)).collect();
            for (i, c) in ascii.iter().enumerate() {
                assert!(!ascii[..i].contains(c), "{c} stands for two of {group:?}");
            }
        }
    }

    #[test]
    fn nothing_else_is_left_in_a_buffer() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, "日本 e\u{301} ü ▒▅ 👩‍👩 ok", Style::new());
        translate(&mut buffer);
        let text: String = buffer
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        assert!(text.is_ascii(), "{text}");
        assert!(text.contains("e ? =="), "{text}");
        assert!(text.contains("ok") && text.len() == 24, "{text:?}");
    }

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let env = |set: &'static [(&str, &str)]| {
            move |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(is_utf8(env(&[])));
        assert!(is_utf8(env(&[("LANG", "de_DE.UTF-8")])));
        assert!(is_utf8(env(&[("LC_ALL", ""), ("LANG", "C.utf8")])));
        assert!(!is_utf8(env(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")])));
        assert!(!is_utf8(env(&[("LC_CTYPE", "en_US.ISO-8859-1")])));
    }
}
