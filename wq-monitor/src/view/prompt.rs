//! The line in which a query is typed, in place of the last one; above it what is wrong, or how it may go on.

use super::cells::fit;
use super::style::{Palette, Role};
use crate::app::App;
use crate::prompt::{Offers, Prompt};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use wq_trace::query::{Key, Kind, complete, keys};

/// Lines that it takes on a screen of this height.
pub fn height(screen: u16) -> u16 {
    if screen < 8 { 1 } else { 2 }
}

/// Draws it, with the terminal's cursor in it.
pub fn draw(app: &App, prompt: &Prompt, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let line = Rect {
        y: area.bottom().saturating_sub(1),
        height: area.height.min(1),
        ..area
    };
    if area.height > 1 {
        let hint = hint(app, prompt, area.width, palette);
        frame.render_widget(hint, Rect { height: 1, ..area });
    }
    let found = match app.found() {
        Some((shown, all)) => format!(" {shown} of {all} "),
        None => String::new(),
    };
    let found = fit(&found, area.width / 3);
    let taken = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let text = Rect {
        width: line.width.saturating_sub(taken),
        ..line
    };
    typed(prompt, palette, frame, text);
    let count = Rect {
        x: text.right(),
        width: line.width - text.width,
        ..line
    };
    let role = match app.found() {
        Some((0, 1..)) => Role::Warn,
        _ => Role::Dim,
    };
    frame.render_widget(Line::styled(found, palette.of(role)), count);
}

/// `/` and the text, from where it is wrong on in red; scrolled so that the cursor is in view.
fn typed(prompt: &Prompt, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let text = prompt.text();
    let chars: Vec<char> = text.chars().collect();
    let width = |chars: &[char]| Span::raw(chars.iter().collect::<String>()).width();
    // Room for the slash, and for the cursor behind the last character.
    let room = usize::from(area.width).saturating_sub(2);
    let cursor = prompt.cursor().min(chars.len());
    let first = (0..=cursor)
        .find(|first| width(&chars[*first..cursor]) <= room)
        .unwrap_or(cursor);
    let wrong = prompt.wrong().map_or(chars.len(), |error| {
        error.column.saturating_sub(1).clamp(first, chars.len())
    });
    let part = |chars: &[char]| chars.iter().collect::<String>();
    let line = Line::from(vec![
        Span::styled("/", palette.of(Role::Accent)),
        Span::raw(part(&chars[first..wrong])),
        Span::styled(part(&chars[wrong..]), palette.of(Role::Bad)),
    ]);
    frame.render_widget(line, area);
    let x = 1 + width(&chars[first..cursor]);
    let x = area.x + u16::try_from(x).unwrap_or(u16::MAX);
    if area.contains(Position { x, y: area.y }) {
        frame.set_cursor_position((x, area.y));
    }
}

/// What helps most now: the ways to go on that Tab goes through, what is wrong, what the key at hand says, or the keys.
fn hint(app: &App, prompt: &Prompt, width: u16, palette: Palette) -> Line<'static> {
    if let Some(offers) = prompt.offers() {
        return offered(offers, width, palette);
    }
    if let Some(error) = prompt.wrong() {
        let text = fit(&format!(" {error}"), width);
        return Line::styled(text, palette.of(Role::Bad));
    }
    let dim = palette.of(Role::Dim);
    if let Some(key) = key_at_hand(prompt) {
        let of: Vec<_> = key.of.iter().map(|kind: &Kind| kind.plural()).collect();
        let text = format!(" {}: {} ({})", key.name, key.help, of.join(", "));
        return Line::styled(fit(&text, width), dim);
    }
    if prompt.without_half_a_key().is_some() {
        let words = complete(&prompt.text(), prompt.cursor()).words;
        if !words.is_empty() {
            let text = format!(" Tab: {}", words.join("  "));
            return Line::styled(fit(&text, width), dim);
        }
    }
    if let Some(error) =
        crate::lists::kind(app.ui.view).and_then(|kind| app.filter().query.fits(kind).err())
    {
        let text = format!(" {}: no matter here; {}", error.wrong, error.right);
        return Line::styled(fit(&text, width), palette.of(Role::Warn));
    }
    let text = " wq:events*  wait>5ms  fn~flush  state:held  -word   Tab completes, Up earlier, Enter keeps, Esc reverts";
    Line::styled(fit(text, width), dim)
}

/// The key of the word before the cursor.
fn key_at_hand(prompt: &Prompt) -> Option<&'static Key> {
    let text = prompt.text();
    let before: String = text.chars().take(prompt.cursor()).collect();
    let word = before.split(char::is_whitespace).next_back()?;
    let word = word.trim_start_matches('-');
    let end = word.find([':', '~', '=', '<', '>'])?;
    keys().iter().find(|key| key.name == &word[..end])
}

/// The words, the one in the line marked and in view.
fn offered(offers: &Offers, width: u16, palette: Palette) -> Line<'static> {
    let words = offers.words();
    let chosen = offers.chosen();
    let room = usize::from(width).saturating_sub(1);
    let cells = |words: &[String]| -> usize {
        let widths = words
            .iter()
            .map(|word| Span::raw(word.as_str()).width() + 2);
        widths.sum()
    };
    let last = chosen.unwrap_or(0);
    let first = (0..=last)
        .find(|first| cells(&words[*first..=last]) <= room)
        .unwrap_or(last);
    let mut line = Line::raw(" ");
    for (i, word) in words.iter().enumerate().skip(first) {
        if line.width() + Span::raw(word.as_str()).width() + 2 > room && i > last {
            line.push_span(Span::styled("…", palette.of(Role::Dim)));
            break;
        }
        let style = if Some(i) == chosen {
            palette.of(Role::Accent).patch(palette.badge())
        } else {
            palette.of(Role::Dim)
        };
        line.push_span(Span::styled(word.clone(), style));
        line.push_span(Span::raw("  "));
    }
    line
}
