//! Deciding rules for endpoints and sites, and writing the findings.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::rc::Rc;
use std::sync::Arc;

use rayon::prelude::*;

use super::ask::Subject;
use super::definition::{Definition, Help, Paths, Place, Texts};
use super::exchange::Exchange;
use super::expression::{Decision, Expression, Scope};
use super::facts::{Fact, FactsRead, Node};
use super::repair::repairs;
use super::site_facts::site_facts;
use super::texts::Writer;
use super::{Compiled, Rule, RuleSet};
use crate::config::Policy;
use crate::limits::rules::judge::MAX_CONDITIONS;
use crate::model::{
    Assumption, Category, Certainty, Condition, Finding, Label, Observation, Severity, Site, World,
};
use crate::source::Span;

/// The fewest endpoints that are worth a thread.
const MIN_SHARE: usize = 64;

/// What came of judging a site.
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings, merged over endpoints, in order of rule and place. Fingerprints are still empty, and
    /// other endpoints are not named yet: [`Judge::merge`].
    pub findings: Vec<Finding>,
    /// Expressions that stayed undecided, by rule: each endpoint counts once.
    pub undecided: BTreeMap<String, usize>,
    /// Endpoints for which some expression stayed undecided.
    pub partly: usize,
    /// Endpoints that were judged.
    pub endpoints: usize,
    /// The facts that the rules read.
    pub facts: FactsRead,
    /// Rules that are wrong, with CEL's words.
    pub wrong: BTreeMap<String, String>,
}

impl Judged {
    fn append(&mut self, part: Self, merged: &mut Merged) {
        for mut finding in part.findings {
            let endpoints = std::mem::take(&mut finding.endpoints);
            merged.add(finding, endpoints);
        }
        for (rule, count) in part.undecided {
            *self.undecided.entry(rule).or_default() += count;
        }
        self.partly += part.partly;
        self.endpoints += part.endpoints;
        self.facts += part.facts;
        self.wrong.extend(part.wrong);
    }
}

/// Decides rules.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    rules: &'a RuleSet,
    pedantic: bool,
    thorough: bool,
    policy: Option<PolicyAt<'a>>,
}

/// The policy of the project that a place belongs to.
type PolicyAt<'a> = &'a (dyn Fn(Span) -> Option<Arc<Policy>> + Sync);

/// Where a rule holds: the element of `each`, in one world and scenario.
#[derive(Clone, Copy, Debug)]
struct Hit {
    /// Its primary place in the endpoint for which it was decided.
    span: Span,
    element: Option<usize>,
    /// Index of the place in `primary`.
    place: Option<usize>,
}

/// A rule's hits in one world and scenario.
#[derive(Default)]
struct Outcome {
    hits: Vec<Hit>,
    undecided: bool,
}

/// One endpoint in all its worlds and scenarios.
struct View<'a> {
    site: &'a dyn Site,
    worlds: Vec<World>,
    /// With the index of the world.
    subjects: Vec<(usize, Subject)>,
    /// The root facts of each subject.
    facts: Vec<Node>,
}

/// What was decided for an endpoint and all that are alike: indexes of rules.
#[derive(Default)]
struct Verdicts {
    held: Vec<(usize, Held)>,
    undecided: Vec<usize>,
}

/// What was decided already, by the hash of what rules can read of an endpoint. Hashing takes as long as some
/// rules, so the hash is a quick one.
#[derive(Default)]
struct Known {
    hashing: foldhash::quality::RandomState,
    verdicts: HashMap<u64, Rc<Verdicts>>,
}

/// One place at which a rule holds, with the first subject that shows it and all that do.
struct Held {
    hit: Hit,
    subjects: Vec<usize>,
}

impl<'a> Judge<'a> {
    /// Judges with `rules`, the pedantic ones included if asked for.
    #[must_use]
    pub const fn new(rules: &'a RuleSet, pedantic: bool) -> Self {
        Self {
            rules,
            pedantic,
            thorough: false,
            policy: None,
        }
    }

