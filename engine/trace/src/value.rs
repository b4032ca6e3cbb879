//! A value of an event's field or of a table's cell, before it is known whether text or JSON is wanted.

/// A value that every output can print in its own way.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A name or a word.
    Str(String),
    /// A number.
    Num(i64),
    /// A number that may use all 64 bits: a counter, or nanoseconds.
    Big(u64),
    /// A rate or a time in seconds.
    Float(f64),
    /// Yes or no; text prints 1 or 0.
    Bool(bool),
    /// An item: 16 hexadecimal digits, in text and (as a string) in JSON.
    Hex(u64),
    /// Bits: `0x20a`, in text and (as a string) in JSON.
    Bits(u64),
    /// Named values, in this order.
    Object(Fields),
    /// Values.
    List(Vec<Value>),
    /// Not known, or not there: `unknown` in text, `null` in JSON.
    Unknown,
}

/// Named values, in the order in which they are printed.
pub type Fields = Vec<(&'static str, Value)>;

impl Value {
    /// A text value.
    pub fn str(text: impl Into<String>) -> Self {
        Self::Str(text.into())
    }

    /// A number, or [`Value::Unknown`].
    pub fn opt(number: Option<u32>) -> Self {
        number.map_or(Self::Unknown, |n| Self::Num(i64::from(n)))
    }
}

/// Values as a list.
impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::List(values)
    }
}

/// The form in event text.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Num(n) => write!(f, "{n}"),
            Self::Big(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Bool(yes) => write!(f, "{}", u8::from(*yes)),
            Self::Hex(n) => write!(f, "{n:016x}"),
            Self::Bits(n) => write!(f, "{n:#x}"),
            Self::Object(fields) => {
                for (i, (key, value)) in fields.iter().enumerate() {
                    let gap = if i == 0 { "" } else { " " };
                    write!(f, "{gap}{key}={value}")?;
                }
                Ok(())
            }
            Self::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    let gap = if i == 0 { "" } else { "," };
                    write!(f, "{gap}{value}")?;
                }
                Ok(())
            }
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
