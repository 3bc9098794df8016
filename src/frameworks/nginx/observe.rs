//! Observations: what reading a configuration shows and no response does.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;

use super::compile::{Context, is_harmless};
use super::complex::{Piece, has_placeholder, pieces};
use super::config::{Condition, Config, Handler, LevelId, LevelKind, Op, Test};
use super::include::{Expanded, Library};
use super::settings::sets;
use super::variables::{Own, Var};
use crate::model::{Observation, ObservationKind as Kind};
use crate::source::Span;
use crate::spelling::misspelt_header;
use crate::syntax::nginx::check::{Scope, check};
use crate::syntax::nginx::table;
use crate::syntax::nginx::{Body, Directive, Word};

/// Variables that name the server itself, whatever the client sends.
const OWN_NAMES: [&str; 8] = [
    "scheme",
    "host",
    "http_host",
    "hostname",
    "server_name",
    "server_port",
    "proxy_host",
    "proxy_port",
];

/// Everything worth telling about a configuration.
pub(super) fn observe(
    config: &Config,
    context: Context,
    expanded: &Expanded,
    library: &mut Library,
) -> Vec<Observation> {
    let mut observer = Observer {
        config,
        told: HashSet::new(),
        observations: Vec::new(),
    };
    for file in &expanded.files {
        if is_template(file.path()) {
            continue;
        }
        for error in &library.parsed(file).errors {
            let text = format!("nginx refuses this: {}", error.message);
            observer.tell(Kind::Syntax, error.span, "", &text);
        }
    }
    for (span, path) in &expanded.loops {
        let text = format!("nginx refuses this: `{path}` includes itself");
        observer.tell(Kind::Syntax, *span, "", &text);
    }
    if let Some(scope) = scope(context, expanded) {
        for error in check(&expanded.directives, scope) {
            let text = format!("nginx refuses this: {}", error.message);
            observer.tell(Kind::Syntax, error.span, "", &text);
        }
    }
    let mut maps = Vec::new();
    observer.directives(&expanded.directives, &mut maps);
    observer.overridden(&maps);
    if is_whole(config, context, expanded) {
        observer.unattached(&maps, library);
    }
    for server in &config.servers {
        observer.script(&server.script);
    }
    for location in &config.locations {
        observer.script(&location.script);
    }
    observer.cleared();
    observer.observations
}

/// Where the directives of a file stand, if that is certain: a fragment's context is known by its
/// locations only (`server` blocks are there in `stream`, too), and a template is not yet nginx's.
fn scope(context: Context, expanded: &Expanded) -> Option<Scope> {
    let is_location = |directive: &Directive| directive.name.text == "location";
    let has_location = |directive: &Directive| match &directive.body {
        Body::Block(inner) => directive.name.text == "server" && inner.iter().any(is_location),
        _ => false,
    };
    let top = &expanded.directives;
    let context = match context {
        Context::Main => table::Context::Main,
        Context::Http if top.iter().any(has_location) => table::Context::Http,
        Context::Server if top.iter().any(is_location) => table::Context::Server,
        _ => return None,
    };
    let template = expanded.template || expanded.files.iter().any(|file| is_template(file.path()));
    (!template).then_some(Scope {
        context,
        complete: context == table::Context::Main && expanded.missing.is_empty(),
    })
}

/// Does the file's name say that something else makes a configuration from it?
pub(super) fn is_template(path: &Path) -> bool {
    const ENDINGS: [&str; 14] = [
        "ejs", "envsubst", "epp", "erb", "gotmpl", "hbs", "in", "j2", "jinja", "jinja2",
        "mustache", "template", "tmpl", "tpl",
    ];
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

struct Observer<'a> {
    config: &'a Config,
    /// A file that is included twice is told of once.
    told: HashSet<(Kind, Span)>,
    observations: Vec<Observation>,
}

