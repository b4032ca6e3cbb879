//! Any size, any theme, ASCII alone: what holds for every screen in every state.

mod common;

use common::{app, press, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use wq_monitor::app::{Act, App, Msg, Step, View};
use wq_monitor::paint::theme::{Theme, contrast, rgb};
use wq_monitor::source::{Engine, Update};
use wq_monitor::view::style::Palette;
use wq_trace::Liveness;
use wq_trace::model::{Limits, Model};

fn drawn(app: &App, palette: Palette, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| wq_monitor::view::draw(app, palette, frame))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// Every view; each with the help, with details, held, gone; nothing yet; engines to choose from; names of all kinds.
fn states() -> Vec<App> {
    let size = (120, 40);
    let mut all = Vec::new();
    for view in View::ALL {
        for acts in [
            &[][..],
            &[Act::Help, Act::Go(Step::PageDown)],
            &[Act::Go(Step::Down), Act::Choose],
            &[Act::Choose, Act::Go(Step::Last), Act::Choose],
            &[Act::Pause, Act::AllColumns, Act::ScrollRight, Act::Invert],
        ] {
            let mut app = app(view, 12, size);
            press(&mut app, acts);
            all.push(app);
        }
        for liveness in [
            Liveness::Dead,
            Liveness::Ended,
            Liveness::Unknown,
            Liveness::Recorded,
        ] {
            let mut app = app(view, 3, size);
            let _ = app.update(Msg::Polled(Box::new(update(4, liveness))));
            all.push(app);
        }
    }
    let engine = |pid: u32, name: &str| Engine {
        pid,
        name: name.to_owned(),
        exe: format!("/usr/bin/{name}"),
        path: format!("/run/{pid}-{name}.wqseg").into(),
        about: wq_monitor::source::About {
            user: "operator".to_owned(),
            up: Some(u64::from(pid) * 1_000_000_000),
            events_per_s: (pid > 100).then_some(38_200),
            liveness: Some(Liveness::Live),
        },
    };
    let engines = vec![engine(71, "mixed"), engine(9_182, "спуск")];
    all.push(App::new(Model::new(Limits::default()), None, engines));
    all.push(App::new(Model::new(Limits::default()), None, Vec::new()));
    all.push(strange());
    all
}

/// An engine whose names are in many scripts, and that cannot be read any more.
fn strange() -> App {
    let name = "日本語 ö é🙂 очередь";
    let mut update: Update = update(1, Liveness::Live);
    update.problem = Some(format!("{name}: damaged at byte 7"));
    let snapshot = update.snapshot.as_mut().unwrap();
    name.clone_into(&mut snapshot.meta.name);
    for row in &mut snapshot.workqueues {
        name.clone_into(&mut row.name);
    }
    for row in &mut snapshot.functions {
        name.clone_into(&mut row.name);
    }
    for row in &mut snapshot.workers {
        name.clone_into(&mut row.name);
    }
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Polled(Box::new(update)));
    app
}

#[test]
fn ascii_is_all_that_is_drawn() {
    let palette = Palette::new(true).in_ascii(true);
    for app in states() {
        for size in [(120, 40), (80, 24), (40, 10), (20, 5)] {
            let buffer = drawn(&app, palette, size);
            for cell in buffer.content() {
                let symbol = cell.symbol();
                let printable = symbol.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                assert!(printable, "{symbol:?} {:?} {size:?}", app.ui.view);
            }
        }
    }
}

#[test]
fn every_text_is_clear_in_both_themes() {
    for mut app in states() {
        for theme in [Theme::Dark, Theme::Light] {
            app.ui.theme = theme;
            let buffer = drawn(&app, Palette::new(true), (120, 40));
            for cell in buffer.content().iter().filter(|cell| cell.symbol() != " ") {
                for own in theme.backgrounds() {
                    let paper = rgb(cell.bg).unwrap_or(own);
                    let Some(ink) = rgb(cell.fg) else {
                        assert_eq!(
                            (cell.fg, cell.bg),
                            (Color::Reset, Color::Reset),
                            "a terminal may show this colour in any way: {cell:?}"
                        );
                        continue;
                    };
                    let ratio = contrast(ink, paper);
                    assert!(
                        ratio >= 4.5,
                        "{theme:?} {:?}: {cell:?} {ratio:.2}",
                        app.ui.view
                    );
                }
            }
        }
    }
}

#[test]
fn the_key_of_themes_changes_colours_and_nothing_else() {
    let mut app = app(View::Pools, 12, (120, 40));
    let dark = drawn(&app, Palette::new(true), (120, 40));
    let plain = drawn(&app, Palette::new(false), (120, 40));
    press(&mut app, &[Act::Theme]);
    let light = drawn(&app, Palette::new(true), (120, 40));
    assert_eq!(drawn(&app, Palette::new(false), (120, 40)), plain);
    let symbols = |buffer: &Buffer| -> Vec<String> {
        let cells = buffer.content().iter();
        cells.map(|cell| cell.symbol().to_owned()).collect()
    };
    assert_eq!(symbols(&dark), symbols(&light));
    assert_ne!(dark, light);
    press(&mut app, &[Act::Theme]);
    assert_eq!(drawn(&app, Palette::new(true), (120, 40)), dark);
}

/// A generator that gives the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

#[test]
fn terminals_of_any_size_may_be_resized_in_any_order() {
    let mut apps = states();
    let mut sizes: Vec<(u16, u16)> = (1..=130)
        .flat_map(|width| (1..=45).map(move |height| (width, height)))
        .collect();
    let mut numbers = Numbers(6);
    for i in (1..sizes.len()).rev() {
        sizes.swap(i, numbers.below(i as u64 + 1) as usize);
    }
    for (i, size) in sizes.into_iter().enumerate() {
        let place = i % apps.len();
        let app = &mut apps[place];
        let _ = app.update(Msg::Resize(size.0, size.1));
        let step = [
            Step::Up,
            Step::Down,
            Step::PageUp,
            Step::PageDown,
            Step::First,
            Step::Last,
        ][numbers.below(6) as usize];
        press(app, &[Act::Go(step)]);
        let buffer = drawn(app, Palette::new(i % 2 == 0), size);
        assert_eq!((buffer.area.width, buffer.area.height), size);
        // A click anywhere means something or nothing, but does no harm.
        let (x, y) = (numbers.below(130) as u16, numbers.below(45) as u16);
        let _ = wq_monitor::view::hit(app, x, y);
    }
}

/// What is drawn, without what surrounds it.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn the_smallest_screens_show_what_matters_most() {
    let small = (20, 5);
    for (view, what) in [
        (View::Overview, "live"),
        (View::Workqueues, "events"),
        (View::Pools, "cpu 0"),
        (View::Workers, "kworker/"),
        (View::Producers, "producer"),
    ] {
        let screen = text(&drawn(&app(view, 12, small), Palette::new(true), small));
        assert!(screen.contains(what), "{view:?} without {what}:\n{screen}");
        insta::assert_snapshot!(format!("{}_20x5", view.title().to_lowercase()), screen);
    }
    let mut dead = app(View::Overview, 3, small);
    let _ = dead.update(Msg::Polled(Box::new(update(4, Liveness::Dead))));
    let buffer = drawn(&dead, Palette::new(false), small);
    let screen = text(&buffer);
    assert!(
        screen.contains("dead") && screen.contains("gone"),
        "{screen}"
    );
    let reversed = |cell: &ratatui::buffer::Cell| cell.modifier.contains(Modifier::REVERSED);
    assert!(buffer.content().iter().any(reversed), "{screen}");
}