    /// Compares every endpoint with the policy for its place.
    #[must_use]
    pub const fn comparing_with(mut self, policy: PolicyAt<'a>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Judges the endpoints of sites without a policy too: the oracle of [`Site::has_policy`].
    #[must_use]
    pub const fn thorough(mut self, thorough: bool) -> Self {
        self.thorough = thorough;
        self
    }

    /// Judges a site: its observations, then every endpoint if the site has a policy at all.
    #[must_use]
    pub fn site(&self, site: &Arc<dyn Site>) -> Judged {
        let mut judged = Judged::default();
        let mut merged = Merged::default();
        self.observations(site.as_ref(), &mut judged, &mut merged);
        let is_judged = self.thorough || site.has_policy();
        let count = if is_judged { site.endpoints().len() } else { 0 };
        let endpoints: Vec<usize> = (0..count).collect();
        judged.endpoints = count;
        // A thread costs more than a few endpoints.
        let parts: Vec<Judged> = if endpoints.len() < 2 * MIN_SHARE {
            vec![self.share(site, &endpoints)]
        } else {
            let share = endpoints.len().div_ceil(rayon::current_num_threads());
            endpoints
                .par_chunks(share.max(MIN_SHARE))
                .map(|share| self.share(site, share))
                .collect()
        };
        for part in parts {
            judged.append(part, &mut merged);
        }
        judged.findings = merged.findings;
        judged
    }

    /// Judges some endpoints of a site; those that are alike, once.
    fn share(&self, site: &Arc<dyn Site>, endpoints: &[usize]) -> Judged {
        let mut judged = Judged::default();
        let mut merged = Merged::default();
        let mut known = Known::default();
        for endpoint in endpoints {
            self.endpoint(site, *endpoint, &mut known, &mut judged, &mut merged);
        }
        judged.findings = merged.findings;
        judged
    }

    /// Merges the findings of several sites, which may share files: one for each rule and primary
    /// place, that names the other endpoints; and none where a rule that tells the same story better
    /// (`unless`) points at the place for another endpoint.
    #[must_use]
    pub fn merge(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut merged = Merged::default();
        for mut finding in findings {
            let endpoints = std::mem::take(&mut finding.endpoints);
            merged.add(finding, endpoints);
        }
        let mut told: HashMap<Span, Vec<&str>> = HashMap::new();
        for finding in &merged.findings {
            for label in std::iter::once(&finding.primary).chain(&finding.related) {
                told.entry(label.span).or_default().push(&finding.rule);
            }
        }
        let better = |finding: &Finding| {
            let unless = self
                .rules
                .get(&finding.rule)
                .map(|rule| &rule.definition.unless);
            let rules = told.get(&finding.primary.span).into_iter().flatten();
            rules
                .into_iter()
                .any(|rule| unless.is_some_and(|unless| unless.iter().any(|other| other == rule)))
        };
        let keep: Vec<bool> = merged
            .findings
            .iter()
            .map(|finding| !better(finding))
            .collect();
        let mut keep = keep.into_iter();
        merged.findings.retain(|_| keep.next().unwrap_or(true));
        merged.findings()
    }

    fn observations(&self, site: &dyn Site, judged: &mut Judged, merged: &mut Merged) {
        if site.observations().is_empty() {
            return;
        }
        let roots = site_facts(site);
        for rule in &self.rules.rules {
            let compiled = match rule.compiled() {
                Ok(compiled) if compiled.site => compiled,
                Ok(_) => continue,
                Err(text) => {
                    judged
                        .wrong
                        .insert(rule.definition.id.clone(), text.to_owned());
                    continue;
                }
            };
            let outcome = self.outcome(rule, compiled, &roots, judged);
            if outcome.undecided {
                *judged
                    .undecided
                    .entry(rule.definition.id.clone())
                    .or_default() += 1;
            }
            for hit in outcome.hits {
                let Some(mut finding) = self.finding(site, rule, compiled, &roots, hit) else {
                    continue;
                };
                if let Some(observation) = hit.element.and_then(|at| site.observations().get(at)) {
                    add_related(&mut finding, observation);
                }
                merged.add(finding, Vec::new());
            }
        }
    }

    fn endpoint(
        &self,
        site: &Arc<dyn Site>,
        endpoint: usize,
        known: &mut Known,
        judged: &mut Judged,
        merged: &mut Merged,
    ) {
        let worlds = worlds(site.conditions().len().min(MAX_CONDITIONS));
        let mut subjects = Vec::new();
        let mut hasher = known.hashing.build_hasher();
        if self.rules.by_path {
            site.endpoints()[endpoint].url.path.hash(&mut hasher);
        }
        let span = site.endpoints()[endpoint].span;
        let policy = self.policy.and_then(|policy| policy(span));
        for (index, world) in worlds.iter().enumerate() {
            for subject in Subject::scenarios(site, endpoint, world, policy.as_ref()) {
                subject.hash(&mut hasher);
                subjects.push((index, subject));
            }
        }
        let view = View {
            site: site.as_ref(),
            facts: subjects
                .iter()
                .map(|(_, subject)| subject.facts())
                .collect(),
            worlds,
            subjects,
        };
        let verdicts = known.verdicts.entry(hasher.finish());
        let verdicts = Rc::clone(verdicts.or_insert_with(|| Rc::new(self.decide(&view, judged))));
        judged.partly += usize::from(!verdicts.undecided.is_empty());
        for rule in &verdicts.undecided {
            let id = self.rules.rules[*rule].definition.id.clone();
            *judged.undecided.entry(id).or_default() += 1;
        }
        for (rule, held) in &verdicts.held {
            if let Some(finding) = self.write(&view, *rule, held) {
                merged.add(finding, vec![site.endpoints()[endpoint].name.clone()]);
            }
        }
    }

    /// Decides all rules for an endpoint.
    fn decide(&self, view: &View<'_>, judged: &mut Judged) -> Verdicts {
        let mut verdicts = Verdicts::default();
        let mut spoke = vec![false; self.rules.rules.len()];
        for (index, rule) in self.rules.rules.iter().enumerate() {
            if rule.unless.iter().any(|other| spoke[*other]) {
                continue;
            }
            let compiled = match rule.compiled() {
                Ok(compiled) if !compiled.site => compiled,
                Ok(_) => continue,
                Err(text) => {
                    let id = rule.definition.id.clone();
                    judged.wrong.insert(id, text.to_owned());
                    continue;
                }
            };
            let facts = view.facts.iter();
            let outcomes: Vec<Outcome> = facts
                .map(|roots| self.outcome(rule, compiled, roots, judged))
                .collect();
            let held = combine(
                rule.definition.category,
                &view.worlds,
                &view.subjects,
                &outcomes,
            );
            if held.is_empty() && outcomes.iter().any(|outcome| outcome.undecided) {
                verdicts.undecided.push(index);
            }
            for held in held {
                if self.write(view, index, &held).is_some() {
                    spoke[index] = true;
                    verdicts.held.push((index, held));
                }
            }
        }
        for roots in &view.facts {
            roots.count(&mut judged.facts);
        }
        verdicts
    }

    /// Writes what was decided at this endpoint's own places.
    fn write(&self, view: &View<'_>, rule: usize, held: &Held) -> Option<Finding> {
        let rule = &self.rules.rules[rule];
        let compiled = rule.compiled().ok()?;
        let roots = &view.facts[*held.subjects.first()?];
        let mut finding = self.finding(view.site, rule, compiled, roots, held.hit)?;
        let development = self.condition(view, &held.subjects, &mut finding);
        (!development || !rule.definition.silent_in_development).then_some(finding)
    }

    /// Decides one rule over one set of facts.
    fn outcome(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        roots: &Node,
        judged: &mut Judged,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut decide = |element: Option<(usize, &Node)>| {
            let scope = Scope {
                roots,
                each: element.map(|(_, node)| node),
            };
            match compiled.when.decide(self.rules.context(), &scope) {
                Decision::Holds => {
                    let (place, span) = match self.primary(rule, scope) {
                        Some((place, span)) => (Some(place), Some(span)),
                        None => (None, scope.path("endpoint").and_then(|node| node.span)),
                    };
                    if let Some(span) = span {
                        outcome.hits.push(Hit {
                            span,
                            element: element.map(|(index, _)| index),
                            place,
                        });
                    }
                }
                Decision::Fails => {}
                Decision::Undecided => outcome.undecided = true,
                Decision::Wrong(words) => {
                    judged.wrong.insert(rule.definition.id.clone(), words);
                }
            }
        };
        match &compiled.each {
            None => decide(None),
            Some(path) => {
                let scope = Scope { roots, each: None };
                match scope.path(path).map(|node| &node.fact) {
                    Some(Fact::List(list)) => {
                        for element in list.0.iter().enumerate() {
                            decide(Some(element));
                        }
                    }
                    Some(_) => {}
                    None => outcome.undecided = true,
                }
            }
        }
        outcome
    }

    /// The primary place: its index in the rule, and where it is.
    fn primary(&self, rule: &Rule, scope: Scope<'_>) -> Option<(usize, Span)> {
        let writer = self.writer(rule, scope)?;
        let places = rule.definition.primary.as_slice().iter().enumerate();
        places
            .filter(|(_, entry)| entry.when.as_deref().is_none_or(|when| writer.holds(when)))
            .find_map(|(index, entry)| Some((index, place(&entry.at, &scope, false)?)))
    }

    fn writer<'s>(&self, rule: &Rule, scope: Scope<'s>) -> Option<Writer<'s>>
    where
        'a: 's,
    {
        Some(Writer {
            context: self.rules.context(),
            scope,
            names: rule.names().ok()?,
        })
    }

