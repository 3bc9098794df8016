//! Settings: what an endpoint's policy says, as written.

use crate::limits::nginx::{MAX_COPIES, MAX_PROXIES};
use std::collections::HashSet;

use super::complex::{Complex, Part};
use super::config::{
    AddHeader, Config, Definition, Effective, Handler, Level, LevelId, LocationId, Map, Matching,
    Module, More, Op, ServerId, SlotId, Test,
};
use super::headers::is_control;
use super::regex::group_names;
use super::variables::{Own, Var, own_name};
use crate::model::{AllowedOrigin, Allows, Decision, Origin, OriginProblem, Setting, Settings};
use crate::source::Span;

/// The settings of an endpoint; where it sends no Access-Control-Allow-Origin itself, those of the
/// server of the same configuration that it proxies to.
pub(super) fn settings(
    config: &Config,
    server: ServerId,
    location: Option<LocationId>,
) -> Settings {
    let mut at = (server, location);
    let own = settings_at(config, server, location);
    let mut settings = Settings::default();
    for _ in 0..MAX_PROXIES {
        let Some(location) = at.1.map(|id| &config.locations[id]) else {
            break;
        };
        if !settings.origins.is_empty() || !own.origins.is_empty() {
            break;
        }
        let Some(Handler::Pass {
            module: Module::Proxy,
            target,
            ..
        }) = &config.levels[location.level].handler
        else {
            break;
        };
        let prefix = match location.matching {
            Matching::Exact | Matching::Prefix { .. } => location.name.as_str(),
            _ => "/",
        };
        let Some(behind) = config.behind(target, prefix) else {
            break;
        };
        settings = settings_at(config, behind.0, behind.1);
        at = behind;
    }
    if settings.origins.is_empty() {
        own
    } else {
        settings
    }
}

fn settings_at(config: &Config, server: ServerId, location: Option<LocationId>) -> Settings {
    let mut collector = Collector {
        config,
        scripts: vec![&config.servers[server].script],
        settings: Settings::default(),
        known: HashSet::new(),
        maps: HashSet::new(),
        slots: HashSet::new(),
        of_origin: HashSet::new(),
        echoes: Vec::new(),
        tested: false,
    };
    let mut levels = Vec::new();
    match location {
        Some(id) => {
            let location = &config.locations[id];
            collector.scripts.push(&location.script);
            levels.push(location.level);
            inner_levels(&location.script, &mut levels);
        }
        None => levels.push(config.servers[server].level),
    }
    collector.of_origin = slots_of_origin(config, &collector.scripts);
    collector.levels(&levels);
    let mut settings = collector.settings;
    settings.inherited = match location {
        Some(_) => levels
            .iter()
            .all(|level| !config.levels[*level].sends_cors()),
        // The headers of a server are those of its locations, too.
        None => !config.servers[server].table.is_empty(),
    };
    settings
}

impl Level {
    /// Does the block itself, and no outer one, set a CORS header?
    pub(super) fn sends_cors(&self) -> bool {
        let more = self.more.iter().map(|more| more.name.as_str());
        let add = self.add_headers.iter().map(|header| header.name.as_str());
        add.chain(more).any(is_control)
    }
}

/// The levels of a script's `if`s.
fn inner_levels(script: &[Op], levels: &mut Vec<LevelId>) {
    for op in script {
        if let Op::If(check) = op {
            levels.extend(check.level);
        }
    }
}

struct Collector<'a> {
    config: &'a Config,
    scripts: Vec<&'a [Op]>,
    settings: Settings,
    /// The entries of `settings.origins`.
    known: HashSet<AllowedOrigin>,
    maps: HashSet<SlotId>,
    slots: HashSet<SlotId>,
    /// Variables that hold the origin or a part of it.
    of_origin: HashSet<SlotId>,
    /// Places that send the request's origin back.
    echoes: Vec<Span>,
    /// Something compares the origin.
    tested: bool,
}

/// A header line that a level sends.
struct Sent<'a> {
    name: &'a str,
    value: &'a Complex,
    span: Span,
}

