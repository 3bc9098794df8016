//! Offering and applying the repairs of findings.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Looked, Run};
use crate::config::Policy;
use crate::discover::Project;
use crate::fixes::Fixing;
use crate::fixes::apply::{self, Changed, Fixed};
use crate::fixes::grade::{Effect, Known};
use crate::fixes::make::{self, Way};
use crate::limits::fixes::{MAX_COPIES, MAX_FILES_OFFERING, MAX_ROUNDS};
use crate::model::{Edit, Finding, Severity};
use crate::report::Report;
use crate::source::{FileId, SourceFile, Sources, Span};

/// A finding's rule, with the start of its primary place.
type Key = (String, FileId, u32);

impl Run<'_> {
    /// Gives findings the fixes that an edited copy of the project has shown to be right.
    pub(super) fn offer(
        &self,
        project: &Project,
        looked: &Looked,
        sources: &Sources,
        findings: &mut [Finding],
    ) {
        let ways = findings.iter().map(|finding| {
            let mut ways = make::ways(finding, sources);
            ways.retain(|way| may_edit(project, way, sources));
            ways
        });
        let ways: Vec<Vec<Way>> = ways.collect();
        if ways.iter().all(Vec::is_empty) {
            return;
        }
        let policy = |span: Span| -> Option<Arc<Policy>> {
            let settings = self.configs.of_file(sources.get(span.file).path())?;
            settings.policy().map(Arc::clone)
        };
        let known = looked.sites.iter().map(|sites| Known::ask(sites, &policy));
        let Some(known) = known.collect::<Option<Vec<Known>>>() else {
            return;
        };
        let mut trial = Trial {
            run: self,
            project,
            looked,
            sources,
            known,
            copies: 0,
            most: match self.options.fix {
                Fixing::Offer => {
                    (MAX_FILES_OFFERING / project.files.len().max(1)).clamp(1, MAX_COPIES)
                }
                _ => MAX_COPIES,
            },
        };
        let mut rules: Vec<&str> = Vec::new();
        for finding in findings.iter() {
            if !rules.contains(&finding.rule.as_str()) {
                rules.push(&finding.rule);
            }
        }
        let rules: Vec<String> = rules.into_iter().map(str::to_owned).collect();
        for rule in rules {
            let candidates = (0..findings.len())
                .filter(|at| findings[*at].rule == rule && !ways[*at].is_empty());
            let candidates: Vec<usize> = candidates.collect();
            trial.group(&candidates, &ways, findings);
        }
    }

    /// Applies the fixes of a project's findings again and again, until none is left, to texts in
    /// memory.
    pub(super) fn fix(
        &self,
        projects: &mut [Project],
        sources: Sources,
        start: &dyn Fn() -> Report,
    ) -> Result<(Report, Sources), super::Error> {
        let mut sources = sources;
        let mut report = self.judge(projects, &sources, start())?;
        if !self.options.fix.applies() {
            return Ok((report, sources));
        }
        let all = self.options.fix == Fixing::All;
        let mut originals: HashMap<FileId, Arc<SourceFile>> = HashMap::new();
        let mut fixed = Fixed::default();
        for _ in 0..MAX_ROUNDS {
            let mut chosen = apply::choose(&report.findings, all);
            if chosen.is_empty() {
                break;
            }
            // Each was tried alone or with those of its rule; together they may be in each other's way.
            let (next, texts) = loop {
                let edits = chosen.iter().flat_map(|(_, fix)| &fix.edits);
                let (texts, _) = apply::edited(&sources, edits);
                let copy = sources.edited(&texts);
                for found in projects.iter_mut().flat_map(|project| &mut project.files) {
                    found.file = copy.get(found.file.id());
                }
                let next = self.judge(projects, &copy, start())?;
                if chosen.len() == 1 || !is_worse(&report, &next) {
                    break ((next, copy), texts);
                }
                chosen.truncate(1);
            };
            for (rule, _) in &chosen {
                *fixed.rules.entry((*rule).to_owned()).or_default() += 1;
            }
            for id in texts.keys() {
                originals.entry(*id).or_insert_with(|| sources.get(*id));
            }
            (report, sources) = next;
        }
        let changed = originals.into_values().map(|before| Changed {
            after: sources.get(before.id()).text().to_owned(),
            base: base_of(projects, &before),
            before,
        });
        fixed.files = changed
            .filter(|file| file.after != file.before.text())
            .collect();
        fixed
            .files
            .sort_by(|a, b| a.before.path().cmp(b.before.path()));
        report.fixed = Some(fixed);
        Ok((report, sources))
    }
}

