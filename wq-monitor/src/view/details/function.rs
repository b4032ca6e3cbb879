//! The page of a work function, with those who queue it.

use super::page::{Chart, Page, Wait};
use crate::lists::functions::FUNCTIONS;
use crate::paint::style::{Palette, Role};
use ratatui::text::{Line, Span};
use wq_trace::model::{FunctionPoint, Model, ProducerRow};
use wq_trace::{FuncId, units};

/// What is said of it, in this order.
const FACTS: &[&str] = &[
    "started_per_s",
    "started",
    "running",
    "pending",
    "inactive",
    "armed",
    "cpu_share",
    "cpu_ns",
    "run_mean",
    "run_max_ns",
];

/// Of those who queue it so many are named.
const PRODUCERS: usize = 3;

/// The page, if it exists.
pub fn page(model: &Model, id: FuncId, palette: Palette) -> Option<Page> {
    let function = model
        .functions()
        .iter()
        .find(|function| function.id == id)?;
    let mut facts = Page::facts(&FUNCTIONS, function, FACTS, model, palette);
    let producers = model.producer_rows().iter();
    let producers = producers.filter(|producer| producer.func == id);
    facts.extend(
        producers
            .take(PRODUCERS)
            .map(|producer| queued_by(producer, palette)),
    );
    let history = model.function_history(id);
    let rate = |p: &FunctionPoint| p.started_per_s;
    let cpu = |p: &FunctionPoint| p.cpu;
    Some(Page {
        facts,
        charts: vec![
            Chart::of("started/s", history, rate, units::rate, Role::Good),
            Chart::of("cpu%", history, cpu, units::percent, Role::Asleep),
        ],
        wait: Wait {
            of: "items".to_owned(),
            parts: function.breakdown,
            items: function.started,
        },
    })
}

fn queued_by(producer: &ProducerRow, palette: Palette) -> (String, Line<'static>) {
    let who = match producer.via() {
        "itself" => "itself",
        _ => &producer.producer,
    };
    let rate = format!(" {}/s", units::rate(producer.per_s));
    let line = Line::from(vec![
        Span::raw(who.to_owned()),
        Span::styled(rate, palette.of(Role::Dim)),
    ]);
    ("queued by".to_owned(), line)
}