impl Observer<'_> {
    /// Adds an observation, and gives it for further facts unless it is known already.
    fn tell(&mut self, kind: Kind, span: Span, name: &str, text: &str) -> Option<&mut Observation> {
        if !self.told.insert((kind, span)) {
            return None;
        }
        // nginx stops at the first that it refuses; the rest may only follow from it.
        let refused = |known: &Observation| known.kind == kind && known.span.file == span.file;
        if kind == Kind::Syntax && self.observations.iter().any(refused) {
            return None;
        }
        self.observations.push(Observation {
            kind,
            span,
            name: name.to_owned(),
            text: text.to_owned(),
            suggestion: None,
            related: Vec::new(),
            severe: false,
        });
        self.observations.last_mut()
    }

    fn suggest(
        &mut self,
        kind: Kind,
        span: Span,
        name: &str,
        text: &str,
        suggestion: Option<String>,
    ) {
        if let Some(observation) = self.tell(kind, span, name, text) {
            observation.suggestion = suggestion;
        }
    }

    /// Looks at every directive; collects the maps.
    fn directives<'d>(&mut self, tree: &'d [Directive], maps: &mut Vec<&'d Directive>) {
        for directive in tree {
            match directive.name.text.as_str() {
                "map" => {
                    maps.push(directive);
                    self.keys(directive);
                    continue;
                }
                "add_header" => self.add_header(directive),
                "add_trailer" => self.add_trailer(directive),
                "more_set_headers" => self.more_set_headers(directive),
                "proxy_set_header" | "grpc_set_header" => self.request_header(directive),
                "proxy_hide_header"
                | "fastcgi_hide_header"
                | "uwsgi_hide_header"
                | "scgi_hide_header"
                | "grpc_hide_header" => self.hide_header(directive),
                _ => {}
            }
            if let Body::Block(inner) = &directive.body {
                self.directives(inner, maps);
            }
        }
    }

    /// `add_header Name: value`, `add_header 'Name: value'` and `add_header $name value`.
    fn add_header(&mut self, directive: &Directive) {
        let [name, rest @ ..] = directive.args.as_slice() else {
            return;
        };
        let text = name.text.as_str();
        if let Some(variable) = text.strip_prefix('$')
            && let Some(meant) = self.constant(variable)
            && is_cors(meant)
        {
            let words: Vec<String> = rest.iter().map(written).collect();
            let suggestion = format!("add_header {meant} {};", words.join(" "));
            let words = "variables are read in values, not in names";
            self.suggest(
                Kind::MalformedHeader,
                name.span,
                text,
                words,
                Some(suggestion),
            );
            return;
        }
        let Some(at) = text.find(|character: char| character == ':' || character.is_whitespace())
        else {
            if let Some(meant) = misspelt(text) {
                let why = "no browser knows a header of this name";
                let kind = Kind::MalformedHeader;
                self.suggest(kind, name.span, text, why, Some(meant.to_owned()));
            }
            return;
        };
        if !is_cors(text) || has_placeholder(text) {
            return;
        }
        let proper = &text[..at];
        let value = text[at..]
            .trim_start_matches(|character: char| character == ':' || character.is_whitespace())
            .trim_end();
        if value.is_empty() {
            let words: Vec<String> = rest.iter().map(written).collect();
            let suggestion = format!("add_header {proper} {};", words.join(" "));
            let text = "what follows the name becomes a part of it";
            let kind = Kind::MalformedHeader;
            self.suggest(kind, name.span, &name.text, text, Some(suggestion));
            return;
        }
        let suggestion = match rest {
            [always] if always.text == "always" => {
                Some(format!("add_header {proper} \"{value}\" always;"))
            }
            _ => None,
        };
        let text = "name and value are one word, so all of it is the name";
        let kind = Kind::MalformedHeader;
        self.suggest(kind, name.span, &name.text, text, suggestion);
    }

    /// What a variable is `set` to, if that is a constant.
    fn constant(&self, variable: &str) -> Option<&str> {
        let config = self.config;
        let named = |name: &str| name.eq_ignore_ascii_case(variable);
        let slot = config.slots.iter().position(|slot| named(&slot.name))?;
        let servers = config.servers.iter().map(|server| &server.script);
        let locations = config.locations.iter().map(|location| &location.script);
        servers
            .chain(locations)
            .flat_map(|script| sets(script, slot))
            .find_map(|(value, _)| value.constant())
    }

    fn add_trailer(&mut self, directive: &Directive) {
        let [name, value, ..] = directive.args.as_slice() else {
            return;
        };
        if is_cors(&name.text) {
            let text = "a trailer follows the body, and browsers look before it";
            let suggestion = format!("add_header {} {} always;", name.text, written(value));
            let kind = Kind::Ignored;
            self.suggest(kind, directive.span, "add_trailer", text, Some(suggestion));
        }
    }

    /// `more_set_headers Name: value` without quotes: two headers to remove.
    fn more_set_headers(&mut self, directive: &Directive) {
        let mut words = directive.args.iter().peekable();
        while let Some(word) = words.next() {
            if matches!(word.text.as_str(), "-s" | "-t") {
                words.next();
                continue;
            }
            if !is_cors(&word.text) || has_placeholder(&word.text) {
                continue;
            }
            if let Some((name, _)) = word.text.split_once(':')
                && let Some(meant) = misspelt(name)
            {
                let why = "no browser knows a header of this name";
                let span = word.part(0, name.len());
                let kind = Kind::MalformedHeader;
                self.suggest(kind, span, name, why, Some(meant.to_owned()));
                continue;
            }
            let Some((name, value)) = word.text.split_once(':') else {
                if word.text.contains(' ') {
                    let text = "there is no colon, so a header of this name is removed";
                    self.tell(Kind::MalformedHeader, word.span, &word.text, text);
                }
                continue;
            };
            let behind = words.peek().filter(|next| !is_header(&next.text));
            if let Some(next) = behind
                && value.is_empty()
                && !word.quoted
            {
                let text = "without quotes, name and value are two headers to remove";
                let suggestion = format!("more_set_headers \"{name}: {}\";", next.text);
                let span = directive.span;
                let kind = Kind::MalformedHeader;
                self.suggest(kind, span, &word.text, text, Some(suggestion));
            }
        }
    }

    /// `proxy_set_header` of a response header, or of a made-up Origin.
    fn request_header(&mut self, directive: &Directive) {
        let [name, value] = directive.args.as_slice() else {
            return;
        };
        let lower = name.text.to_ascii_lowercase();
        if value.text.is_empty() || has_placeholder(&value.text) {
            return;
        }
        if is_response_header(&lower) {
            let text = "this goes to the upstream, not to the browser";
            let suggestion = format!("add_header {} {} always;", name.text, written(value));
            let kind = Kind::RequestHeader;
            self.suggest(kind, directive.span, &name.text, text, Some(suggestion));
        } else if lower == "origin" && names_server(&value.text) {
            let text = "the upstream sees this, whoever asks";
            self.tell(Kind::ForgedOrigin, directive.span, &name.text, text);
        }
    }

    fn hide_header(&mut self, directive: &Directive) {
        let [name] = directive.args.as_slice() else {
            return;
        };
        if is_cors(&name.text) && name.text.contains('*') {
            let text = format!("`{}` knows no wildcards", directive.name.text);
            let suggestion = format!("{} Access-Control-Allow-Origin;", directive.name.text);
            let kind = Kind::LiteralWildcard;
            self.suggest(kind, name.span, &name.text, &text, Some(suggestion));
        }
    }

    /// Keys with a `*` in a map of the origin.
    fn keys(&mut self, map: &Directive) {
        let ([source, _], Body::Block(entries)) = (map.args.as_slice(), &map.body) else {
            return;
        };
        let hostnames = entries
            .iter()
            .any(|entry| entry.name.text == "hostnames" && entry.args.is_empty());
        if !names_origin(&source.text) || hostnames {
            return;
        }
        for entry in entries {
            let key = &entry.name;
            if key.text.starts_with('~') || !key.text.contains('*') || has_placeholder(&key.text) {
                continue;
            }
            let suggestion = pattern_of(&key.text).map(|pattern| format!("\"~{pattern}\""));
            let text = "a `map` compares its keys letter by letter";
            self.suggest(Kind::LiteralWildcard, key.span, &key.text, text, suggestion);
        }
    }

    /// Of several maps that define one variable, nginx takes the last.
    fn overridden(&mut self, maps: &[&Directive]) {
        let mut last: HashMap<String, &Word> = HashMap::new();
        for map in maps.iter().rev() {
            let [source, name] = map.args.as_slice() else {
                continue;
            };
            let lower = name.text.to_ascii_lowercase();
            match last.get(&lower) {
                None => {
                    last.insert(lower, name);
                }
                Some(later) if later.span != name.span => {
                    let relevant = ["cors", "origin", "allow"];
                    if names_origin(&source.text)
                        || relevant.iter().any(|word| lower.contains(word))
                    {
                        let related = (later.span, "this one decides".to_owned());
                        let text = "a later `map` defines the same variable";
                        if let Some(observation) =
                            self.tell(Kind::Overridden, name.span, &name.text, text)
                        {
                            observation.related.push(related);
                        }
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Maps of the origin whose variable nothing reads.
    fn unattached(&mut self, maps: &[&Directive], library: &Library) {
        let maps: Vec<&Word> = maps
            .iter()
            .filter_map(|map| match map.args.as_slice() {
                [source, name] if names_origin(&source.text) => Some(name),
                _ => None,
            })
            .collect();
        if maps.is_empty() {
            return;
        }
        let mut used = Some(HashSet::new());
        for parsed in library.all() {
            uses(&parsed.directives, &mut used);
        }
        let Some(used) = used else { return };
        for name in maps {
            let lower = name.text.trim_start_matches('$').to_ascii_lowercase();
            if !used.contains(&lower) {
                self.tell(Kind::Unattached, name.span, &name.text, "nothing reads it");
            }
        }
    }

    /// Comparisons that can never hold.
    fn script(&mut self, script: &[Op]) {
        for op in script {
            if let Op::If(check) = op {
                self.condition(&check.condition);
                self.script(&check.body);
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        let (
            Test::Equal {
                variable, value, ..
            },
            Some(decision),
        ) = (&condition.test, &condition.decision)
        else {
            return;
        };
        let Some(constant) = value.constant() else {
            return;
        };
        match variable {
            Var::Header(name) if name == "origin" && constant.contains('*') => {
                let suggestion = pattern_of(constant)
                    .map(|pattern| format!("if ($http_origin ~ \"{pattern}\")"));
                let text = "`=` compares letter by letter";
                let kind = Kind::LiteralWildcard;
                self.suggest(kind, decision.span, constant, text, suggestion);
            }
            Var::Own(Own::RequestMethod)
                if constant.eq_ignore_ascii_case("options") && constant != "OPTIONS" =>
            {
                let text = "methods are compared letter by letter, and this one is `OPTIONS`";
                let suggestion = Some("if ($request_method = OPTIONS)".to_owned());
                let kind = Kind::Ignored;
                self.suggest(kind, decision.span, constant, text, suggestion);
            }
            _ => {}
        }
    }

    /// `more_clear_headers` of what `add_header` adds later.
    fn cleared(&mut self) {
        for (id, level) in self.config.levels.iter().enumerate() {
            if !matches!(level.kind, LevelKind::Location | LevelKind::If) {
                continue;
            }
            for clear in level.more.iter().filter(|more| more.value.is_none()) {
                if !is_cors(&clear.name) || !clear.statuses.is_empty() {
                    continue;
                }
                let covers = |name: &str| {
                    let name = name
                        .get(..clear.name.len())
                        .filter(|_| clear.prefix)
                        .or(Some(name));
                    name.is_some_and(|name| name.eq_ignore_ascii_case(&clear.name))
                };
                let headers = self.config.headers(id);
                let kept = headers.iter().find(|(_, header)| covers(&header.name));
                if let Some((_, kept)) = kept
                    && self.clears_nothing(id, &covers)
                {
                    let related = (kept.span, "this line stays".to_owned());
                    let text = "it runs before `add_header`, whose line stays";
                    let name = "more_clear_headers";
                    if let Some(observation) = self.tell(Kind::Ignored, clear.span, name, text) {
                        observation.related.push(related);
                    }
                }
            }
        }
    }

    /// Is there neither an upstream nor a headers-more line that could be cleared?
    fn clears_nothing(&self, level: LevelId, covers: &dyn Fn(&str) -> bool) -> bool {
        let answers = self.config.nearest(level, |level| level.handler.as_ref());
        let own = matches!(answers, None | Some(Handler::Fixed { .. }));
        let foreign = self
            .config
            .nearest(level, |level| level.foreign.or(level.filter));
        let mut more = self.config.chain(level).flat_map(|level| &level.more);
        own && foreign.is_none() && !more.any(|more| more.value.is_some() && covers(&more.name))
    }
}

/// Is everything in view that could read a variable of this configuration?
fn is_whole(config: &Config, context: Context, expanded: &Expanded) -> bool {
    matches!(context, Context::Main | Context::Http)
        && !config.servers.is_empty()
        && !expanded.template
        && expanded.unreadable.is_empty()
        && expanded.missing.iter().all(|(_, path)| is_harmless(path))
}

/// Adds the variables that directives read, lower case; `None` if code may read any.
fn uses(tree: &[Directive], used: &mut Option<HashSet<String>>) {
    for directive in tree {
        let name = directive.name.text.as_str();
        let code = name.contains("_by_lua") || name.starts_with("js_") || name.starts_with("perl");
        if code || matches!(directive.body, Body::Foreign(_)) {
            *used = None;
        }
        let Some(known) = used else { return };
        // The last argument of `map` and the first of `set` are what they define.
        let defines = match name {
            "map" => directive.args.len().checked_sub(1),
            "set" => Some(0),
            _ => None,
        };
        let words = directive.args.iter().enumerate();
        let read = words.filter(|(at, _)| Some(*at) != defines);
        for word in std::iter::once(&directive.name).chain(read.map(|(_, word)| word)) {
            for piece in pieces(&word.text) {
                if let Piece::Name(name) = piece {
                    known.insert(name.to_ascii_lowercase());
                }
            }
        }
        if let Body::Block(inner) = &directive.body {
            uses(inner, used);
        }
    }
}

/// Is this (the beginning of) a header of the CORS protocol?
fn is_cors(name: &str) -> bool {
    let prefix = "access-control-";
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The header that a name which nobody knows nearly is.
fn misspelt(name: &str) -> Option<&'static str> {
    if name.contains('$') || has_placeholder(name) {
        return None;
    }
    misspelt_header(name)
}

/// Does the lower-case name belong to responses of the CORS protocol only?
fn is_response_header(name: &str) -> bool {
    name.starts_with("access-control-allow-")
        || matches!(
            name,
            "access-control-expose-headers" | "access-control-max-age"
        )
}

/// Does a word of headers-more start a header of its own (`Name:`, `Name: value`)?
fn is_header(text: &str) -> bool {
    if text.starts_with('-') {
        return true;
    }
    text.split_once(':').is_some_and(|(name, value)| {
        (value.is_empty() || value.starts_with([' ', '\t']))
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// Does a text read `$http_origin`?
fn names_origin(text: &str) -> bool {
    pieces(text)
        .iter()
        .any(|piece| matches!(piece, Piece::Name(name) if name.eq_ignore_ascii_case("http_origin")))
}

/// Is a value made of constants and the server's own name?
fn names_server(text: &str) -> bool {
    pieces(text).iter().all(|piece| match piece {
        Piece::Text(_) => true,
        Piece::Name(name) => OWN_NAMES.iter().any(|own| own.eq_ignore_ascii_case(name)),
        Piece::Capture(_) => false,
    })
}

/// A word that can stand in a configuration again.
fn written(word: &Word) -> String {
    let plain = !word.text.is_empty()
        && word
            .text
            .chars()
            .all(|character| !character.is_whitespace() && !"\"';{}#\\".contains(character));
    if plain {
        word.text.clone()
    } else {
        format!("\"{}\"", word.text.replace('"', "\\\""))
    }
}

/// The regular expression that `https://*.example.com` was meant to be.
fn pattern_of(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://").unwrap_or(("https", text));
    let rest = host.strip_prefix("*.")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let plain = matches!(scheme, "http" | "https") && !rest.is_empty() && rest.bytes().all(fits);
    plain.then(|| format!(r"^{scheme}://[a-z0-9-]+\.{}$", rest.replace('.', r"\.")))
}
