//! The screen, drawn from `&App` alone.
//!
//! ```text
//! ● live  mixed  pid 4242  up 2m31s      38.2k events/s  lost 0  sensing tick  self 0.8%   header
//!  1 Overview   3 Pools   4 Workers                                                        tabs
//! engine 4242 is gone (killed) ...                                                         banner, if there is news
//!  ◀ PAUSED 12.0 s ago  13:40:30 UTC  state 45/118    2m10s ago ▂▃█▁▁●▁▁▂ now              moment, while one is held
//! ┌──────────────────────────────────────────────────────────────────────────────────────┐
//! │ the view: overview, pools or workers; the help lies over it                          │ body
//! └──────────────────────────────────────────────────────────────────────────────────────┘
//!  ? help  q quit  ...                                                                     footer
//! ```

mod chart;
mod chooser;
mod details;
mod events;
mod footer;
mod header;
mod help;
mod hit;
mod latency;
mod load;
mod moment;
mod overview;
mod picker;
mod pool;
mod pools;
mod producers;
mod prompt;
mod spread;
mod table;
mod timeline;
mod waiting;
mod warnings;
mod workers;
mod workqueues;

pub use crate::paint::style;
pub use hit::hit;

use crate::app::{App, View};
use crate::paint::{ascii, bars, cells};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType};
use style::{Palette, Role};

/// How a view is drawn.
struct Screen {
    view: View,
    /// Draws it into the body.
    draw: fn(&App, Palette, &mut Frame<'_>, Rect),
    /// Where in the body its list stands, headings included; the first rectangle is the whole screen.
    list: fn(&App, Rect, Rect) -> Option<Rect>,
}

/// The views: one line for each.
#[rustfmt::skip]
const SCREENS: &[Screen] = &[
    Screen { view: View::Overview, draw: overview::draw, list: overview::list },
    Screen { view: View::Workqueues, draw: workqueues::draw, list: workqueues::list },
    Screen { view: View::Pools, draw: pools::draw, list: pools::list },
    Screen { view: View::Workers, draw: workers::draw, list: workers::list },
    Screen { view: View::Producers, draw: producers::draw, list: producers::list },
    Screen { view: View::Events, draw: events::draw, list: events::list },
    Screen { view: View::Latency, draw: spread::draw, list: spread::list },
    Screen { view: View::Timeline, draw: timeline::draw, list: timeline::list },
];

/// The screen of a view.
fn screen(view: View) -> Option<&'static Screen> {
    SCREENS.iter().find(|screen| screen.view == view)
}

/// The smallest terminal that something is shown on.
pub const SMALLEST: (u16, u16) = (20, 5);

/// Draws everything. Names come from another process: nothing in them reaches the terminal that could steer it.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>) {
    whole(app, palette.in_theme(app.ui.theme), frame);
    for cell in &mut frame.buffer_mut().content {
        if cell.symbol().contains(is_hidden) {
            let clean = cell.symbol().replace(is_hidden, "");
            cell.set_symbol(if clean.is_empty() { "_" } else { &clean });
        }
    }
    if palette.is_ascii() {
        ascii::translate(frame.buffer_mut());
    }
}

/// Control characters, and those that are invisible or turn the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn whole(app: &App, palette: Palette, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let line = format!("{}x{} is too small", area.width, area.height);
        frame.render_widget(
            Line::raw(line),
            Rect {
                height: area.height.min(1),
                ..area
            },
        );
        return;
    }
    if app.is_choosing() {
        picker::draw(app, palette, frame, area);
        return;
    }
    let places = places(app, area);
    header::draw(app, palette, frame, places.head);
    header::tabs(app, palette, frame, places.tabs);
    if let Some(banner) = header::banner(app, palette)
        && places.news.height > 0
    {
        frame.buffer_mut().set_style(places.news, banner.style);
        frame.render_widget(banner, places.news);
    }
    moment::draw(app, palette, frame, places.moment);
    match app.prompt() {
        Some(open) => prompt::draw(app, open, palette, frame, places.foot),
        None => footer::draw(app, palette, frame, places.foot),
    }
    body(app, palette, frame, places.body);
}

/// The view, or what lies over it.
fn body(app: &App, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    if let Some(top) = app.ui.help {
        help::draw(app, top, palette, frame, area);
    } else if !app.link.has_data {
        waiting::draw(app, palette, frame, area);
    } else if let Some(open) = &app.ui.warnings {
        warnings::draw(app, open, palette, frame, area);
    } else if let Some(open) = &app.ui.details {
        details::draw(app, open, palette, frame, area);
    } else if let Some(screen) = screen(app.ui.view) {
        (screen.draw)(app, palette, frame, area);
        if let Some(open) = app.ui.chooser {
            chooser::draw(app, open, palette, frame, area);
        }
    }
}

/// Where everything stands on a screen.
struct Places {
    head: Rect,
    tabs: Rect,
    news: Rect,
    moment: Rect,
    body: Rect,
    foot: Rect,
}

fn places(app: &App, area: Rect) -> Places {
    let held = app.is_paused();
    // A low screen has no room for both, and the last state is not what it shows.
    let news = header::banner(app, Palette::new(false)).is_some();
    let news = news && (!held || area.height >= 14 || app.link.problem.is_some());
    let foot = app.prompt().map_or(1, |_| prompt::height(area.height));
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(u16::from(news)),
        Constraint::Length(u16::from(held)),
        Constraint::Fill(1),
        Constraint::Length(foot),
    ];
    let [head, tabs, news, moment, body, foot] = Layout::vertical(rows).areas(area);
    Places {
        head,
        tabs,
        news,
        moment,
        body,
        foot,
    }
}

/// Lines one below the other, as many as there is room for.
fn lines(lines: impl IntoIterator<Item = Line<'static>>, frame: &mut Frame<'_>, area: Rect) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..area
            },
        );
    }
}

/// A frame with a title, or nothing but its inside where there is no room for one. Gives back the inside.
fn panel(title: Line<'static>, palette: Palette, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let inner = inside(area);
    if inner != area {
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(palette.of(Role::Dim))
            .title(title);
        frame.render_widget(block, area);
    }
    inner
}

/// The inside of a panel.
fn inside(area: Rect) -> Rect {
    if area.height < 4 || area.width < 12 {
        return area;
    }
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width - 2,
        height: area.height - 2,
    }
}

/// The frame of a view's only list; a low screen shows two more rows instead.
fn list_panel(title: Line<'static>, palette: Palette, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let inner = list_inside(frame.area(), area);
    if inner == area {
        area
    } else {
        panel(title, palette, frame, area)
    }
}

/// The inside of such a frame on this screen.
fn list_inside(screen: Rect, area: Rect) -> Rect {
    if screen.height < 14 {
        area
    } else {
        inside(area)
    }
}

/// How many rows the view's list shows: `12`, or `12 of 340` where the others are not looked for.
fn found(app: &App) -> String {
    match app.found() {
        Some((shown, all)) if shown != all => format!("{shown} of {all}"),
        Some((_, all)) => all.to_string(),
        None => String::new(),
    }
}

/// A panel's title.
fn title(text: &str, palette: Palette) -> Line<'static> {
    Line::from(Span::styled(format!(" {text} "), palette.of(Role::Title)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_has_a_screen_and_no_screen_is_without_a_key() {
        let screens: Vec<_> = SCREENS.iter().map(|screen| screen.view).collect();
        assert_eq!(screens, View::ALL);
    }
}