impl<'a> Collector<'a> {
    fn levels(&mut self, levels: &[LevelId]) {
        let mut seen: HashSet<Span> = HashSet::new();
        let mut allows = false;
        for level in levels {
            for sent in sent(self.config, *level) {
                if !seen.insert(sent.span) {
                    continue;
                }
                if sent
                    .name
                    .eq_ignore_ascii_case("access-control-allow-origin")
                {
                    allows = true;
                    self.value(sent.value, sent.span);
                } else {
                    self.other(&sent);
                }
            }
        }
        if !allows {
            // What the outer blocks meant to allow is lost here, and still meant.
            for header in replaced(self.config, levels) {
                if header
                    .name
                    .eq_ignore_ascii_case("access-control-allow-origin")
                {
                    allows = true;
                    self.value(&header.value, header.value_span.unwrap_or(header.span));
                }
            }
        }
        if !allows {
            return;
        }
        for script in self.scripts.clone() {
            self.conditions(script);
        }
        if !self.tested {
            for span in std::mem::take(&mut self.echoes) {
                self.allow(Allows::Any, span, None, false, false);
            }
        }
    }

    fn other(&mut self, sent: &Sent<'_>) {
        let settings = &mut self.settings;
        let name = sent.name.to_ascii_lowercase();
        let (place, list) = match name.as_str() {
            "access-control-allow-credentials" => (&mut settings.credentials, false),
            "access-control-allow-methods" => (&mut settings.methods, true),
            "access-control-allow-headers" => (&mut settings.headers, true),
            "access-control-expose-headers" => (&mut settings.exposed_headers, true),
            "access-control-max-age" => (&mut settings.max_age, false),
            _ => return,
        };
        let text = sent.value.constant().unwrap_or_default();
        let values = if list {
            text.split(',')
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
                .collect()
        } else {
            vec![text.to_owned()]
        };
        place.get_or_insert(Setting {
            values,
            span: Some(sent.span),
        });
    }

    fn allow(
        &mut self,
        allows: Allows,
        span: Span,
        problem: Option<OriginProblem>,
        negated: bool,
        fixed: bool,
    ) {
        let entry = AllowedOrigin {
            allows,
            span,
            problem,
            negated,
            fixed,
        };
        if self.known.insert(entry.clone()) {
            self.settings.origins.push(entry);
        }
    }

    /// A value of Access-Control-Allow-Origin.
    fn value(&mut self, value: &'a Complex, span: Span) {
        if let Some(text) = value.constant() {
            match first_line(text) {
                "" => {}
                "*" => self.allow(Allows::Any, span, None, false, true),
                text => {
                    let problem = Origin::parse(text).err();
                    self.allow(Allows::Exact(text.to_owned()), span, problem, false, true);
                }
            }
            return;
        }
        if let Some(Part::Variable(Var::Own(path @ (Own::Uri | Own::RequestUri)))) =
            value.parts.first()
        {
            // A path starts with a slash, and so does this.
            let allows = Allows::Exact(own_name(*path).to_owned());
            let problem = Some(OriginProblem::NoScheme);
            self.allow(allows, span, problem, false, true);
            return;
        }
        for part in &value.parts {
            match part {
                Part::Variable(variable) => self.variable(variable, span),
                Part::Placeholder => self.allow(Allows::Unknown, span, None, false, false),
                Part::Text(_) | Part::Capture(_) => {}
            }
        }
    }

    fn variable(&mut self, variable: &'a Var, span: Span) {
        match variable {
            Var::Header(name) if name == "origin" => self.echoes.push(span),
            Var::Undefined(_) => self.allow(Allows::Unknown, span, None, false, false),
            Var::User(slot) => self.slot(*slot, span),
            _ => {}
        }
    }

    fn slot(&mut self, slot: SlotId, span: Span) {
        match self.config.slots[slot].definition {
            Definition::Map(map) => self.map(&self.config.maps[map], true),
            Definition::Opaque => self.allow(Allows::Unknown, span, None, false, false),
            Definition::Set => {
                if !self.slots.insert(slot) {
                    return;
                }
                for script in self.scripts.clone() {
                    for (value, span) in sets(script, slot) {
                        self.value(value, span);
                    }
                }
            }
        }
    }

