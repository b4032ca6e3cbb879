//! `picture SCRIPT SECONDS KEYS FILE [COLUMNSxROWS] [dark|light]`: replays a script, presses keys, and draws the screen as
//! an SVG: what the README shows. `pictures/make` calls it.
//!
//! KEYS are characters as one types them; `~` is Enter, `^` the arrow down.

use crossterm::event::{Event, KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use wq_monitor::app::{App, Msg};
use wq_monitor::clock::monotonic;
use wq_monitor::input;
use wq_monitor::paint::theme::{Rgb, Theme, rgb};
use wq_monitor::replay::Embedded;
use wq_monitor::source::Source;
use wq_monitor::view::{self, style::Palette};
use wq_trace::model::{Limits, Model};

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [script, seconds, keys, file, rest @ ..] = args.as_slice() else {
        return Err(
            "usage: picture SCRIPT SECONDS KEYS FILE [COLUMNSxROWS] [dark|light]".to_owned(),
        );
    };
    let seconds: u64 = seconds.parse().map_err(|_| "SECONDS: a number")?;
    let size = rest.first().map_or(Some((120, 40)), |size| {
        let (columns, rows) = size.split_once('x')?;
        Some((columns.parse().ok()?, rows.parse().ok()?))
    });
    let size = size.ok_or("COLUMNSxROWS: as in 120x40")?;
    let theme = match rest.get(1).map_or("dark", String::as_str) {
        "light" => Theme::Light,
        _ => Theme::Dark,
    };
    let app = watched(Path::new(script), seconds, keys, size)?;
    let buffer = drawn(app, theme, size)?;
    std::fs::write(file, svg(&buffer, theme)).map_err(|error| format!("{file}: {error}"))
}

/// Replays the script and looks at it for so long, twice a second.
fn watched(script: &Path, seconds: u64, keys: &str, size: (u16, u16)) -> Result<App, String> {
    let mut replay = Embedded::start(script).map_err(|failure| failure.message)?;
    let mut source = replay.source(true).ok_or("the replay has ended")?;
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Resize(size.0, size.1));
    let begun = Instant::now();
    let mut rounds = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let due = begun.elapsed() >= Duration::from_millis(500) * rounds;
        rounds += u32::from(due);
        let _ = app.update(Msg::Polled(Box::new(source.poll(monotonic(), due))));
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = app.update(Msg::Replay(replay.status()));
    for key in keys.chars() {
        let code = match key {
            '~' => KeyCode::Enter,
            '^' => KeyCode::Down,
            c => KeyCode::Char(c),
        };
        let message = input::message(&Event::Key(KeyEvent::from(code)));
        let _ = app.update(message.ok_or_else(|| format!("{key} is no key"))?);
    }
    Ok(app)
}

fn drawn(mut app: App, theme: Theme, (width, height): (u16, u16)) -> Result<Buffer, String> {
    app.ui.theme = theme;
    let terminal = Terminal::new(TestBackend::new(width, height));
    let mut terminal = terminal.map_err(|error| error.to_string())?;
    let frame = terminal.draw(|frame| view::draw(&app, Palette::new(true), frame));
    frame.map_err(|error| error.to_string())?;
    Ok(terminal.backend().buffer().clone())
}

/// Pixels of a cell.
const CELL: (u32, u32) = (9, 19);
/// Around the screen.
const MARGIN: u32 = 12;

/// Text and paper of the terminal.
fn terminal(theme: Theme) -> (Rgb, Rgb) {
    match theme {
        Theme::Dark => ((0xd8, 0xd8, 0xd8), (0x16, 0x18, 0x1d)),
        Theme::Light => ((0x20, 0x20, 0x20), (0xff, 0xff, 0xff)),
    }
}

/// The buffer as a picture: rectangles where the paper is another, and a text for each run of one style. Characters that
/// fill their cell are drawn, since fonts leave gaps between them.
fn svg(buffer: &Buffer, theme: Theme) -> String {
    let (ink, paper) = terminal(theme);
    let (width, height) = (
        u32::from(buffer.area.width) * CELL.0 + 2 * MARGIN,
        u32::from(buffer.area.height) * CELL.1 + 2 * MARGIN,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"15\" xml:space=\"preserve\">\n",
        hex(paper)
    );
    for y in 0..buffer.area.height {
        let cells: Vec<Shown> = (0..buffer.area.width)
            .map(|x| Shown::of(&buffer[(x, y)], ink, paper))
            .collect();
        line(&mut out, &cells, u32::from(y) * CELL.1 + MARGIN, paper);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// A cell as it is seen.
struct Shown {
    text: String,
    ink: Rgb,
    paper: Rgb,
    bold: bool,
}

impl Shown {
    fn of(cell: &ratatui::buffer::Cell, ink: Rgb, paper: Rgb) -> Self {
        let known = |colour, own| match colour {
            Color::Reset => own,
            other => rgb(other).unwrap_or(own),
        };
        let (mut ink, mut paper) = (known(cell.fg, ink), known(cell.bg, paper));
        if cell.modifier.contains(Modifier::REVERSED) {
            (ink, paper) = (paper, ink);
        }
        Self {
            text: cell.symbol().to_owned(),
            ink,
            paper,
            bold: cell.modifier.contains(Modifier::BOLD),
        }
    }

    /// The part of the cell that its character fills from below or from the left, and how densely: if it is such a one.
    fn filled(&self) -> Option<(u32, u32, &'static str)> {
        let eighths = |n: u32| (CELL.0, (CELL.1 * n).div_ceil(8));
        let ((width, height), density) = match self.text.chars().next()? {
            c @ '▁'..='█' => (eighths(c as u32 - '▁' as u32 + 1), "1"),
            '▓' => (CELL, "0.75"),
            '▒' => (CELL, "0.5"),
            '░' => (CELL, "0.25"),
            _ => return None,
        };
        Some((width, height, density))
    }
}

fn line(out: &mut String, cells: &[Shown], top: u32, paper: Rgb) {
    let mut at = 0;
    while at < cells.len() {
        let first = &cells[at];
        let same = |cell: &&Shown| {
            (cell.ink, cell.paper, cell.bold) == (first.ink, first.paper, first.bold)
                && cell.filled() == first.filled()
        };
        let len = cells[at..].iter().take_while(same).count();
        let (x, width) = (at as u32 * CELL.0 + MARGIN, len as u32 * CELL.0);
        if first.paper != paper {
            let (height, fill) = (CELL.1, hex(first.paper));
            rect(out, (x, top), (width, height), &fill, "1");
        }
        if let Some((_, height, density)) = first.filled() {
            let y = top + CELL.1 - height;
            rect(out, (x, y), (width, height), &hex(first.ink), density);
        } else {
            let text: String = cells[at..at + len]
                .iter()
                .map(|cell| cell.text.as_str())
                .collect();
            words(out, &text, x, top, first);
        }
        at += len;
    }
}

fn rect(
    out: &mut String,
    (x, y): (u32, u32),
    (width, height): (u32, u32),
    fill: &str,
    opacity: &str,
) {
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\" opacity=\"{opacity}\"/>"
    );
}

/// The text of a run; blanks around it are left out, and its width is said, so that no font moves what follows.
fn words(out: &mut String, text: &str, x: u32, top: u32, shown: &Shown) {
    let blanks = text.chars().take_while(|c| *c == ' ').count() as u32;
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let width = text.chars().count() as u32 * CELL.0;
    let bold = if shown.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" textLength=\"{width}\" fill=\"{}\"{bold}>{text}</text>",
        x + blanks * CELL.0,
        top + CELL.1 - 5,
        hex(shown.ink)
    );
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}
