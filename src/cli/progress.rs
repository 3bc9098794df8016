//! A bar on standard error while a long run lasts, and a table of times after it.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::streams;
use crate::progress::Progress;
use crate::report::Report;

/// Runs that are shorter show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two pictures.
const PERIOD: Duration = Duration::from_millis(100);

/// Draws until it is dropped; nothing of it is left then.
pub(super) struct Bar(Option<(Sender<()>, JoinHandle<()>)>);

impl Bar {
    /// Starts if somebody sits before the terminal, and nobody else uses it: what reads a pipe may (`| less`).
    pub(super) fn start(progress: &Arc<Progress>) -> Self {
        let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        if !is_wanted(terminal, |name| std::env::var_os(name)) {
            return Self(None);
        }
        let progress = Arc::clone(progress);
        let (sender, end) = mpsc::channel::<()>();
        let draw = move || {
            let go_on = |wait| matches!(end.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
            if !go_on(PATIENCE) {
                return;
            }
            let bar = ProgressBar::new_spinner();
            loop {
                show(&bar, progress.files());
                if !go_on(PERIOD) {
                    break;
                }
            }
            bar.finish_and_clear();
        };
        // Without a thread there is a run all the same.
        let thread = thread::Builder::new().name("progress".into()).spawn(draw);
        Self(thread.ok().map(|thread| (sender, thread)))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

fn show(bar: &ProgressBar, (done, all): (usize, usize)) {
    let template = match all {
        0 => "{spinner} looking for files",
        _ => "{spinner} [{bar:30}] {pos} of {len} files",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_length(all as u64);
    bar.set_position(done as u64);
    bar.tick();
}

/// Is there a terminal that can be drawn on, and people before it?
fn is_wanted(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let dumb = variable("TERM").is_some_and(|term| term == "dumb");
    let ci = variable("CI").is_some_and(|value| !value.is_empty() && value != "false");
    terminal && !dumb && !ci
}

/// Tells how long the parts of a run took, `reporting` of which was writing the report.
pub(super) fn times(report: &Report, reporting: Duration) {
    let times = &report.times;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let line = |name: &str, time: Duration| format!("{name:<16}{:>10.1} ms", ms(time));
    let work = times.frameworks.values();
    let reading = work.clone().map(|work| work.reading).sum();
    let judging = work.map(|work| work.judging).sum();
    let mut lines = vec![
        line("discovering", times.discovering),
        line("checking", times.checking),
        line("  reading", reading),
        line("  judging", judging),
    ];
    if !times.repairing.is_zero() {
        lines.push(line("  repairs", times.repairing));
    }
    lines.push(line("reporting", reporting));
    let all = times.discovering + times.checking + reporting;
    let examined = report.summary.examined;
    let rate = examined as f64 / all.as_secs_f64().max(1e-9);
    lines.push(format!(
        "{} for {examined} files, {rate:.0} files/s",
        line("all", all)
    ));
    for (name, work) in &times.frameworks {
        lines.push(format!(
            "{} reading, {:.1} ms judging",
            line(name, work.reading),
            ms(work.judging)
        ));
    }
    streams::warn(&lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_for_people_only() {
        let with = |name: &'static str, value: &'static str| {
            is_wanted(true, move |asked| (asked == name).then(|| value.into()))
        };
        assert!(is_wanted(true, |_| None));
        assert!(!is_wanted(false, |_| None));
        assert!(!with("CI", "true"));
        assert!(!with("CI", "1"));
        assert!(with("CI", "false"));
        assert!(!with("TERM", "dumb"));
        assert!(with("TERM", "xterm"));
    }
}
