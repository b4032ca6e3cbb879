//! What the details of any thing consist of.

use crate::lists::{Layout, Place};
use crate::paint::style::{Palette, Role};
use crate::view::chart;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wq_trace::Breakdown;
use wq_trace::model::{History, Model};

/// One thing, ready to be drawn.
#[derive(Debug)]
pub struct Page {
    /// Names and values.
    pub facts: Vec<(String, Line<'static>)>,
    /// Its last minutes.
    pub charts: Vec<Chart>,
    /// What its items waited for.
    pub wait: Wait,
}

/// The wait of a thing's items.
#[derive(Debug)]
pub struct Wait {
    /// Whose wait it is: `items of this pool`.
    pub of: String,
    /// Its parts, in nanoseconds.
    pub parts: Breakdown,
    /// How many items there were.
    pub items: u64,
}

/// One line of history.
#[derive(Debug)]
pub struct Chart {
    /// What it shows.
    pub name: &'static str,
    /// Oldest first.
    pub values: Vec<f64>,
    /// How a value reads.
    pub text: fn(f64) -> String,
    /// Its colour.
    pub role: Role,
}

impl Chart {
    /// One value of each point.
    pub fn of<P>(
        name: &'static str,
        history: Option<&History<P>>,
        value: impl Fn(&P) -> f64,
        text: fn(f64) -> String,
        role: Role,
    ) -> Self {
        let points = history.into_iter().flat_map(History::iter);
        Self {
            name,
            values: points.map(value).collect(),
            text,
            role,
        }
    }

    /// Draws it.
    pub fn draw(&self, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
        let (text, role) = (self.text, self.role);
        chart::draw(self.name, &self.values, text, role, palette, frame, area);
    }
}

impl Page {
    /// Facts from the columns of a row, by their keys: named and drawn as in the list.
    pub fn facts<R>(
        layout: &'static Layout<R>,
        row: &R,
        keys: &[&str],
        model: &Model,
        palette: Palette,
    ) -> Vec<(String, Line<'static>)> {
        let place = Place {
            model,
            width: 40,
            palette,
        };
        let fact = |key: &&str| {
            let column = layout.table.iter().find(|column| column.key == *key)?;
            Some((column.title.to_owned(), layout.cell(row, column.key, place)))
        };
        keys.iter().filter_map(fact).collect()
    }

    /// The facts one after another, in as many lines as they need.
    pub fn flow(&self, width: u16, palette: Palette) -> Vec<Line<'static>> {
        let mut all = vec![Line::default()];
        for (name, value) in &self.facts {
            let need = name.chars().count() + 1 + value.width();
            let last = all.len() - 1;
            let used = all[last].width();
            if used > 0 && used + GAP + need > usize::from(width) {
                all.push(Line::default());
            } else if used > 0 {
                all[last].push_span(Span::raw(" ".repeat(GAP)));
            }
            let last = all.len() - 1;
            let name = Span::styled(format!("{name} "), palette.of(Role::Dim));
            all[last].push_span(name);
            let value = value.clone();
            let style = value.style;
            let spans = value.spans.into_iter();
            all[last].extend(spans.map(|span| Span {
                style: style.patch(span.style),
                ..span
            }));
        }
        all
    }
}

/// Blanks between two facts.
const GAP: usize = 2;
