//! How far a run is, and how long its parts took.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How far a run is; others may look while it lasts.
#[derive(Debug, Default)]
pub struct Progress {
    all: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// Files are found: this many belong to projects.
    pub(crate) fn found(&self, files: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.all.store(files, Ordering::Relaxed);
    }

    /// A project of this many files has been read and judged.
    pub(crate) fn judged(&self, files: usize) {
        self.done.fetch_add(files, Ordering::Relaxed);
    }

    /// How many files of projects were judged, and how many there are: none while they are searched.
    #[must_use]
    pub fn files(&self) -> (usize, usize) {
        let all = self.all.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(all), all)
    }
}

/// How long the parts of a run took.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Looking for files and into them, on the clock.
    pub discovering: Duration,
    /// All that follows until the findings are there, on the clock: reading, judging, suppressions,
    /// the baseline, and of repairs the search for them and their rounds.
    pub checking: Duration,
    /// Reading files as sites and judging these, by framework. Projects are worked on side by side: the
    /// sum over them may be more than passes on the clock. Of a run that repairs, the last round.
    pub frameworks: BTreeMap<&'static str, Work>,
    /// Looking for repairs and trying them on copies, the sum over projects.
    pub repairing: Duration,
}

/// Work of one framework.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Reading files.
    pub reading: Duration,
    /// Judging sites.
    pub judging: Duration,
}

impl Times {
    /// Adds the work of another part of the run.
    pub(crate) fn append(&mut self, part: Self) {
        for (name, work) in part.frameworks {
            self.add(name, work);
        }
        self.repairing += part.repairing;
    }

    /// Adds work of a framework.
    pub(crate) fn add(&mut self, name: &'static str, work: Work) {
        let all = self.frameworks.entry(name).or_default();
        all.reading += work.reading;
        all.judging += work.judging;
    }
}
