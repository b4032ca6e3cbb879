//! Protocol buffers, as far as they are written here: varints, 64 bits, strings and nested messages.

/// A message that grows field by field.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

impl Message {
    /// An unsigned number, an enum or a bool.
    pub(super) fn uint(&mut self, field: u32, value: u64) {
        self.tag(field, VARINT);
        self.varint(value);
    }

    /// An `int64`: negative ones take ten bytes.
    pub(super) fn int(&mut self, field: u32, value: i64) {
        self.uint(field, value as u64);
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, FIXED64);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn text(&mut self, field: u32, text: &str) {
        self.tag(field, LENGTH);
        self.varint(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A message inside this one, of what `write` puts into it.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.tag(field, LENGTH);
        let start = self.bytes.len();
        write(self);
        let len = (self.bytes.len() - start) as u64;
        let mut prefix = Self::default();
        prefix.varint(len);
        self.bytes.splice(start..start, prefix.bytes);
    }

    /// The fields of `other` too.
    pub(super) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    fn tag(&mut self, field: u32, wire: u64) {
        self.varint(u64::from(field) << 3 | wire);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::decode::{Wire, fields};
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let mut message = Message::default();
        message.uint(1, 150);
        message.text(2, "testing");
        message.message(3, |inner| inner.uint(1, 150));
        message.int(4, -1);
        message.fixed64(47, 1);
        let expected = [
            &[0x08, 0x96, 0x01][..],
            b"\x12\x07testing",
            &[0x1a, 0x03, 0x08, 0x96, 0x01],
            &[
                0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ],
            &[0xf9, 0x02, 1, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(message.as_bytes(), expected.concat());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(
            numbers in prop::collection::vec((1_u32..1 << 20, any::<u64>()), 0..20),
            texts in prop::collection::vec((1_u32..1 << 20, ".{0,200}"), 0..20),
            depth in 0_usize..5,
        ) {
            let mut flat = Message::default();
            let mut expected = Vec::new();
            for (field, value) in &numbers {
                flat.uint(*field, *value);
                flat.fixed64(*field, *value);
                expected.push((*field, Wire::Varint(*value)));
                expected.push((*field, Wire::Fixed64(*value)));
            }
            for (field, text) in &texts {
                flat.text(*field, text);
                expected.push((*field, Wire::Bytes(text.clone().into_bytes())));
            }
            let mut bytes = flat.bytes;
            for _ in 0..depth {
                let mut outer = Message::default();
                outer.message(7, |inner| inner.bytes.extend_from_slice(&bytes));
                bytes = outer.bytes;
            }
            for _ in 0..depth {
                let outer = fields(&bytes).expect("a message");
                prop_assert_eq!(outer.len(), 1);
                bytes = outer[0].1.bytes().to_vec();
            }
            prop_assert_eq!(fields(&bytes).expect("a message"), expected);
        }
    }
}