    /// Writes the finding of one hit; `None` if it is not to be reported.
    fn finding(
        &self,
        site: &dyn Site,
        rule: &Rule,
        compiled: &Compiled,
        roots: &Node,
        hit: Hit,
    ) -> Option<Finding> {
        let definition = &rule.definition;
        let each = match (&compiled.each, hit.element) {
            (Some(path), Some(index)) => {
                let list = Scope { roots, each: None }.path(path)?;
                list.step(&index.to_string())
            }
            _ => None,
        };
        let scope = Scope { roots, each };
        let holds =
            |when: &Expression| when.decide(self.rules.context(), &scope) == Decision::Holds;
        if !self.pedantic && compiled.pedantic.as_ref().is_some_and(holds) {
            return None;
        }
        let severity = compiled.severity.iter();
        let severity = severity
            .filter(|(when, _)| when.as_ref().is_none_or(holds))
            .map(|(_, severity)| *severity)
            .next()?;
        let writer = self.writer(rule, scope)?;
        let primary = hit
            .place
            .and_then(|at| definition.primary.as_slice().get(at));
        let span = match primary {
            Some(primary) => place(&primary.at, &scope, false)?,
            None => scope.path("endpoint")?.span?,
        };
        let exchange = definition
            .request
            .as_deref()
            .and_then(|path| scope.path(path))
            .or_else(|| exchange_of(&primary?.at, &scope))
            .and_then(Node::exchange);
        Some(Finding {
            rule: definition.id.clone(),
            category: definition.category,
            severity,
            certainty: Certainty::Certain,
            message: writer
                .texts(&definition.message)
                .unwrap_or_else(|| definition.id.replace('-', " ")),
            primary: Label {
                span,
                text: primary
                    .map(|place| label_text(place, &writer))
                    .unwrap_or_default(),
            },
            related: related(definition, &writer, span),
            notes: notes(definition, &writer, exchange),
            help: definition
                .help
                .as_ref()
                .and_then(|help| help_text(help, site.framework(), site.dialect(span), &writer)),
            fixes: Vec::new(),
            repairs: repairs(definition, site.framework(), &writer),
            request: exchange.map(Exchange::shown_request),
            conditions: Vec::new(),
            assumes: Vec::new(),
            fingerprint: String::new(),
            endpoints: Vec::new(),
        })
    }

