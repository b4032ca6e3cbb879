//! Values as bytes: whole numbers as varints, rows as their length and their fields.
//!
//! A row may only ever get fields at its end. A reader takes the fields that a row lacks as "not known", and passes over
//! those that it does not know itself.

use crate::clean::clean_text;

/// Most entries of a list inside a row: no engine writes as many.
const MOST_ENTRIES: u64 = 1 << 16;
/// Most bytes of a text.
const MOST_TEXT: usize = 1024;

/// Bytes on their way from a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// Begins with the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether all are taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that are left.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// So many bytes.
    pub(crate) fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(count).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    /// A whole number: seven bits a byte, the lowest first, the top bit says that more follow.
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// What a length and so many bytes say.
    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(len)
    }

    /// A row's next field; one that an older writer did not know is "not known".
    pub(crate) fn field<T: Code>(&mut self) -> Option<T> {
        if self.is_empty() {
            Some(T::missing())
        } else {
            T::get(self)
        }
    }
}

/// Appends a whole number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes behind their length.
pub(crate) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A difference as a whole number that is small when the difference is.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1) as u64 ^ (value >> 63) as u64
}

/// Undoes [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// What can be written and read back.
pub(crate) trait Code: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it back; `None` for what no writer writes.
    fn get(input: &mut Input<'_>) -> Option<Self>;

    /// What stands for it when an older writer did not know it.
    fn missing() -> Self;
}

/// Whole numbers, and identities that are made of them.
macro_rules! numbers {
    ($($name:ty: $inner:ty, $to:expr, $from:expr;)*) => { $(
        impl Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_varint(out, $to(*self));
            }

            fn get(input: &mut Input<'_>) -> Option<Self> {
                <$inner>::try_from(input.varint()?).ok().map($from)
            }

            fn missing() -> Self {
                Self::default()
            }
        }
    )* };
}
pub(crate) use numbers;

numbers! {
    u16: u16, u64::from, |n| n;
    u32: u32, u64::from, |n| n;
    u64: u64, |n| n, |n| n;
    i32: u32, |n: i32| zigzag(n.into()), |n| unzigzag(n.into()) as i32;
    bool: u8, u64::from, |n| n != 0;
}

impl Code for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_sized(out, self.as_bytes());
    }

    /// Fit for a terminal, whatever the file holds.
    fn get(input: &mut Input<'_>) -> Option<Self> {
        let bytes = input.sized()?;
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_TEXT)]);
        Some(clean_text(&text, MOST_TEXT))
    }

    fn missing() -> Self {
        Self::new()
    }
}

impl<T: Code> Code for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some(if bool::get(input)? {
            Some(T::get(input)?)
        } else {
            None
        })
    }

    fn missing() -> Self {
        None
    }
}

impl<T: Code> Code for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        self.iter().for_each(|entry| entry.put(out));
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let count = input.varint()?;
        if count > MOST_ENTRIES {
            return None;
        }
        (0..count).map(|_| T::get(input)).collect()
    }

    fn missing() -> Self {
        Self::new()
    }
}

impl<A: Code, B: Code> Code for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some((A::get(input)?, B::get(input)?))
    }

    fn missing() -> Self {
        (A::missing(), B::missing())
    }
}

/// Counters: a later version may have more of them.
impl<const N: usize> Code for [u64; N] {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, N as u64);
        self.iter().for_each(|&n| put_varint(out, n));
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let all = Vec::<u64>::get(input)?;
        let mut known = [0; N];
        known.iter_mut().zip(all).for_each(|(to, n)| *to = n);
        Some(known)
    }

    fn missing() -> Self {
        [0; N]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back<T: Code>(value: &T) -> Option<T> {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        let mut input = Input::new(&bytes);
        let back = T::get(&mut input);
        assert!(input.is_empty());
        back
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reading_undoes_writing(a: u64, b: i32, c: Option<u16>, d: Vec<(u32, bool)>, e: [u64; 5]) {
            prop_assert_eq!(back(&a), Some(a));
            prop_assert_eq!(back(&b), Some(b));
            prop_assert_eq!(back(&c), Some(c));
            prop_assert_eq!(back(&e), Some(e));
            prop_assert_eq!(back(&d), Some(d));
        }

        #[test]
        fn any_difference_comes_back(n: i64) {
            prop_assert_eq!(unzigzag(zigzag(n)), n);
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let too_long = [0xff; 10];
        assert_eq!(Input::new(&too_long).varint(), None);
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Input::new(&most).varint(), Some(u64::MAX));
        assert_eq!(u16::get(&mut Input::new(&[0xff, 0xff, 0x7f])), None);
        assert_eq!(Vec::<u16>::get(&mut Input::new(&[0xff, 0xff, 0x7f])), None);
    }

    #[test]
    fn text_is_cleaned_whatever_the_file_holds() {
        let mut bytes = Vec::new();
        put_sized(&mut bytes, b"a\x1b[2J\xff");
        let text = String::get(&mut Input::new(&bytes));
        assert_eq!(text.as_deref(), Some("a_[2J\u{fffd}"));
    }

    #[test]
    fn counters_of_another_version_keep_their_places() {
        let mut bytes = Vec::new();
        [1_u64, 2, 3].put(&mut bytes);
        assert_eq!(<[u64; 2]>::get(&mut Input::new(&bytes)), Some([1, 2]));
        assert_eq!(<[u64; 4]>::get(&mut Input::new(&bytes)), Some([1, 2, 3, 0]));
    }
}