    /// A map on the way to the header; `sent` if its values are, not only asked for.
    fn map(&mut self, map: &'a Map, sent: bool) {
        if !self.maps.insert(map.slot) {
            return;
        }
        let compares = self.about_origin(&map.source);
        if let Some(variable) = map.source.variable() {
            self.gate(variable);
            if let Var::User(slot) = variable
                && matches!(self.config.slots[*slot].definition, Definition::Opaque)
            {
                self.allow(Allows::Unknown, map.span, None, false, false);
            }
        }
        if compares {
            self.tested = true;
            if let Some(span) = map.unseen {
                self.allow(Allows::Unknown, span, None, false, false);
            }
        }
        let direct = matches!(map.source.variable(), Some(Var::Header(name)) if name == "origin");
        for (at, entry) in map.entries.iter().enumerate() {
            let refuses = matches!(entry.value.constant(), Some("" | "0"));
            if map.default == Some(at) {
                if !refuses {
                    self.default(&entry.value, entry.value_span, sent);
                }
                continue;
            }
            if refuses || !compares {
                if !refuses && sent {
                    self.value(&entry.value, entry.value_span);
                }
                continue;
            }
            if !direct {
                self.predicate(&entry.decision);
                continue;
            }
            self.key(map, at);
        }
    }

    /// What a map does with everybody else.
    fn default(&mut self, value: &'a Complex, span: Span, sent: bool) {
        let echoes = value
            .variables()
            .any(|variable| matches!(variable, Var::Header(name) if name == "origin"));
        if echoes {
            self.allow(Allows::Any, span, None, false, false);
        } else if sent {
            self.value(value, span);
        }
    }

    fn key(&mut self, map: &Map, at: usize) {
        let decision = &map.entries[at].decision;
        let text = decision.text.as_str();
        if decision.pattern {
            let allows = Allows::Pattern(text.to_owned());
            self.allow(allows, decision.span, None, false, false);
            return;
        }
        if super::complex::has_placeholder(text) || text.contains("${") {
            self.allow(Allows::Unknown, decision.span, None, false, false);
            return;
        }
        if map.hostnames {
            let rest = text.strip_prefix('*').unwrap_or(text);
            if rest.starts_with('.') {
                let sample = format!("https://www{rest}");
                let allows = Allows::Predicate(vec![sample]);
                self.allow(allows, decision.span, None, false, false);
                return;
            }
        }
        // Keys are compared without regard to case.
        let lower = text.to_ascii_lowercase();
        let problem = (!text.is_empty())
            .then(|| Origin::parse(&lower).err())
            .flatten();
        if !text.is_empty() {
            self.allow(Allows::Exact(lower), decision.span, problem, false, false);
        }
    }

    /// A key or operand that is compared with more than the origin.
    fn predicate(&mut self, decision: &Decision) {
        if let Some(at) = decision.text.find("http") {
            let constant: String = decision.text[at..]
                .chars()
                .take_while(|character| !character.is_whitespace())
                .collect();
            let allows = Allows::Predicate(vec![constant]);
            self.allow(allows, decision.span, None, false, false);
        }
    }

    fn about_origin(&self, complex: &Complex) -> bool {
        self.config.depends_on_origin(complex, 0)
    }

    /// Conditions about the origin, wherever they stand on the way.
    fn conditions(&mut self, script: &'a [Op]) {
        for op in script {
            let Op::If(check) = op else { continue };
            let refuses = check
                .body
                .iter()
                .any(|op| matches!(op, Op::Return { status, .. } if *status >= 400));
            match &check.condition.test {
                Test::Truthy(variable) => self.gate(variable),
                Test::Equal {
                    variable,
                    value,
                    negated,
                } => {
                    self.gate(variable);
                    if self.is_origin(variable)
                        && let Some(decision) = &check.condition.decision
                    {
                        self.tested = true;
                        let negated = *negated != refuses;
                        match value.constant() {
                            Some("") => {}
                            Some(text) => {
                                let problem = Origin::parse(text).err();
                                let allows = Allows::Exact(text.to_owned());
                                self.allow(allows, decision.span, problem, negated, false);
                            }
                            None => {
                                let span = decision.span;
                                self.allow(Allows::Unknown, span, None, negated, false);
                            }
                        }
                    }
                }
                Test::Match {
                    variable, negated, ..
                } => {
                    self.gate(variable);
                    if self.is_origin(variable)
                        && let Some(decision) = &check.condition.decision
                    {
                        self.tested = true;
                        let negated = *negated != refuses;
                        let allows = Allows::Pattern(decision.text.clone());
                        self.allow(allows, decision.span, None, negated, false);
                    }
                }
                Test::File { .. } | Test::Invalid => {}
            }
            self.conditions(&check.body);
        }
    }