    /// Adds what the finding rests on; does all of that hold only while developing?
    fn condition(&self, view: &View<'_>, holding: &[usize], finding: &mut Finding) -> bool {
        let (conditions, subjects) = (view.site.conditions(), &view.subjects);
        let holding_worlds: Vec<&World> = holding
            .iter()
            .map(|at| &view.worlds[subjects[*at].0])
            .collect();
        finding.conditions = needed_conditions(conditions, &view.worlds, &holding_worlds);
        let needs_development = |world: &&World| {
            let mut conditions = conditions.iter().zip(&world.holds);
            conditions.any(|(condition, holds)| condition.development && *holds)
        };
        let development =
            !holding_worlds.is_empty() && holding_worlds.iter().all(needs_development);
        if development {
            finding.severity = Severity::Note;
        }
        finding.assumes = needed_assumptions(subjects, holding);
        if !finding.conditions.is_empty() || !finding.assumes.is_empty() {
            finding.certainty = Certainty::Conditional;
        }
        development
    }
}

/// All assignments of `count` conditions.
pub(crate) fn worlds(count: usize) -> Vec<World> {
    (0..1_usize << count)
        .map(|bits| World {
            holds: (0..count).map(|at| bits >> at & 1 == 1).collect(),
        })
        .collect()
}

