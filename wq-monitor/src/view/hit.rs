//! What a click on a place of the screen means, worked out from the application and its size alone.

use super::{
    SMALLEST, details, events, header, moment, places, screen, spread, table, timeline, warnings,
};
use crate::app::{Act, App, Msg};
use ratatui::layout::{Position, Rect};

/// The message of a click on column `x` and row `y`, if something that can be clicked stands there: a tab, a heading, a row, a
/// moment.
pub fn hit(app: &App, x: u16, y: u16) -> Option<Msg> {
    let (width, height) = app.ui.size;
    if width < SMALLEST.0 || height < SMALLEST.1 || app.is_choosing() {
        return None;
    }
    let whole = Rect::new(0, 0, width, height);
    let places = places(app, whole);
    let at = Position { x, y };
    if places.tabs.contains(at) {
        let view = header::tab_at(header::tab_room(app, places.tabs), x)?;
        return Some(Msg::Act(Act::Show(view)));
    }
    if places.moment.contains(at) {
        return moment::hit(app, places.moment, x);
    }
    if !places.body.contains(at)
        || app.ui.help.is_some()
        || app.ui.chooser.is_some()
        || !app.link.has_data
    {
        return None;
    }
    if let Some(open) = &app.ui.warnings {
        return warnings::hit(app, open, places.body, at);
    }
    if let Some(open) = &app.ui.details {
        return details::hit(app, open, places.body, at);
    }
    let area = (screen(app.ui.view)?.list)(app, whole, places.body)?;
    if !area.contains(at) {
        return None;
    }
    if app.is_tail() {
        return events::hit(app, area, y);
    }
    if app.is_spread() {
        return spread::hit(app, area, y);
    }
    if app.is_timeline() {
        return timeline::hit(app, area, y);
    }
    table::hit(app, area, x, y)
}
