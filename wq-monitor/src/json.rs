//! JSON lines: one object per workqueue and round.

use crate::filter::Filter;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wq_trace::model::Model;
use wq_trace::model::columns::workqueue_fields;
use wq_trace::warn::{Subject, Warning};
use wq_trace::{Fields, Value};

/// One round: a line per workqueue in the order in which they were allocated. `timestamp` is the snapshot's, in
/// seconds since 1970; `warnings` are told of each workqueue that they concern.
pub fn round(model: &Model, warnings: &[Warning], filter: &Filter) -> String {
    let (timestamp, lost_events) = (model.wall() as f64 / 1e9, model.lost_events());
    let mut text = String::new();
    for wq in filter.workqueues(model) {
        let concerns = |it: &&Warning| it.concerns(Subject::Workqueue(wq.id));
        let concerned = warnings.iter().filter(concerns);
        let concerned = concerned.map(|it| Value::Object(it.fields())).collect();
        let fields = workqueue_fields(wq, timestamp, lost_events, concerned);
        text.push_str(&object(&fields));
    }
    text
}

/// Fields as a line of JSON.
pub fn object(fields: &Fields) -> String {
    // Maps with string keys and numbers always have a JSON form.
    let mut line = serde_json::to_string(&Object(fields)).unwrap_or_default();
    line.push('\n');
    line
}

/// Fields as a JSON object, in their order.
struct Object<'a>(&'a Fields);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, &Json(value))?;
        }
        map.end()
    }
}

/// A value in its JSON form.
struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Str(text) => serializer.serialize_str(text),
            Value::Num(n) => serializer.serialize_i64(*n),
            Value::Big(n) => serializer.serialize_u64(*n),
            Value::Float(x) => serializer.serialize_f64(*x),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Hex(n) => serializer.serialize_str(&format!("{n:016x}")),
            Value::Bits(n) => serializer.serialize_str(&format!("{n:#x}")),
            Value::Object(fields) => Object(fields).serialize(serializer),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Json(value))?;
                }
                list.end()
            }
            Value::Unknown => serializer.serialize_none(),
        }
    }
}
