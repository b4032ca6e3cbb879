//! JSON at the edge: how serde writes a [`Value`].

use serde::ser::{Serialize, SerializeMap, Serializer};
use wq_trace::Value;

/// A value to be written as JSON; keys keep their order.
pub struct Json<'a>(pub &'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Str(text) => to.serialize_str(text),
            Value::Num(n) => to.serialize_i64(*n),
            Value::Big(n) => to.serialize_u64(*n),
            Value::Float(x) => to.serialize_f64(*x),
            Value::Bool(yes) => to.serialize_bool(*yes),
            Value::Hex(_) | Value::Bits(_) => to.collect_str(self.0),
            Value::Object(fields) => {
                let mut map = to.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, &Json(value))?;
                }
                map.end()
            }
            Value::List(values) => to.collect_seq(values.iter().map(Json)),
            Value::Unknown => to.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_json_in_the_order_given() {
        let value = Value::Object(vec![
            ("z", Value::str("a\"\u{1b}b")),
            (
                "a",
                Value::List(vec![
                    Value::Num(-1),
                    Value::Big(u64::MAX),
                    Value::Bool(true),
                ]),
            ),
            ("hex", Value::Hex(42)),
            ("bits", Value::Bits(0x20a)),
            ("none", Value::Unknown),
            ("rate", Value::Float(0.5)),
            ("nan", Value::Float(f64::NAN)),
        ]);
        let text = serde_json::to_string(&Json(&value)).expect("JSON");
        let expected = r#"{"z":"a\"\u001bb","a":[-1,18446744073709551615,true],"hex":"000000000000002a","bits":"0x20a","none":null,"rate":0.5,"nan":null}"#;
        assert_eq!(text, expected);
    }
}
