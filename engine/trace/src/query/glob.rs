//! Patterns with `*` (any text) and `?` (any character), which stand for the whole of a word.

/// Whether `pattern` stands for `text`, letter for letter.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last star does not fit: the star takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                None => return false,
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        let fits = [
            ("", ""),
            ("*", ""),
            ("*", "events"),
            ("events*", "events_highpri"),
            ("*pri", "events_highpri"),
            ("*_*_*", "a_b_c"),
            ("a?c", "abc"),
            ("kworker/0*", "kworker/0:1H"),
            ("*ab", "aab"),
            ("*a*b*", "xaxxb"),
            ("äö?", "äöü"),
        ];
        for (pattern, text) in fits {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        let others = [
            ("", "a"),
            ("?", ""),
            ("events", "events_highpri"),
            ("a?c", "ac"),
            ("*ab", "aba"),
            ("Events", "events"),
        ];
        for (pattern, text) in others {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_long() {
        let (pattern, text) = ("*a".repeat(200) + "b", "a".repeat(5_000));
        assert!(!matches(&pattern, &text));
    }
}