/// The places at which a rule holds, by its category: inside one world a security rule needs one
/// scenario and every other rule all; security and broken need one world, the rest all worlds.
fn combine(
    category: Category,
    worlds: &[World],
    subjects: &[(usize, Subject)],
    outcomes: &[Outcome],
) -> Vec<Held> {
    let mut places: Vec<Held> = Vec::new();
    let mut known: HashMap<Span, usize> = HashMap::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        for hit in &outcome.hits {
            let at = *known.entry(hit.span).or_insert_with(|| {
                places.push(Held {
                    hit: *hit,
                    subjects: Vec::new(),
                });
                places.len() - 1
            });
            if places[at].subjects.last() != Some(&index) {
                places[at].subjects.push(index);
            }
        }
    }
    let in_world = |held: &Held, world: usize| {
        let of_world = |at: &&usize| subjects[**at].0 == world;
        let holding = held.subjects.iter().filter(of_world).count();
        let scenarios = subjects.iter().filter(|(index, _)| *index == world).count();
        match category {
            Category::Security => holding > 0,
            _ => holding > 0 && holding == scenarios,
        }
    };
    places.retain_mut(|held| {
        let holding: Vec<usize> = (0..worlds.len())
            .filter(|world| in_world(held, *world))
            .collect();
        held.subjects
            .retain(|at| holding.contains(&subjects[*at].0));
        match category {
            Category::Security | Category::Broken => !holding.is_empty(),
            Category::NoEffect | Category::Hygiene => holding.len() == worlds.len(),
        }
    });
    places
}

/// The conditions that have one value in all holding worlds, and on which it depends.
fn needed_conditions(
    conditions: &[Condition],
    worlds: &[World],
    holding: &[&World],
) -> Vec<(Condition, bool)> {
    let mut needed = Vec::new();
    for (at, condition) in conditions.iter().enumerate().take(MAX_CONDITIONS) {
        let mut values = holding.iter().filter_map(|world| world.holds.get(at));
        let Some(value) = values.next() else { continue };
        let constant = values.all(|other| other == value);
        let has_other = worlds
            .iter()
            .any(|world| world.holds.get(at) != Some(value));
        if constant && has_other {
            needed.push((condition.clone(), *value));
        }
    }
    // "`A` is "1"" says that `A` is set as well.
    let texts: Vec<String> = needed
        .iter()
        .filter(|(_, holds)| *holds)
        .map(|(condition, _)| condition.text.clone())
        .collect();
    needed.retain(|(condition, holds)| !(*holds && is_implied(&condition.text, &texts)));
    needed
}

/// Does one of several conditions that hold say what a variable is, where `text` says that it is set?
fn is_implied(text: &str, texts: &[String]) -> bool {
    let Some(name) = text.strip_suffix(" is set") else {
        return false;
    };
    texts.iter().any(|other| {
        let value = other.strip_prefix(name);
        let value = value.and_then(|rest| rest.strip_prefix(" is "));
        value.is_some_and(|value| value != "set" && !value.starts_with("not "))
    })
}

/// The request conditions that have one value in all holding subjects, of those that vary.
fn needed_assumptions(subjects: &[(usize, Subject)], holding: &[usize]) -> Vec<Assumption> {
    let Some(first) = holding.first() else {
        return Vec::new();
    };
    let mut needed = subjects[*first].1.scenario().to_vec();
    needed.retain(|assumption| {
        let constant = holding
            .iter()
            .all(|at| subjects[*at].1.scenario().contains(assumption));
        let other = |(_, subject): &(usize, Subject)| !subject.scenario().contains(assumption);
        constant && subjects.iter().any(other)
    });
    needed
}

pub(super) fn paths(paths: &Paths) -> &[String] {
    match paths {
        Paths::One(path) => std::slice::from_ref(path),
        Paths::Many(paths) => paths,
    }
}

/// The first path that leads to a place.
fn place(at: &Paths, scope: &Scope<'_>, wide: bool) -> Option<Span> {
    paths(at).iter().find_map(|path| {
        let node = scope.path(path)?;
        if wide {
            node.wide.or(node.span)
        } else {
            node.span
        }
    })
}