    /// A variable that a condition asks: if a map of the origin makes it, its keys count.
    fn gate(&mut self, variable: &'a Var) {
        if let Var::User(slot) = variable
            && let Definition::Map(map) = self.config.slots[*slot].definition
        {
            let map = &self.config.maps[map];
            if self.about_origin(&map.source) {
                self.map(map, false);
            }
        }
    }

    /// Does the variable hold the origin itself?
    fn is_origin(&self, variable: &Var) -> bool {
        match variable {
            Var::Header(name) => name == "origin",
            Var::User(slot) => self.of_origin.contains(slot),
            _ => false,
        }
    }
}

/// The variables that scripts set to the origin, or to what a test on it captured.
fn slots_of_origin(config: &Config, scripts: &[&[Op]]) -> HashSet<SlotId> {
    let mut found = HashSet::new();
    // One more round for each variable that is made of another one.
    for _ in 0..MAX_COPIES {
        let before = found.len();
        for script in scripts {
            take_origin(config, script, false, &mut found);
        }
        if found.len() == before {
            break;
        }
    }
    found
}

fn take_origin(config: &Config, script: &[Op], captured: bool, found: &mut HashSet<SlotId>) {
    for op in script {
        match op {
            Op::Set { slot, value, .. } => {
                let of_origin = value.parts.iter().any(|part| match part {
                    Part::Variable(Var::Header(name)) => name == "origin",
                    Part::Variable(Var::User(other)) => found.contains(other),
                    Part::Capture(_) => captured,
                    _ => false,
                });
                if of_origin {
                    found.insert(*slot);
                }
            }
            Op::If(check) => {
                let tested = match &check.condition.test {
                    Test::Match {
                        variable, pattern, ..
                    } => match variable {
                        Var::Header(name) => (name == "origin").then_some(pattern),
                        Var::User(slot) => found.contains(slot).then_some(pattern),
                        _ => None,
                    },
                    _ => None,
                };
                for name in tested
                    .into_iter()
                    .flat_map(|pattern| group_names(pattern.text()))
                {
                    found.extend(config.slot_names.get(&name.to_ascii_lowercase()));
                }
                take_origin(config, &check.body, captured || tested.is_some(), found);
            }
            _ => {}
        }
    }
}

/// The values that a script gives a variable.
pub(super) fn sets(script: &[Op], slot: SlotId) -> Vec<(&Complex, Span)> {
    let mut values = Vec::new();
    for op in script {
        match op {
            Op::Set {
                slot: other,
                value,
                span,
            } if *other == slot => values.push((value, *span)),
            Op::If(check) => values.extend(sets(&check.body, slot)),
            _ => {}
        }
    }
    values
}

/// The lines of outer blocks that the own lists of these levels replace.
fn replaced<'a>(config: &'a Config, levels: &[LevelId]) -> Vec<&'a AddHeader> {
    let mut lost = Vec::new();
    for level in levels {
        let mut at = *level;
        while let Effective::Own(owner) = config.levels[at].effective
            && let Some(outside) = config.levels[owner].parent
        {
            lost.extend(
                config
                    .headers(outside)
                    .into_iter()
                    .map(|(_, header)| header),
            );
            at = outside;
        }
    }
    lost
}

/// A value up to a line break that starts another header; a folded line goes on.
fn first_line(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if !rest.starts_with([' ', '\t']) => first.trim_end_matches('\r'),
        _ => text,
    }
}

/// What a level sends: `add_header` and headers-more.
fn sent(config: &Config, level: LevelId) -> Vec<Sent<'_>> {
    let add = config.headers(level).into_iter().map(|(_, header)| {
        let AddHeader {
            name,
            value,
            span,
            value_span,
            ..
        } = header;
        Sent {
            name,
            value,
            span: value_span.unwrap_or(*span),
        }
    });
    let mut all: Vec<Sent<'_>> = add.collect();
    if config.levels[level].has_more {
        for level in config.chain(level) {
            for more in &level.more {
                let More {
                    name,
                    value: Some(value),
                    value_span,
                    ..
                } = more
                else {
                    continue;
                };
                all.push(Sent {
                    name,
                    value,
                    span: *value_span,
                });
            }
        }
    }
    all
}
