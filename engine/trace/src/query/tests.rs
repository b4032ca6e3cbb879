//! What queries find, what they say when they are wrong, and that they can be printed and read again.

use super::*;
use crate::FuncId;
use crate::event::{Event, REQ_CPU_LOCAL, What};
use crate::fixture;
use crate::model::{Limits, Model, ThreadSample, Threads};
use proptest::prelude::*;

fn model() -> Model {
    let mut model = Model::new(Limits::default());
    let mut earlier = fixture::snapshot();
    earlier.at -= 1_000_000_000;
    for pwq in &mut earlier.pwqs {
        pwq.counters = [0; crate::Counter::COUNT];
    }
    model.apply_snapshot(&earlier);
    let queued = What::QueueWork {
        req_cpu: REQ_CPU_LOCAL,
        cpu: 0,
    };
    model.apply_event(&fixture::event(queued));
    let mut thread = fixture::event(queued);
    (thread.tid, thread.func, thread.wq) = (4720, crate::FuncId(3), crate::WqId(2));
    model.apply_event(&thread);
    let last = fixture::snapshot();
    let look = |at, cpu_ns| Threads {
        at,
        samples: last
            .workers
            .iter()
            .map(|worker| ThreadSample {
                tid: worker.tid,
                cpu_ns,
                asleep_in: Some("pipe_read".to_owned()),
            })
            .collect(),
        ..Threads::default()
    };
    model.apply_threads(&look(earlier.at, 0));
    model.apply_snapshot(&last);
    model.apply_threads(&look(last.at, 250_000_000));
    model
}

fn read(text: &str) -> Query {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The names of the rows that are found, each kind in its order.
fn found(text: &str) -> String {
    let (query, model) = (read(text), model());
    let scope = Scope::new(&model);
    let mut names: Vec<String> = Vec::new();
    let mut look = |row: Row<'_>, name: &str| {
        if query.matches(&scope, row) {
            names.push(name.to_owned());
        }
    };
    for wq in model.workqueues() {
        look(wq.into(), &wq.name);
    }
    for pool in model.pools() {
        look(pool.into(), &format!("pool {}", pool.row.number));
    }
    for worker in model.workers() {
        look(worker.into(), &worker.row.name);
    }
    for function in model.functions() {
        look(function.into(), &function.name);
    }
    for producer in model.producer_rows() {
        look(producer.into(), &producer.producer);
    }
    names.join(", ")
}

const ALL: &str = "mixed, journal, pool 2, pool 6, pool 8, kworker/0:1, flush_cache, write_back, kworker/0:1-4711, producer-0-4720";

#[test]
fn nothing_asked_finds_everything() {
    assert_eq!(found(""), ALL);
    assert_eq!(found("   "), ALL);
}

#[test]
fn a_word_is_a_part_of_a_name() {
    assert_eq!(found("MIX"), "mixed, kworker/0:1, kworker/0:1-4711");
    assert_eq!(found("\"cpu 1\""), "pool 6");
    assert_eq!(found("kworker/0:1+mixed"), "kworker/0:1");
    assert_eq!(found("cache flush"), "flush_cache, kworker/0:1-4711");
}

#[test]
fn relations_are_followed_from_every_row() {
    assert_eq!(
        found("wq:journal"),
        "journal, pool 8, flush_cache, producer-0-4720"
    );
    assert_eq!(
        found("fn:write*"),
        "mixed, pool 6, write_back, producer-0-4720"
    );
    assert_eq!(
        found("worker:kworker/0* -state:idle"),
        "mixed, pool 2, kworker/0:1, flush_cache"
    );
    assert_eq!(found("pool:6"), "mixed, pool 6, flush_cache, write_back");
    assert_eq!(found("cpu:0"), "mixed, pool 2, kworker/0:1, flush_cache");
    assert_eq!(found("from~^producer"), "producer-0-4720");
}

#[test]
fn numbers_compare_in_their_units() {
    assert_eq!(found("started>=30"), "mixed, flush_cache");
    assert_eq!(found("rate>29/s"), "mixed");
    // Of workqueues the 99th percentile, of pools and functions the mean.
    assert_eq!(found("wait>1us"), "pool 2");
    assert_eq!(found("wait<=10ns"), "mixed, journal");
    assert_eq!(found("for>=500ms for<0.6s"), "kworker/0:1");
    assert_eq!(found("run=600ms"), "kworker/0:1");
    assert_eq!(found("cpu_time=30ms"), "mixed");
    assert_eq!(found("tid:47*"), "kworker/0:1");
    assert_eq!(
        found("concurrency>60% why:conc* wq:journal"),
        "journal, pool 8, flush_cache, producer-0-4720"
    );
    assert_eq!(found("share>=50%"), "kworker/0:1-4711, producer-0-4720");
    assert_eq!(found("unbound:no"), "mixed");
}

