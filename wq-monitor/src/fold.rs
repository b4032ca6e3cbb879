//! What a source said, taken into the model in the order in which it happened.

use crate::source::Update;
use wq_trace::model::Model;

/// Takes it all in; `look` sees the model after each state.
pub fn fold(update: &Update, model: &mut Model, mut look: impl FnMut(&Model)) {
    let mut events = update.events.iter().peekable();
    for earlier in &update.earlier {
        while let Some(event) = events.next_if(|event| event.at <= earlier.at) {
            model.apply_event(event);
        }
        model.apply_snapshot(earlier);
        look(model);
    }
    events.for_each(|event| model.apply_event(event));
    model.apply_lost(update.lost);
    if let Some(snapshot) = &update.snapshot {
        model.apply_snapshot(snapshot);
        look(model);
    }
}
