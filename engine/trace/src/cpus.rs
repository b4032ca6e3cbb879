//! Sets of CPUs, by the numbers that the OS gives them.

use std::fmt;

/// CPU numbers that a set can hold: 0 to 1023.
pub(crate) const CPUS: usize = 1024;
/// Words of the largest set.
const WORDS: usize = CPUS / 64;

/// A set of CPUs. Numbers from 1024 on are left out. Kernel: `cpumask_t`.
///
/// Printed as the kernel prints a mask: 32 CPUs in eight hexadecimal digits, groups parted by commas, the lowest CPUs last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CpuSet {
    /// A bit for each CPU; the last word is not 0.
    words: Vec<u64>,
}

impl CpuSet {
    /// Adds a CPU.
    pub fn insert(&mut self, cpu: u16) {
        let (word, bit) = (usize::from(cpu) / 64, cpu % 64);
        if word >= WORDS {
            return;
        }
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << bit;
    }

    /// Whether a CPU is in it.
    pub fn contains(&self, cpu: u16) -> bool {
        let word = self.words.get(usize::from(cpu) / 64);
        word.is_some_and(|word| word >> (cpu % 64) & 1 == 1)
    }

    /// Whether no CPU is in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many CPUs are in it.
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// The CPUs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        let bits = |(index, &word): (usize, &u64)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| (index * 64) as u16 + bit)
        };
        self.words.iter().enumerate().flat_map(bits)
    }

    /// CPUs 0 to 63 as bits: what an event has room for.
    pub fn low_bits(&self) -> u64 {
        self.words.first().copied().unwrap_or(0)
    }

    /// The set as 32-bit numbers, the lowest CPUs first.
    pub(crate) fn entries(&self) -> Vec<u32> {
        let halves = |&word: &u64| [word as u32, (word >> 32) as u32];
        self.words.iter().flat_map(halves).collect()
    }

    /// The set from 32-bit numbers; those beyond the largest set are left out.
    pub(crate) fn from_entries(entries: &[u32]) -> Self {
        let words = entries.chunks(2).take(WORDS);
        let word = |pair: &[u32]| {
            let half = |at: usize| pair.get(at).map_or(0, |&half| u64::from(half));
            half(0) | half(1) << 32
        };
        Self::from_words(words.map(word).collect())
    }

    fn from_words(mut words: Vec<u64>) -> Self {
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words }
    }

    /// The CPUs as people list them: `0-3,8`.
    pub fn list(&self) -> String {
        let mut parts: Vec<(u16, u16)> = Vec::new();
        for cpu in self.iter() {
            match parts.last_mut() {
                Some((_, end)) if *end + 1 == cpu => *end = cpu,
                _ => parts.push((cpu, cpu)),
            }
        }
        let text = parts.iter().map(|&(start, end)| match start == end {
            true => start.to_string(),
            false => format!("{start}-{end}"),
        });
        text.collect::<Vec<_>>().join(",")
    }
}

impl FromIterator<u16> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u16>>(cpus: I) -> Self {
        let mut set = Self::default();
        for cpu in cpus {
            set.insert(cpu);
        }
        set
    }
}

/// `0000000f`, `00000001,00000000`; the empty set is `00000000`.
impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = self.entries();
        while groups.len() > 1 && groups.last() == Some(&0) {
            groups.pop();
        }
        if groups.is_empty() {
            groups.push(0);
        }
        let groups: Vec<_> = groups.iter().rev().map(|g| format!("{g:08x}")).collect();
        f.pad(&groups.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cpus: &[u16]) -> CpuSet {
        cpus.iter().copied().collect()
    }

    #[test]
    fn masks_are_printed_as_the_kernel_prints_them() {
        assert_eq!(set(&[]).to_string(), "00000000");
        assert_eq!(set(&[0, 1, 2, 3]).to_string(), "0000000f");
        assert_eq!(set(&[31]).to_string(), "80000000");
        assert_eq!(set(&[32]).to_string(), "00000001,00000000");
        assert_eq!(set(&[64]).to_string(), "00000001,00000000,00000000");
        assert_eq!(format!("{:>10}", set(&[0])), "  00000001");
    }

    #[test]
    fn cpus_are_listed_as_ranges() {
        assert_eq!(set(&[]).list(), "");
        assert_eq!(set(&[3]).list(), "3");
        assert_eq!(set(&[8, 0, 1, 2, 5, 7]).list(), "0-2,5,7-8");
    }

    #[test]
    fn what_goes_in_comes_out() {
        let cpus = [0, 5, 63, 64, 700, 1023];
        let mut all = set(&cpus);
        all.insert(1024);
        all.insert(u16::MAX);
        assert_eq!(all.iter().collect::<Vec<_>>(), cpus);
        assert_eq!(
            (all.len(), all.contains(64), all.contains(65)),
            (6, true, false)
        );
        assert!(!all.contains(u16::MAX));
        assert_eq!(CpuSet::from_entries(&all.entries()), all);
        assert_eq!(all.low_bits(), 1 | 1 << 5 | 1 << 63);
    }

    #[test]
    fn hostile_entries_are_cut() {
        assert_eq!(CpuSet::from_entries(&[0; 40]), CpuSet::default());
        assert_eq!(CpuSet::from_entries(&[u32::MAX; 40]).len(), CPUS);
        assert_eq!(CpuSet::from_entries(&[1, 0, 1]).list(), "0,64");
    }
}
