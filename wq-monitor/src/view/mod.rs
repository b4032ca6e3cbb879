//! The screen, drawn from `&App` alone.
//!
//! ```text
//! ● live  mixed  pid 4242  up 2m31s      38.2k events/s  lost 0  sensing tick  self 0.8%   header
//!  1 Overview   3 Pools   4 Workers                                             PAUSED     tabs
//! engine 4242 is gone (killed) ...                                                         banner, if there is news
//! ┌──────────────────────────────────────────────────────────────────────────────────────┐
//! │ the view: overview, pools or workers; the help lies over it                          │ body
//! └──────────────────────────────────────────────────────────────────────────────────────┘
//!  ? help  q quit  ...                                                                     footer
//! ```

pub mod bars;
mod cells;
mod footer;
mod header;
mod help;
mod latency;
mod load;
mod overview;
mod picker;
mod pool;
mod pools;
pub mod style;
mod table;
mod workers;

use crate::app::{App, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType};
use style::{Palette, Role};

/// The smallest terminal that something is shown on.
pub const SMALLEST: (u16, u16) = (20, 5);

/// Draws everything. Names come from another process: nothing in them reaches the terminal that could steer it.
pub fn draw(app: &App, palette: Palette, frame: &mut Frame<'_>) {
    whole(app, palette, frame);
    for cell in &mut frame.buffer_mut().content {
        if cell.symbol().contains(is_hidden) {
            let clean = cell.symbol().replace(is_hidden, "");
            cell.set_symbol(if clean.is_empty() { "_" } else { &clean });
        }
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
    let banner = header::banner(app, palette);
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(u16::from(banner.is_some())),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [head, tabs, news, body, foot] = Layout::vertical(rows).areas(area);
    header::draw(app, palette, frame, head);
    header::tabs(app, palette, frame, tabs);
    if let Some(banner) = banner {
        frame.buffer_mut().set_style(news, banner.style);
        frame.render_widget(banner, news);
    }
    footer::draw(app, palette, frame, foot);
    match (app.ui.help, app.ui.view) {
        (Some(top), _) => help::draw(app, top, palette, frame, body),
        (None, _) if !app.link.has_data => {
            frame.render_widget(
                Line::styled(" waiting for the engine ...", palette.of(Role::Dim)),
                body,
            );
        }
        (None, View::Overview) => overview::draw(app, palette, frame, body),
        (None, View::Pools) => pools::draw(app, palette, frame, body),
        (None, View::Workers) => workers::draw(app, palette, frame, body),
    }
}

/// A frame with a title, or nothing but its inside where there is no room for one. Gives back the inside.
fn panel(title: Line<'static>, palette: Palette, frame: &mut Frame<'_>, area: Rect) -> Rect {
    if area.height < 4 || area.width < 12 {
        return area;
    }
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(palette.of(Role::Dim))
        .title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// The frame of a view's only list; a low screen shows two more rows instead.
fn list_panel(title: Line<'static>, palette: Palette, frame: &mut Frame<'_>, area: Rect) -> Rect {
    if frame.area().height < 14 {
        area
    } else {
        panel(title, palette, frame, area)
    }
}

/// A panel's title.
fn title(text: &str, palette: Palette) -> Line<'static> {
    Line::from(Span::styled(format!(" {text} "), palette.of(Role::Title)))
}
