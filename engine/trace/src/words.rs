//! The allowed word that somebody probably meant.

/// The allowed word with the smallest edit distance, if that is small for its length.
pub fn nearest<'w>(word: &str, allowed: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    const LONGEST: usize = 64;
    const MOST: usize = 200;
    if word.len() > LONGEST {
        return None;
    }
    let word_lower = word.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    let allowed = allowed.into_iter().filter(|c| c.len() <= LONGEST);
    for candidate in allowed.take(MOST) {
        let distance = edit_distance(&word_lower, &candidate.to_lowercase());
        let longer = word.chars().count().max(candidate.chars().count());
        let near = distance <= (longer / 3).max(1) && distance < longer;
        if near && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edit distance with insertions, deletions, substitutions and swaps of neighbours.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut two_above = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (above[j] + 1)
                .min(row[j - 1] + 1)
                .min(above[j - 1] + differs);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                least = least.min(two_above[j - 2] + 1);
            }
            row[j] = least;
        }
        two_above = above;
        above = row;
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_and_swaps() {
        assert_eq!(edit_distance("burn", "burn"), 0);
        assert_eq!(edit_distance("brun", "burn"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("percpu", "perpcu"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_word_only_when_near() {
        let allowed = ["percpu", "unbound", "highpri"];
        assert_eq!(nearest("perCPU", allowed), Some("percpu"));
        assert_eq!(nearest("unbond", allowed), Some("unbound"));
        assert_eq!(nearest("zzz", allowed), None);
        assert_eq!(nearest("", allowed), None);
        assert_eq!(nearest(&"x".repeat(100_000), allowed), None);
        assert_eq!(nearest("x", ["y"]), None);
    }
}
