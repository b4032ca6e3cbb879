//! For tests of the tools: whether their JSON is what the schemas beside this file say.

use serde_json::Value;
use std::path::Path;

/// Fails if `json` is not what the schema of that name says, or if the schema would let a new key pass.
#[track_caller]
pub fn check(name: &str, json: &Value) {
    let validator = validator(name);
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {}\n{json:#}", errors.join("\n"));
    for place in objects(json) {
        let mut changed = json.clone();
        let object = changed.pointer_mut(&place).and_then(Value::as_object_mut);
        object
            .expect("an object")
            .insert("surprise".into(), Value::Bool(true));
        assert!(
            !validator.is_valid(&changed),
            "{name}: a new key at {place:?}"
        );
    }
}

/// The schema of that name, itself checked.
#[track_caller]
fn validator(name: &str) -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/trace/schema");
    let path = folder.join(format!("{name}.schema.json"));
    let text = std::fs::read_to_string(&path).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// Pointers to all objects in a document; of a list's elements to the first and the last.
fn objects(json: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(json, String::new(), &mut found);
    found
}

fn collect(json: &Value, at: String, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            // What a warning rests on is other things for each lint.
            for (key, value) in fields.iter().filter(|(key, _)| *key != "evidence") {
                collect(value, format!("{at}/{key}"), found);
            }
            found.push(at);
        }
        Value::Array(values) => {
            let last = values.len().saturating_sub(1);
            for (index, value) in values.iter().enumerate() {
                if index == 0 || index == last {
                    collect(value, format!("{at}/{index}"), found);
                }
            }
        }
        _ => {}
    }
}