/// Does a rule find more than before, and no mere notes?
fn is_worse(before: &Report, after: &Report) -> bool {
    let count = |report: &Report| {
        let mut count: HashMap<String, usize> = HashMap::new();
        let findings = report.findings.iter();
        for finding in findings.filter(|finding| finding.severity > Severity::Note) {
            *count.entry(finding.rule.clone()).or_default() += 1;
        }
        count
    };
    let before = count(before);
    count(after)
        .iter()
        .any(|(rule, number)| before.get(rule).is_none_or(|known| known < number))
}

fn base_of(projects: &[Project], file: &SourceFile) -> std::path::PathBuf {
    let around = projects
        .iter()
        .filter(|project| file.path().starts_with(&project.base));
    let nearest = around.max_by_key(|project| project.base.as_os_str().len());
    nearest.map_or_else(|| file.path().to_path_buf(), |project| project.base.clone())
}

/// Only what was named is changed, and nothing out of the project.
fn may_edit(project: &Project, way: &Way, sources: &Sources) -> bool {
    way.fix.edits.iter().all(|edit| {
        let file = sources.get(edit.span.file);
        let path = file.path();
        path.starts_with(&project.base) && (!project.partial || project.names(path))
    })
}

/// Reading edited copies of a project.
struct Trial<'a, 'r> {
    run: &'a Run<'r>,
    project: &'a Project,
    looked: &'a Looked,
    sources: &'a Sources,
    /// One for each deployment.
    known: Vec<Known>,
    copies: usize,
    /// So many copies are read.
    most: usize,
}

impl Trial<'_, '_> {
    /// Grades the ways of findings of one rule. All of the first ways together take one copy; if that
    /// is not harmless, each half is tried, and at last each way alone. Repairs of one rule all go the
    /// same way (they only open, or only close), so none can make up for the harm of another.
    fn group(&mut self, candidates: &[usize], ways: &[Vec<Way>], findings: &mut [Finding]) {
        match candidates {
            [] => {}
            [one] => self.single(&mut findings[*one], &ways[*one]),
            _ => {
                let firsts: Vec<&Way> = candidates.iter().map(|at| &ways[*at][0]).collect();
                let doubtful = firsts.iter().any(|way| way.doubtful);
                let apart = !touch(&firsts);
                if apart && !doubtful {
                    let targets: Vec<&Finding> =
                        candidates.iter().map(|at| &findings[*at]).collect();
                    if self.grade(&targets, &firsts) == Some(Effect::Harmless) {
                        for at in candidates {
                            let mut fix = ways[*at][0].fix.clone();
                            fix.safe = true;
                            findings[*at].fixes.push(fix);
                        }
                        return;
                    }
                }
                let (left, right) = candidates.split_at(candidates.len() / 2);
                self.group(left, ways, findings);
                self.group(right, ways, findings);
            }
        }
    }

    /// Takes the first way that is safe, or else the first one that mends it at all.
    fn single(&mut self, finding: &mut Finding, ways: &[Way]) {
        let mut second = None;
        for way in ways {
            match self.grade(&[finding], &[way]) {
                Some(Effect::Harmless) if !way.doubtful => {
                    let mut fix = way.fix.clone();
                    fix.safe = true;
                    finding.fixes.push(fix);
                    return;
                }
                Some(Effect::Harmless | Effect::Narrows) => second = second.or(Some(way)),
                Some(Effect::Harmful) | None => {}
            }
        }
        finding.fixes.extend(second.map(|way| way.fix.clone()));
    }

