//! The latencies: whose, which, and when they were worst.

use super::*;

#[test]
fn waits_and_runs_of_all_and_of_one() {
    let size = (120, 40);
    let mut app = app(View::Latency, 30, size);
    let waits = screen(&app, size);
    assert!(
        waits.contains("waits of all") && waits.contains("p50"),
        "{waits}"
    );
    assert!(waits.contains("of that round's waiting was"), "{waits}");
    press(&mut app, &[Act::TurnLatency, Act::Go(Step::Down)]);
    let runs = screen(&app, size);
    assert!(runs.contains("runs of events"), "{runs}");
    assert!(!runs.contains("waiting was"), "{runs}");
    press(&mut app, &[Act::Choose]);
    let subject = app.ui.details.as_ref().unwrap().subject();
    assert_eq!(subject.kind(), "workqueue");
    press(&mut app, &[Act::Back]);
    assert!(matches!(
        wq_monitor::view::hit(&app, 3, 5),
        Some(Msg::Select(2))
    ));
    let buffer = drawn(&app, size);
    assert_eq!(colour(&buffer, "▇"), style::GREEN);
}