#[test]
fn a_value_that_is_not_there_passes_only_what_is_negated() {
    // `journal` is served without a CPU, by an unbound pool; `mixed` counts no calls of a rescuer.
    assert_eq!(found("id:* state:* -cpu>=0"), "journal, pool 8");
    assert_eq!(
        found("id:* state:* cpu>=0"),
        "mixed, pool 2, pool 6, kworker/0:1, flush_cache, write_back"
    );
    assert_eq!(found("mayday>=0"), "journal");
}

#[test]
fn a_key_of_other_rows_is_left_aside_but_not_alone() {
    assert_eq!(
        found("tid:* from:*"),
        "kworker/0:1, kworker/0:1-4711, producer-0-4720"
    );
    assert_eq!(read("wq:x tid:4").fits(Kind::Worker), Ok(()));
    let error = read("wq:x -tid:4")
        .fits(Kind::Workqueue)
        .expect_err("tids are of workers");
    assert_eq!(
        error.to_string(),
        "column 6: tid says nothing of workqueues; it is for workers"
    );
}

#[test]
fn every_key_of_a_kind_has_a_value_somewhere() {
    // What the fixture has none of: pools with another nice level, a worker that creates workers, a rescuer.
    let without = ["nice_granted", "manager", "rescuer"];
    let model = model();
    let scope = Scope::new(&model);
    let mut rows: Vec<Row<'_>> = Vec::new();
    rows.extend(model.workqueues().iter().map(Row::from));
    rows.extend(model.pools().iter().map(Row::from));
    rows.extend(model.workers().iter().map(Row::from));
    rows.extend(model.functions().iter().map(Row::from));
    rows.extend(model.producer_rows().iter().map(Row::from));
    let events = [queued_event(&model)];
    rows.extend(events.iter().map(Row::from));
    for key in keys().iter().filter(|key| !without.contains(&key.name)) {
        for &kind in &key.of {
            let of_kind = rows.iter().filter(|row| row.kind() == kind);
            let values: Vec<_> = of_kind
                .flat_map(|row| row.values(&scope, key.name))
                .collect();
            let said = |cell: &Cell| match key.class {
                Class::Word | Class::Flag => word(cell).is_some(),
                _ => amount_of(cell).is_some(),
            };
            assert!(
                values.iter().any(said),
                "{} of {}: {values:?}",
                key.name,
                kind.plural()
            );
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_its_column_and_what_would_be_right() {
    let cases = [
        ("wq:a wiat>5ms", 6, "no key `wiat`; did you mean `wait`?"),
        ("WQ:a", 1, "no key `WQ`; did you mean `wq`?"),
        ("zzzz:1", 1, "no key `zzzz`; there are name, wq,"),
        ("wait>5", 6, "`5` is not a time; write a time with its unit"),
        (
            "rate>5ms",
            6,
            "`5ms` is not a number per second; write a number per second: 1000/s",
        ),
        (
            "wait:5ms",
            6,
            "`:` cannot be used with wait, which is a time; compare it with a time: `>5ms`",
        ),
        (
            "fn>3",
            4,
            "`>` cannot be used with fn, which is a word; write `:`",
        ),
        (
            "unbound:maybe",
            9,
            "`maybe` is neither yes nor no; write `:yes`",
        ),
        ("pool:x", 6, "`x` is no number; write pool:3"),
        ("fn~(", 4, "`(` is no regular expression: "),
        ("a -", 3, "nothing follows the `-`; "),
        ("wq:", 4, "no value after `wq:`; write `:`"),
        (">5ms", 1, "no key before the operator; "),
        ("wq!=a", 1, "there is no `!=`; put a `-` before"),
        ("wq==a", 3, "there is no `==`; write one `=`"),
        ("ä \"b", 3, "the quotes are not closed; "),
        ("wq:\"a\"b", 7, "something follows the quotes; put a space"),
        ("\"\"", 1, "nothing between the quotes; "),
    ];
    for (text, column, sentence) in cases {
        let error = text.parse::<Query>().expect_err(text).to_string();
        let expected = format!("column {column}: {sentence}");
        assert!(
            error.starts_with(&expected),
            "{text}\n  {error}\n  {expected}"
        );
    }
}

#[test]
fn a_printed_query_reads_as_the_same() {
    let cases = [
        ("  wq:events*   wait>5ms ", "wq:events* wait>5ms"),
        (
            "-fn~flush \"a b\" unbound:true",
            "-fn~flush \"a b\" unbound=yes",
        ),
        (
            "\"plain\" -\"-x\" \"wq:x\" \">\"",
            "plain -\"-x\" \"wq:x\" \">\"",
        ),
        ("name=\"\" fn~\"a\\\\d b\"", "name=\"\" fn~\"a\\\\d b\""),
        ("fn~a\\d kworker/0:1", "fn~a\\d kworker/0:1"),
        ("wq=\"=x\"", "wq=\"=x\""),
    ];
    for (text, printed) in cases {
        assert_eq!(read(text).to_string(), printed);
        assert_eq!(read(printed).to_string(), printed);
    }
}

/// Text that often is a query.
fn near_query() -> impl Strategy<Value = String> {
    let key = prop::sample::select(keys().iter().map(|key| key.name).collect::<Vec<_>>());
    let op = prop::sample::select(vec![":", "~", ">", ">=", "<", "<=", "=", "!=", ""]);
    let value = prop_oneof![
        "[a-z*?/:_\"\\\\ -]{0,8}",
        "-?[0-9]{1,4}(\\.[0-9])?(ns|us|ms|s|min|h|k|M|/s|%)?",
        "\"[a-zä \\\\]{0,6}\"",
        Just("yes".to_owned()),
    ];
    let term = (any::<bool>(), key, op, value).prop_map(|(not, key, op, value)| {
        format!("{}{key}{op}{value}", if not { "-" } else { "" })
    });
    prop::collection::vec(prop_oneof![3 => term, 1 => "\\PC{0,6}"], 0..5)
        .prop_map(|terms| terms.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_printing_reading(text in near_query(), cursor in 0_usize..40) {
        let completion = complete(&text, cursor);
        prop_assert!(completion.from <= text.chars().count());
        match text.parse::<Query>() {
            Ok(query) => {
                let printed = query.to_string();
                let again: Query = printed.parse().map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
                prop_assert_eq!(again.to_string(), printed);
                prop_assert_eq!(again.terms.len(), query.terms.len());
                let model = model();
                let scope = Scope::new(&model);
                for wq in model.workqueues() {
                    prop_assert_eq!(query.matches(&scope, wq), again.matches(&scope, wq));
                }
            }
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{}", error);
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }
}

/// An event of what there is in the model: its worker queues an item.
fn queued_event(model: &Model) -> Event {
    let (worker, wq) = (&model.workers()[0].row, &model.workqueues()[0]);
    let function = &model.functions()[0];
    Event {
        at: model.at(),
        cpu: 1,
        tid: worker.tid,
        wq: wq.id,
        pool: worker.pool,
        worker: worker.id,
        func: function.id,
        from: function.id,
        work: 1,
        what: What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: 0,
        },
    }
}

#[test]
fn events_are_found_by_step_thread_and_what_they_name() {
    let model = model();
    let mut event = queued_event(&model);
    let scope = Scope::of_events(&model);
    let (wq, function) = (&model.workqueues()[0].name, &model.functions()[0].name);
    let tid = event.tid;
    let fine = [
        "event:queue_work".to_owned(),
        "event~^queue".to_owned(),
        "queue".to_owned(),
        format!("wq={wq} fn={function}"),
        format!("thread~-{tid}$"),
        format!("from={function} cpu:1"),
        "-event:execute_*".to_owned(),
    ];
    for text in fine {
        assert!(read(&text).matches(&scope, &event), "{text}");
        assert_eq!(read(&text).fits(Kind::Event), Ok(()));
    }
    for text in ["event:execute_start", "cpu:0", "wq:nobody", "wait>5ms"] {
        assert!(!read(text).matches(&scope, &event), "{text}");
    }
    // Who is no work function is a thread.
    event.from = FuncId::NONE;
    assert!(read(&format!("from~-{tid}$")).matches(&scope, &event));
    let error = read("wait>5ms")
        .fits(Kind::Event)
        .expect_err("events do not last");
    assert!(
        error.to_string().contains("wait says nothing of events"),
        "{error}"
    );
}
