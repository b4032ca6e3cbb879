//! The end of a replay: expectations judged, the report written, the exit code.

use super::{CliError, EXIT_FAILED, EXIT_FINE, EXIT_INTERRUPTED, ReportFormat, ReportOptions};
use crate::report::{Report, text};
use crate::script::Script;
use crate::style::{ColorChoice, Style};
use std::io::{self, Write};

/// Judges the script's expectations (of a whole replay, not of an interrupted or stuck one) and writes the report.
///
/// `times`: assert times on threads too. `to_stdout`: whether the report may go to standard output when no file is asked
/// for. Gives the exit code.
///
/// # Errors
/// The report cannot be written.
pub fn deliver(
    report: &mut Report,
    script: &Script,
    times: bool,
    options: &ReportOptions,
    color: ColorChoice,
    to_stdout: bool,
) -> Result<u8, CliError> {
    if !report.interrupted && report.stuck.is_none() {
        report.expectations = crate::expect::evaluate(&script.expectations, report, times);
    }
    if let Some(path) = &options.output {
        let text = written(report, options.format, Style::PLAIN)?;
        std::fs::write(path, text).map_err(|source| CliError::Io {
            what: format!("cannot write the report {}", path.display()),
            source,
        })?;
    } else if to_stdout {
        let mut stdout = io::stdout().lock();
        let style = Style::for_stream(color, &stdout);
        stdout.write_all(written(report, options.format, style)?.as_bytes())?;
        stdout.flush()?;
    }
    Ok(exit_code(report))
}

/// The exit code that a report asks for.
pub fn exit_code(report: &Report) -> u8 {
    if report.interrupted {
        EXIT_INTERRUPTED
    } else if report.stuck.is_none() && report.ok() {
        EXIT_FINE
    } else {
        EXIT_FAILED
    }
}

fn written(report: &Report, format: ReportFormat, style: Style) -> Result<String, CliError> {
    match format {
        ReportFormat::Text => Ok(text(report, style)),
        ReportFormat::Json => report
            .json()
            .map_err(|e| CliError::Input(format!("cannot write the report as JSON: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Mode, tests::sample};
    use std::path::Path;

    const SCRIPT: &str = r#"
        [[work]]
        name = "w0"
        workqueue = "events"
        [[expect]]
        work = "w0"
        finish = "20ms"
        executions = 1
    "#;

    fn delivered(change: fn(&mut Report)) -> (u8, String) {
        let script = crate::parse(SCRIPT, Path::new("s.toml"), Some(&crate::Machine::Cpus(1)))
            .expect("is right");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let options = ReportOptions {
            format: ReportFormat::Json,
            output: Some(path.clone()),
        };
        let mut report = sample();
        change(&mut report);
        let exit = deliver(
            &mut report,
            &script,
            false,
            &options,
            ColorChoice::Never,
            false,
        )
        .expect("is written");
        (exit, std::fs::read_to_string(path).expect("is there"))
    }

    #[test]
    fn exit_code_and_report_follow_the_expectations() {
        let (exit, json) = delivered(|_| ());
        assert_eq!(exit, EXIT_FINE);
        assert!(json.contains(r#""text": "w0 finish 20 ms""#), "{json}");
        let (exit, _) = delivered(|r| r.works[0].totals.completed = 2);
        assert_eq!(exit, EXIT_FAILED);
    }

    #[test]
    fn an_interrupted_replay_is_not_judged() {
        let (exit, json) = delivered(|r| {
            r.works.clear();
            r.expectations.clear();
            r.interrupted = true;
        });
        assert_eq!(exit, EXIT_INTERRUPTED);
        assert!(json.contains(r#""expectations": []"#), "{json}");
    }

    #[test]
    fn times_on_threads_only_when_asked() {
        let (exit, json) = delivered(|r| {
            r.mode = Mode::Run;
            r.works[0].totals.last_finished_ns = Some(21_000_000);
        });
        assert_eq!(exit, EXIT_FINE);
        assert!(
            json.contains(r#""text": "order of finishes: w0""#),
            "{json}"
        );
    }

    #[test]
    fn a_report_that_cannot_be_written_says_which() {
        let script = crate::parse(SCRIPT, Path::new("s.toml"), Some(&crate::Machine::Cpus(1)))
            .expect("is right");
        let options = ReportOptions {
            output: Some("/nonexistent/r".into()),
            ..ReportOptions::default()
        };
        let error = deliver(
            &mut sample(),
            &script,
            false,
            &options,
            ColorChoice::Never,
            false,
        )
        .expect_err("cannot");
        assert!(
            error
                .to_string()
                .starts_with("cannot write the report /nonexistent/r: ")
        );
    }
}
