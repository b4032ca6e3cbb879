//! Sets of CPUs, and the two ways in which the kernel writes them.

use super::ParseError;
use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

/// One more than the highest CPU number that a mask can hold. Kernel: the largest `NR_CPUS` of a distribution.
pub(crate) const MAX_CPUS: usize = 8192;

const BITS: usize = u64::BITS as usize;

/// A set of OS CPU numbers. Kernel: `struct cpumask`.
///
/// A value, cheap to clone: an operation makes a new one. It is shown and read as the kernel shows masks, in hex groups
/// of 32 bits (`000000ff`, `00000001,00000000`); [`CpuMask::from_list`] and [`CpuMask::to_list`] are the other way,
/// `0-3,8`.
///
/// ```
/// use wq_engine::CpuMask;
///
/// let mask = CpuMask::from_list("0-3,8")?;
/// assert_eq!(mask.to_string(), "0000010f");
/// assert_eq!((&mask & &"e".parse()?).to_list(), "1-3");
/// # Ok::<(), wq_engine::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CpuMask {
    /// Lowest CPUs first, the last word not zero: equal sets are equal slices.
    words: Arc<[u64]>,
}

impl CpuMask {
    /// No CPU.
    pub fn empty() -> Self {
        Self::from_words(Vec::new())
    }

    /// Every CPU that there can be: the mask of a workqueue that does not mind. Kernel: `cpu_possible_mask`.
    pub fn all() -> Self {
        static ALL: LazyLock<CpuMask> = LazyLock::new(|| (0..MAX_CPUS).collect());
        ALL.clone()
    }

    /// This CPU alone.
    ///
    /// # Panics
    /// `cpu` is 8192 or more.
    pub fn of(cpu: usize) -> Self {
        std::iter::once(cpu).collect()
    }

    fn from_words(mut words: Vec<u64>) -> Self {
        let used = words.iter().rposition(|&word| word != 0);
        words.truncate(used.map_or(0, |last| last + 1));
        Self {
            words: words.into(),
        }
    }

    /// Whether `cpu` is in it.
    pub fn contains(&self, cpu: usize) -> bool {
        self.word(cpu / BITS) & 1 << (cpu % BITS) != 0
    }

    /// How many CPUs it has. Kernel: `cpumask_weight()`.
    pub fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether it has none. Kernel: `cpumask_empty()`.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The lowest CPU. Kernel: `cpumask_first()`.
    pub fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// The CPUs, ascending. Kernel: `for_each_cpu()`.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(index, &word)| bits(word).map(move |bit| index * BITS + bit))
    }

    /// Whether all of its CPUs are in `other`. Kernel: `cpumask_subset()`.
    pub fn is_subset(&self, other: &Self) -> bool {
        let mut words = self.words.iter().enumerate();
        words.all(|(index, &word)| word & !other.word(index) == 0)
    }

    /// Whether a CPU is in both. Kernel: `cpumask_intersects()`.
    pub fn intersects(&self, other: &Self) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(index, &word)| word & other.word(index) != 0)
    }

    /// Reads a CPU list: numbers and ranges between commas, as in `0-3,8`; nothing at all is the empty set.
    ///
    /// # Errors
    /// It is not one, or a CPU is above 8191.
    pub fn from_list(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let bad = |part: &str| {
            ParseError::new(format!(
                "{part:?} is not part of a CPU list such as 0-3,8 (numbers up to {})",
                MAX_CPUS - 1
            ))
        };
        let number = |digits: &str| -> Option<usize> {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let cpu = digits.parse().ok().filter(|_| plain);
            cpu.filter(|&cpu| cpu < MAX_CPUS)
        };
        let mut cpus = Vec::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            match (number(low), number(high)) {
                (Some(low), Some(high)) if low <= high => cpus.extend(low..=high),
                _ => return Err(bad(part)),
            }
        }
        Ok(cpus.into_iter().collect())
    }

    /// The set as a CPU list, `0-3,8`; empty for none.
    pub fn to_list(&self) -> String {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for cpu in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == cpu => *last = cpu,
                _ => ranges.push((cpu, cpu)),
            }
        }
        let shown: Vec<String> = ranges
            .into_iter()
            .map(|(low, high)| match low {
                low if low == high => low.to_string(),
                low => format!("{low}-{high}"),
            })
            .collect();
        shown.join(",")
    }

    fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let length = self.words.len().max(other.words.len());
        Self::from_words(
            (0..length)
                .map(|index| f(self.word(index), other.word(index)))
                .collect(),
        )
    }
}

/// The numbers of the bits that are set, lowest first.
fn bits(word: u64) -> impl Iterator<Item = usize> {
    let mut left = word;
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros() as usize;
        left &= left.checked_sub(1)?;
        Some(bit)
    })
}

impl Default for CpuMask {
    fn default() -> Self {
        Self::empty()
    }
}

impl FromIterator<usize> for CpuMask {
    /// # Panics
    /// A CPU is 8192 or more.
    fn from_iter<I: IntoIterator<Item = usize>>(cpus: I) -> Self {
        let mut words = Vec::new();
        for cpu in cpus {
            assert!(cpu < MAX_CPUS, "CPU {cpu} is out of range");
            if words.len() <= cpu / BITS {
                words.resize(cpu / BITS + 1, 0);
            }
            words[cpu / BITS] |= 1 << (cpu % BITS);
        }
        Self::from_words(words)
    }
}

