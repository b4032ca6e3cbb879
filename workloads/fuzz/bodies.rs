//! What the fuzz target does with its input; `tests/corpus.rs` does the same with the corpus and its mutations.

use std::path::Path;

/// A script: it is parsed, or every error says where and what. Returns whether it is one.
pub fn script(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let errors = match wq_replay::parse(text, Path::new("x.toml"), None) {
        Ok(script) => {
            assert!(!script.program.name.is_empty());
            return true;
        }
        Err(errors) => errors,
    };
    assert!(!errors.errors.is_empty());
    let lines = text.lines().count().max(1) + 1;
    for error in &errors.errors {
        assert!(!error.message.is_empty(), "{error:?}");
        if let Some((line, column)) = error.place {
            assert!((1..=lines).contains(&line) && column >= 1, "{error:?}");
        }
    }
    false
}
