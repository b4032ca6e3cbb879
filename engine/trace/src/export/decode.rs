//! A decoder of protocol buffers for the tests: what was written, read back, and in a form to look at.

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Wire {
    Varint(u64),
    Fixed64(u64),
    Bytes(Vec<u8>),
}

impl Wire {
    /// The bytes of a string or message.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }
}

/// All fields of a message, in order; `None` when it is none.
pub fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Wire)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Varint(varint(&mut bytes)?),
            1 => Wire::Fixed64(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            2 => {
                let len = varint(&mut bytes)?;
                Wire::Bytes(take(&mut bytes, usize::try_from(len).ok()?)?.to_vec())
            }
            _ => return None,
        };
        fields.push(((tag >> 3) as u32, wire));
    }
    Some(fields)
}

/// A message on one line: `8:123 11:{9:1 23:"name"}`. What is no text is shown as the message that it must be.
pub fn show(bytes: &[u8]) -> String {
    let fields = fields(bytes).unwrap_or_else(|| panic!("no message: {bytes:02x?}"));
    let shown = fields.iter().map(|(number, wire)| match wire {
        Wire::Varint(n) | Wire::Fixed64(n) => format!("{number}:{n}"),
        Wire::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control()) => format!("{number}:{text:?}"),
            _ => format!("{number}:{{{}}}", show(bytes)),
        },
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