impl BitAnd for &CpuMask {
    type Output = CpuMask;
    /// What is in both. Kernel: `cpumask_and()`.
    fn bitand(self, other: Self) -> CpuMask {
        self.zip(other, |a, b| a & b)
    }
}

impl BitOr for &CpuMask {
    type Output = CpuMask;
    /// What is in either. Kernel: `cpumask_or()`.
    fn bitor(self, other: Self) -> CpuMask {
        self.zip(other, |a, b| a | b)
    }
}

impl Sub for &CpuMask {
    type Output = CpuMask;
    /// What is in the first only. Kernel: `cpumask_andnot()`.
    fn sub(self, other: Self) -> CpuMask {
        self.zip(other, |a, b| a & !b)
    }
}

impl fmt::Display for CpuMask {
    /// Groups of eight hex digits between commas, highest CPUs first; `00000000` for none. Kernel: `%*pb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |index: usize| (self.word(index / 2) >> (32 * (index % 2))) as u32;
        let high = (0..self.words.len() * 2).rev().find(|&i| group(i) != 0);
        let groups: Vec<String> = (0..=high.unwrap_or(0))
            .rev()
            .map(|index| format!("{:08x}", group(index)))
            .collect();
        f.pad(&groups.join(","))
    }
}

impl fmt::Debug for CpuMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpuMask({})", self.to_list())
    }
}

impl FromStr for CpuMask {
    type Err = ParseError;

    /// Reads a hex mask: groups of up to eight digits between commas, highest first. One group may be longer, so that
    /// `ffffffffff` is a mask too, and `0x` may stand in front. Kernel: `bitmap_parse()`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || {
            ParseError::new(format!(
                "{text:?} is not a hex CPU mask such as ff or 1,00000000"
            ))
        };
        let digits = text.trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let groups: Vec<&str> = digits.split(',').collect();
        let is_hex = |group: &&str| {
            let fits = groups.len() == 1 || group.len() <= 8;
            fits && !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if !groups.iter().all(is_hex) {
            return Err(bad());
        }
        let digits: String = groups.iter().map(|group| format!("{group:0>8}")).collect();
        let mut cpus = Vec::new();
        for (index, digit) in digits.bytes().rev().enumerate() {
            let value = char::from(digit).to_digit(16).ok_or_else(bad)?;
            cpus.extend(bits(value.into()).map(|bit| 4 * index + bit));
        }
        match cpus.last() {
            Some(&cpu) if cpu >= MAX_CPUS => Err(ParseError::new(format!(
                "CPU {cpu} is above the highest possible one, {}",
                MAX_CPUS - 1
            ))),
            _ => Ok(cpus.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> CpuMask {
        CpuMask::from_list(text).expect("a CPU list")
    }

    #[test]
    fn lists_are_read_and_written_as_the_kernel_does() {
        for text in ["", "0", "0-3,8", "1,3,5", "0-127", "63-64", "8191"] {
            assert_eq!(list(text).to_list(), text);
        }
        assert_eq!(list("3,1-2,2\n").to_list(), "1-3");
        for text in [
            "a", "-", "1-", "-1", "3-1", "1,,2", "+1", "8192", "1;2", "0-3:1/2",
        ] {
            let error = CpuMask::from_list(text).expect_err(text);
            assert!(error.to_string().contains("CPU list"), "{error}");
        }
    }

    #[test]
    fn masks_are_read_and_written_as_the_kernel_does() {
        let shown = [
            ("", "00000000"),
            ("0-7", "000000ff"),
            ("0-3,8", "0000010f"),
            ("31-32", "00000001,80000000"),
            ("64", "00000001,00000000,00000000"),
        ];
        for (cpus, mask) in shown {
            assert_eq!(list(cpus).to_string(), mask);
            assert_eq!(mask.parse(), Ok(list(cpus)));
        }
        for (text, cpus) in [
            ("f", "0-3"),
            ("0xF0\n", "4-7"),
            ("1,2", "1,32"),
            ("ffffffffff", "0-39"),
        ] {
            assert_eq!(text.parse(), Ok(list(cpus)));
        }
        for text in ["", "g", "1,", "123456789,0", "0x", "-1"] {
            assert!(text.parse::<CpuMask>().is_err(), "{text:?}");
        }
        let too_high = format!("1{}", "0".repeat(MAX_CPUS / 4));
        assert!(too_high.parse::<CpuMask>().is_err());
    }

    #[test]
    fn sets_do_what_sets_do() {
        let (a, b) = (list("0-3,100"), list("2-5"));
        assert_eq!((&a & &b).to_list(), "2-3");
        assert_eq!((&a | &b).to_list(), "0-5,100");
        assert_eq!((&a - &b).to_list(), "0-1,100");
        assert_eq!(
            &a - &list("100"),
            list("0-3"),
            "no trace of the higher word"
        );
        assert!(list("2-3").is_subset(&a) && !b.is_subset(&a));
        assert!(CpuMask::empty().is_subset(&a) && CpuMask::empty().is_empty());
        assert!(a.intersects(&b) && !list("100").intersects(&b));
        assert_eq!(
            (a.count(), a.first(), CpuMask::empty().first()),
            (5, Some(0), None)
        );
        assert!(a.contains(100) && !a.contains(99) && !a.contains(MAX_CPUS));
        assert!(a.is_subset(&CpuMask::all()) && CpuMask::all().count() == MAX_CPUS);
        assert_eq!(a.iter().collect::<CpuMask>(), a);
        assert_eq!(CpuMask::of(7).to_list(), "7");
    }
}
