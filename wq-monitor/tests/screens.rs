//! What the screens look like, at three sizes and in every state.

mod common;

use common::{app, press, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use wq_monitor::app::{Act, App, Msg, Step, View};
use wq_monitor::source::Engine;
use wq_monitor::view::style::Palette;
use wq_trace::Liveness;
use wq_trace::model::{Limits, Model};

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 10)];

/// Draws `app` on a screen of `size`.
fn drawn(app: &App, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| wq_monitor::view::draw(app, Palette::new(true), frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn screen(app: &App, size: (u16, u16)) -> String {
    text(&drawn(app, size))
}

#[test]
fn views() {
    for view in View::ALL {
        for size in SIZES {
            let name = format!("{}_{}x{}", view.title().to_lowercase(), size.0, size.1);
            insta::assert_snapshot!(name, screen(&app(view, 30, size), size));
        }
    }
}