/// The exchange that the first usable path goes through.
fn exchange_of<'a>(at: &Paths, scope: &Scope<'a>) -> Option<&'a Node> {
    paths(at).iter().find_map(|path| {
        let node = scope.path(path)?;
        node.span?;
        let mut prefix = path.as_str();
        loop {
            let node = scope.path(prefix)?;
            if node.exchange().is_some() {
                return Some(node);
            }
            prefix = prefix.rsplit_once(['.', '['])?.0;
        }
    })
}

fn label_text(place: &Place, writer: &Writer<'_>) -> String {
    place
        .text
        .as_ref()
        .and_then(|texts| writer.texts(texts))
        .unwrap_or_default()
}

fn related(definition: &Definition, writer: &Writer<'_>, primary: Span) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for entry in &definition.related {
        if !entry.when.as_deref().is_none_or(|when| writer.holds(when)) {
            continue;
        }
        let Some(span) = place(&entry.at, &writer.scope, true) else {
            continue;
        };
        let text = label_text(entry, writer);
        // A label around the primary one would only draw over it.
        let encloses = span.to(primary) == span && span.file == primary.file;
        if !encloses && !text.is_empty() && !labels.iter().any(|label| label.span == span) {
            labels.push(Label { span, text });
        }
    }
    labels
}

/// The rule's own notes, and what the browser prints where it blocks.
fn notes(definition: &Definition, writer: &Writer<'_>, exchange: Option<&Exchange>) -> Vec<String> {
    let notes = definition.notes.iter();
    let mut notes: Vec<String> = notes.filter_map(|note| writer.text(note)).collect();
    if definition.category == Category::Broken
        && let Some(text) = exchange.and_then(Exchange::console)
    {
        notes.push(format!("Chrome prints: {text}"));
    }
    notes
}

fn help_text(
    help: &Help,
    framework: &str,
    dialect: Option<&str>,
    writer: &Writer<'_>,
) -> Option<String> {
    let texts: &Texts = match help {
        Help::Any(texts) => texts,
        Help::PerFramework(map) => dialect
            .and_then(|dialect| map.get(dialect))
            .or_else(|| map.get(framework))
            .or_else(|| map.get("any"))?,
    };
    writer.texts(texts).map(|text| text.trim().to_owned())
}

fn add_related(finding: &mut Finding, observation: &Observation) {
    for (span, text) in &observation.related {
        if *span != finding.primary.span {
            finding.related.push(Label {
                span: *span,
                text: text.clone(),
            });
        }
    }
}

/// Findings with equal rule and primary span are one.
#[derive(Default)]
struct Merged {
    findings: Vec<Finding>,
    known: HashMap<(String, Span), usize>,
}

impl Merged {
    fn add(&mut self, mut finding: Finding, endpoints: Vec<String>) {
        let key = (finding.rule.clone(), finding.primary.span);
        let index = *self.known.entry(key).or_insert_with(|| {
            finding.endpoints.clear();
            self.findings.push(finding.clone());
            self.findings.len() - 1
        });
        let kept = &mut self.findings[index];
        if finding.severity > kept.severity {
            let endpoints = std::mem::take(&mut kept.endpoints);
            *kept = finding;
            kept.endpoints = endpoints;
        }
        kept.endpoints.extend(endpoints);
    }

    fn findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        for finding in &mut findings {
            let more = finding.endpoints.get(1..).unwrap_or_default();
            match more {
                [] => {}
                [one] => finding.notes.push(format!("also in {one}")),
                [first, rest @ ..] => finding
                    .notes
                    .push(format!("also in {first} and {} more", rest.len())),
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_that_a_variable_is_set() {
        let texts = |others: &[&str]| {
            others
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(is_implied(
            "`A` is set",
            &texts(&["`A` is set", "`A` is \"1\""])
        ));
        assert!(is_implied("A is set", &texts(&["A is on"])));
        assert!(!is_implied("`A` is set", &texts(&["`A` is set"])));
        assert!(!is_implied("`A` is set", &texts(&["`B` is \"1\""])));
        assert!(!is_implied("`A` is set", &texts(&["`A` is not \"1\""])));
        assert!(!is_implied("`A` is \"1\"", &texts(&["`A` is set"])));
    }
}
