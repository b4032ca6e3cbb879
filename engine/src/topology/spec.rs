//! Made-up machines from a few letters: `2n1l4c2t`.

use super::mask::MAX_CPUS;
use super::places::Place;
use super::{ParseError, Topology};

/// The letters, in the order in which they stand: nodes, last-level caches, cores, threads.
const LETTERS: [char; 4] = ['n', 'l', 'c', 't'];

/// See [`Topology::from_spec`].
pub(super) fn parse(text: &str) -> Result<Topology, ParseError> {
    let [nodes, caches, cores, threads] = numbers(text.trim())?;
    let per_core = threads;
    let per_cache = cores * per_core;
    let per_node = caches * per_cache;
    Ok(Topology::from_places((0..nodes * per_node).map(|cpu| {
        Place {
            cpu,
            core: cpu / per_core,
            cache: cpu / per_cache,
            node: cpu / per_node,
        }
    })))
}

/// How many of each letter; 1 where one is left out.
fn numbers(text: &str) -> Result<[usize; 4], ParseError> {
    let bad = |problem: String| {
        ParseError::new(format!(
            "{text:?} is not a topology such as 2n1l4c2t (nodes, caches per node, cores per cache, threads per core): \
             {problem}"
        ))
    };
    let mut numbers = [1usize; 4];
    let (mut rest, mut next) = (text, 0);
    if rest.is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    while let Some(letter) = rest.chars().find(|c| !c.is_ascii_digit()) {
        let (digits, after) = rest.split_once(letter).unwrap_or((rest, ""));
        let known = LETTERS.iter().position(|&known| known == letter);
        let index = known.ok_or_else(|| bad(format!("{letter:?} is none of n, l, c and t")))?;
        if index < next {
            return Err(bad(format!("{letter} stands twice or too late")));
        }
        numbers[index] = match digits.parse() {
            Ok(number) if (1..=MAX_CPUS).contains(&number) => number,
            _ => {
                return Err(bad(format!(
                    "{letter} needs a number from 1 to {MAX_CPUS} in front"
                )));
            }
        };
        (rest, next) = (after, index + 1);
    }
    if !rest.is_empty() {
        return Err(bad(format!("a letter is missing after {rest}")));
    }
    match numbers.iter().product::<usize>() {
        cpus if cpus <= MAX_CPUS => Ok(numbers),
        cpus => Err(bad(format!("{cpus} CPUs are more than {MAX_CPUS}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_made_up_of_four_numbers() {
        let place = |cpu, core, cache, node| Place {
            cpu,
            core,
            cache,
            node,
        };
        let topology = parse("2n1l1c2t").expect("a topology");
        let expected = [
            place(0, 0, 0, 0),
            place(1, 0, 0, 0),
            place(2, 1, 1, 1),
            place(3, 1, 1, 1),
        ];
        assert_eq!(topology.places(), expected);
        assert_eq!(parse("1n4l3c2t").expect("a topology").places().len(), 24);
        assert_eq!(parse(" 3c "), parse("1n1l3c1t"));
    }

    #[test]
    fn a_wrong_one_is_refused_with_the_reason() {
        let cases = [
            ("", "empty"),
            ("4", "a letter is missing after 4"),
            ("2n3", "a letter is missing after 3"),
            ("n", "n needs a number"),
            ("0n", "n needs a number"),
            ("99999999999999999999c", "c needs a number"),
            ("2x", "'x' is none of"),
            ("2c1n", "n stands twice or too late"),
            ("1n1n", "n stands twice or too late"),
            ("2ä", "'ä' is none of"),
            ("8192n2l", "16384 CPUs are more than 8192"),
        ];
        for (text, problem) in cases {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
