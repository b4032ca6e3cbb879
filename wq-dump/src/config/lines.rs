//! Long rows on a narrow terminal: entries go to further lines, below the first of them.

/// A head, and entries each with a blank before; in lines of at most `width` characters, but at least one entry each.
pub fn wrapped(head: &str, entries: &[String], width: Option<usize>) -> String {
    let indent = head.chars().count();
    let mut out = head.to_owned();
    let mut used = indent;
    for (index, entry) in entries.iter().enumerate() {
        let needs = 1 + entry.chars().count();
        if index > 0 && width.is_some_and(|width| used + needs > width) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        }
        out.push(' ');
        out += entry;
        used += needs;
    }
    out.push('\n');
    out
}

/// How many columns of these widths, each with a blank before, fit beside a head: as many in each block, at least one.
pub fn blocks(
    head: usize,
    tail: usize,
    widths: &[usize],
    width: Option<usize>,
) -> Vec<std::ops::Range<usize>> {
    let mut blocks = Vec::new();
    let (mut start, mut used) = (0, head + tail);
    for (index, needs) in widths.iter().map(|w| w + 1).enumerate() {
        if index > start && width.is_some_and(|width| used + needs > width) {
            blocks.push(start..index);
            (start, used) = (index, head + tail);
        }
        used += needs;
    }
    blocks.push(start..widths.len());
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_go_below_the_first() {
        let entries = ["[0]=1", "[1]=2", "[2]=3"].map(String::from);
        assert_eq!(wrapped("  x", &entries, None), "  x [0]=1 [1]=2 [2]=3\n");
        let narrow = "  x [0]=1 [1]=2\n    [2]=3\n";
        assert_eq!(wrapped("  x", &entries, Some(16)), narrow);
        let narrowest = "  x [0]=1\n    [1]=2\n    [2]=3\n";
        assert_eq!(wrapped("  x", &entries, Some(0)), narrowest);
        assert_eq!(wrapped("  x", &[], Some(0)), "  x\n");
    }

    #[test]
    fn columns_are_spread_over_blocks() {
        let of = |widths: &[usize], width| {
            let ends = blocks(10, 4, widths, width).into_iter().map(|b| b.end);
            ends.collect::<Vec<_>>()
        };
        assert_eq!(of(&[2, 2, 2], None), [3]);
        assert_eq!(of(&[2, 2, 2], Some(20)), [2, 3]);
        assert_eq!(of(&[2, 2], Some(0)), [1, 2]);
        assert_eq!(of(&[], Some(0)), [0]);
    }
}