    /// What the ways do together; `None` if they do not mend their findings, make others that are as
    /// bad, or leave a file that cannot be read. A note that comes up in the place of something worse
    /// is for people to decide about.
    fn grade(&mut self, targets: &[&Finding], ways: &[&Way]) -> Option<Effect> {
        if self.copies == self.most {
            return None;
        }
        self.copies += 1;
        let edits = ways.iter().flat_map(|way| &way.fix.edits);
        let (texts, shifts) = apply::edited(self.sources, edits);
        let copy = self.sources.edited(&texts);
        if !ways.iter().all(|way| way.parses(self.sources, &copy)) {
            return None;
        }
        let files = self.project.files.iter();
        let files: Vec<_> = files.map(|found| copy.get(found.file.id())).collect();
        // Who reads the same language may read the changed file.
        let read_by: HashSet<&str> = ways.iter().map(|way| family(way.framework)).collect();
        let reads = |framework: &str| read_by.contains(family(framework));
        let looked = self.run.look(self.project, &files, &copy, &reads).ok()?;
        // A rule that cannot tell any more is no rule that finds nothing.
        let unsure = |finding: &&Finding| {
            looked.undecided.get(&finding.rule) > self.looked.undecided.get(&finding.rule)
        };
        if targets.iter().any(unsure) {
            return None;
        }
        let moved = |finding: &Finding| -> Key {
            let span = finding.primary.span;
            let start = shifts.place(span.file, span.start);
            (finding.rule.clone(), span.file, start)
        };
        let before: HashSet<Key> = self.looked.findings.iter().map(moved).collect();
        let gone: HashSet<Key> = targets.iter().copied().map(moved).collect();
        let rules: HashSet<&str> = targets
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        let count = |findings: &[Finding]| {
            let same = findings.iter();
            same.filter(|finding| rules.contains(finding.rule.as_str()))
                .count()
        };
        // A rule that shows one place of several has another one to show afterwards.
        let fewer = count(&looked.findings) <= count(&self.looked.findings);
        let is_repaired = |span: Span| {
            let mut about = ways.iter().flat_map(|way| &way.about);
            about.any(|about| {
                let place = |byte| shifts.place(about.file, byte);
                let (start, end) = (place(about.start), place(about.end));
                about.file == span.file && (start..=end).contains(&span.start)
            })
        };
        let mut effect = Effect::Harmless;
        let all_notes = targets
            .iter()
            .all(|finding| finding.severity == Severity::Note);
        for finding in &looked.findings {
            let span = finding.primary.span;
            let key = (finding.rule.clone(), span.file, span.start);
            if gone.contains(&key) {
                return None;
            }
            if before.contains(&key) {
                continue;
            }
            if rules.contains(finding.rule.as_str()) && fewer && !is_repaired(span) {
                continue;
            }
            if finding.severity > Severity::Note || all_notes {
                return None;
            }
            effect = Effect::Narrows;
        }
        for (known, sites) in self.known.iter().zip(&looked.sites) {
            effect = effect.max(known.compare(sites, &reads));
        }
        Some(effect)
    }
}

/// Frameworks that read files of the same languages.
fn family(framework: &str) -> &str {
    match framework {
        "django" | "flask" | "starlette" => "python",
        other => other,
    }
}

/// Does one way change what another one changes?
fn touch(ways: &[&Way]) -> bool {
    let edits: Vec<(usize, &Edit)> = ways
        .iter()
        .enumerate()
        .flat_map(|(index, way)| way.fix.edits.iter().map(move |edit| (index, edit)))
        .collect();
    let mut sorted = edits;
    sorted.sort_by_key(|(_, edit)| (edit.span.file, edit.span.start, edit.span.end));
    sorted.windows(2).any(|pair| {
        let [(one, a), (other, b)] = pair else {
            return false;
        };
        one != other && a.span.file == b.span.file && b.span.start <= a.span.end && a != b
    })
}
