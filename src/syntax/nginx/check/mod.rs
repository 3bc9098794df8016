//! What nginx refuses in a configuration that can be parsed (`nginx -t`).
//!
//! Contexts, argument counts and most values follow from the [table]; what has a
//! syntax of its own is read as the directive's handler in nginx's sources reads it. Missing
//! hosts, files, certificates, users and modules are no errors here, and neither is what only
//! some version refuses: if in doubt, accept.

mod http;
mod lines;
mod location;
mod modules;
mod rewrite;
mod server;
#[cfg(test)]
mod tests;
mod values;
mod variables;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::table::{self, Context, Syntax};
use super::{Body, Directive, MAX_DEPTH, MAX_ERRORS, SyntaxError, Word};
use crate::source::Span;
use server::Listeners;
use variables::Variables;

/// Where the directives to check stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The context that they start in.
    pub context: Context,
    /// They are a whole configuration: what they do not define is not defined.
    pub complete: bool,
}

/// What nginx refuses in directives whose includes are expanded, in the order of the directives;
/// at most [`MAX_ERRORS`]. Directives that are not in the table are accepted unread, and so is
/// what stands in them. With an `include` left the configuration counts as incomplete; with an
/// unknown directive or module, any variable and upstream may be defined.
#[must_use]
pub fn check(directives: &[Directive], scope: Scope) -> Vec<SyntaxError> {
    let mut checker = Checker {
        complete: scope.complete,
        ..Checker::default()
    };
    checker.block(directives, &mut Level::new(scope.context));
    checker.finish()
}

/// Nothing, or the first thing that nginx refuses in a directive.
type Outcome = Result<(), SyntaxError>;

fn refuse(span: Span, message: impl Into<String>) -> Outcome {
    Err(SyntaxError {
        span,
        message: message.into(),
    })
}

/// `"invalid parameter"` about a word.
fn invalid_parameter(word: &Word) -> Outcome {
    refuse(word.span, format!(r#"invalid parameter "{}""#, word.text))
}

/// What nginx keeps for the whole configuration.
#[derive(Default)]
struct Checker<'t> {
    errors: Vec<SyntaxError>,
    /// Errors if the configuration is complete.
    if_complete: Vec<SyntaxError>,
    complete: bool,
    /// Something that may define variables is not known.
    has_unknown: bool,
    variables: Variables,
    listeners: Listeners,
    zones: modules::Zones<'t>,
    upstreams: server::Upstreams,
    /// The pairs of `charset_map`, in order of the alphabet.
    charset_maps: HashSet<[String; 2]>,
    /// The formats as they are written, and in lower case.
    log_formats: [HashSet<Cow<'t, str>>; 2],
    /// How many blocks are around the directive.
    depth: usize,
    /// The names of each `valid_referers` in this server that takes the server's own names, too.
    referers: Vec<(server::Keys, Span)>,
    /// How many regular expressions were compiled.
    regexes: usize,
}

/// What nginx keeps for a block.
struct Level<'t> {
    context: Context,
    /// Directives that may stand once and do, and other facts under names of directives.
    seen: HashSet<&'t str>,
    location: Option<location::Place<'t>>,
    /// `if` and `limit_except` are locations without a name.
    nameless: bool,
    /// The inner locations: exact or not, and the name.
    locations: HashSet<(bool, &'t str)>,
    /// Names of zones by the directive that uses them.
    limits: HashSet<(&'t str, &'t str)>,
    /// The sockets of a `server`, the servers of an `upstream`.
    sockets: HashSet<server::Socket>,
    /// The names of `valid_referers`.
    referers: server::Keys,
    /// Its word `server_names`.
    refers_to_server: Option<Span>,
}

impl<'t> Level<'t> {
    fn new(context: Context) -> Self {
        Self {
            context,
            seen: HashSet::new(),
            location: None,
            nameless: false,
            locations: HashSet::new(),
            limits: HashSet::new(),
            sockets: HashSet::new(),
            referers: server::Keys::default(),
            refers_to_server: None,
        }
    }

    /// Notes a fact; false if it was noted before.
    fn note(&mut self, fact: &'t str) -> bool {
        self.seen.insert(fact)
    }

    fn has(&self, fact: &str) -> bool {
        self.seen.contains(fact)
    }
}

impl<'t> Checker<'t> {
    fn finish(mut self) -> Vec<SyntaxError> {
        self.errors.extend(self.upstreams.with_port());
        if self.complete {
            self.errors.append(&mut self.if_complete);
            self.zones.undefined(&mut self.errors);
        }
        if self.complete && !self.has_unknown {
            self.errors.extend(self.upstreams.without_port());
            self.errors.extend(self.variables.unknown());
        }
        // A file that is included twice has each error twice.
        let mut first = HashMap::new();
        for (at, error) in self.errors.iter().enumerate() {
            first
                .entry((error.span, error.message.clone()))
                .or_insert(at);
        }
        let mut at = 0..;
        self.errors.retain(|error| {
            let key = (error.span, error.message.clone());
            at.next().is_some_and(|at| first.get(&key) == Some(&at))
        });
        self.errors.sort_by_key(|error| error.span);
        self.errors.truncate(MAX_ERRORS);
        self.errors
    }

    fn block(&mut self, directives: &'t [Directive], level: &mut Level<'t>) {
        for directive in directives {
            if let Err(error) = self.directive(directive, level)
                && self.errors.len() < 2 * MAX_ERRORS
            {
                self.errors.push(error);
            }
        }
    }

    fn directive(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        if table::variants(name).is_empty() {
            self.has_unknown = true;
            return Ok(());
        }
        let refuse = |message: String| refuse(directive.name.span, message);
        let Some(variant) = table::variant(name, level.context) else {
            return refuse(format!(r#""{name}" directive is not allowed here"#));
        };
        match (variant.syntax.is_block(), &directive.body) {
            (true, Body::None) => {
                return refuse(format!(r#"directive "{name}" has no opening "{{""#));
            }
            (false, Body::Block(_) | Body::Foreign(_)) => {
                return refuse(format!(r#"directive "{name}" is not terminated by ";""#));
            }
            _ => {}
        }
        if !variant.arity.allows(directive.args.len()) {
            return refuse(format!(
                r#"invalid number of arguments in "{name}" directive"#
            ));
        }
        if variant.syntax.is_single() && !level.note(name) {
            return refuse(format!(r#""{name}" directive is duplicate"#));
        }
        self.value(directive, variant.syntax, level)?;
        self.own(directive, level)?;
        match &directive.body {
            Body::Block(inner) => self.inside(directive, inner, level),
            Body::None | Body::Foreign(_) => Ok(()),
        }
    }

    /// What the table says about the arguments.
    fn value(&mut self, directive: &'t Directive, syntax: Syntax, level: &Level<'t>) -> Outcome {
        let name = &directive.name.text;
        let args = &directive.args;
        let (Some(first), Some(last)) = (args.first(), args.last()) else {
            return Ok(());
        };
        let text = first.text.as_str();
        let check = |is_valid: bool, what: &str| {
            if is_valid {
                Ok(())
            } else {
                refuse(first.span, format!(r#""{name}" directive {what}"#))
            }
        };
        match syntax {
            Syntax::Flag => {
                if ["on", "off"]
                    .iter()
                    .any(|flag| text.eq_ignore_ascii_case(flag))
                {
                    return Ok(());
                }
                refuse(
                    first.span,
                    format!(
                        r#"invalid value "{text}" in "{name}" directive, it must be "on" or "off""#
                    ),
                )
            }
            Syntax::Number { low, high } => {
                let number = values::number(text).and_then(|number| u64::try_from(number).ok());
                check(number.is_some(), "invalid number")?;
                if number.is_some_and(|number| (low..=high).contains(&number)) {
                    return Ok(());
                }
                let bounds = if high == u64::MAX {
                    format!("value must be equal to or greater than {low}")
                } else {
                    format!("value must be between {low} and {high}")
                };
                refuse(first.span, bounds)
            }
            Syntax::Size => check(values::size(text).is_some(), "invalid value"),
            Syntax::Offset => check(values::offset(text).is_some(), "invalid value"),
            Syntax::Time => check(values::time(text, false).is_some(), "invalid value"),
            Syntax::Seconds => check(values::time(text, true).is_some(), "invalid value"),
            Syntax::Buffers => {
                let is_positive = |number: Option<i64>| number.is_some_and(|number| number > 0);
                check(
                    is_positive(values::number(text)) && is_positive(values::size(&last.text)),
                    "invalid value",
                )
            }
            Syntax::Enum(names) => one_of(first, names),
            Syntax::Bits(names) => args.iter().try_for_each(|word| one_of(word, names)),
            Syntax::Value | Syntax::ValueSize if !in_http(level.context) => Ok(()),
            Syntax::Value => self.variables.use_word(first),
            Syntax::ValueSize => {
                self.variables.use_word(first)?;
                let is_size = text.contains('$') || values::size(text).is_some();
                check(is_size, "invalid value")
            }
            Syntax::Values => args
                .iter()
                .try_for_each(|word| self.variables.use_word(word)),
            Syntax::Path => {
                let level = |word: &Word| values::number(&word.text).filter(|level| *level > 0);
                let levels: Option<Vec<_>> = args[1..].iter().map(level).collect();
                let is_valid = levels.is_some_and(|levels| {
                    let length: i64 = levels.iter().map(|level| level.saturating_add(1)).sum();
                    usize::try_from(length).is_ok_and(|length| length <= 10 + levels.len())
                });
                check(is_valid, "invalid value")
            }
            Syntax::Access => args.iter().try_for_each(access),
            Syntax::Bind => self.bind(args),
            Syntax::Block
            | Syntax::Lines
            | Syntax::Lua
            | Syntax::Text
            | Syntax::List
            | Syntax::Once
            | Syntax::Own => Ok(()),
        }
    }

    fn bind(&mut self, args: &'t [Word]) -> Outcome {
        let [address, options @ ..] = args else {
            return Ok(());
        };
        if options.is_empty() && address.text == "off" {
            return Ok(());
        }
        self.variables.use_word(address)?;
        if !address.text.contains('$') && !values::is_address(&address.text) {
            return refuse(
                address.span,
                format!(r#"invalid address "{}""#, address.text),
            );
        }
        match options.first() {
            Some(option) if option.text != "transparent" => invalid_parameter(option),
            _ => Ok(()),
        }
    }

    /// What the directive's own handler says about the arguments.
    fn own(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        if level.context == Context::Main || level.context == Context::Events {
            return self.main(directive, level);
        }
        if !in_http(level.context) {
            return Ok(());
        }
        let name = directive.name.text.as_str();
        match name {
            "set" | "if" | "return" | "rewrite" => self.rewrite(directive),
            "location" | "limit_except" | "root" | "alias" | "try_files" | "error_page"
            | "index" | "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass"
            | "grpc_pass" | "memcached_pass" | "proxy_redirect" => {
                self.in_location(directive, level)
            }
            "listen" | "server_name" | "server" | "upstream" | "hash" | "ip_hash"
            | "least_conn" | "random" | "keepalive" | "zone" | "resolver" => {
                self.server(directive, level)
            }
            "include" => {
                self.complete = false;
                Ok(())
            }
            _ => self.http(directive, level),
        }
    }

    /// A block's content.
    fn inside(
        &mut self,
        directive: &'t Directive,
        inner: &'t [Directive],
        level: &mut Level<'t>,
    ) -> Outcome {
        let name = directive.name.text.as_str();
        if let Some(context) = level.context.inside(name) {
            // Deeper than any file alone goes; included files add to it.
            if self.depth >= MAX_DEPTH {
                return Ok(());
            }
            let mut below = Level::new(context);
            self.enter(directive, &mut below);
            self.depth += 1;
            self.block(inner, &mut below);
            self.depth -= 1;
            if let Some(span) = below.refers_to_server {
                self.referers
                    .push((std::mem::take(&mut below.referers), span));
            }
            return self.leave(directive, inner, &below);
        }
        if in_http(level.context) {
            self.lines(directive, inner)?;
        }
        Ok(())
    }

    /// Directives outside `http`, `stream` and `mail`.
    fn main(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let [first, rest @ ..] = directive.args.as_slice() else {
            if directive.body == Body::None || level.note(&directive.name.text) {
                return Ok(());
            }
            let message = format!(r#""{}" directive is duplicate"#, directive.name.text);
            return refuse(directive.name.span, message);
        };
        let name = &directive.name.text;
        let text = first.text.as_str();
        let invalid = |what: &str| refuse(first.span, format!(r#""{name}" directive {what}"#));
        match name.as_str() {
            "include" => self.complete = false,
            "load_module" => self.has_unknown |= !is_known_module(text),
            "error_log" => return modules::log_levels(rest),
            "worker_processes" if text != "auto" && values::number(text).is_none() => {
                return invalid("invalid value");
            }
            "worker_priority" => {
                let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
                match values::number(digits) {
                    None => return invalid("invalid number"),
                    Some(0) => {}
                    Some(_) if level.note("worker_priority") => {}
                    Some(_) => return invalid("is duplicate"),
                }
            }
            "worker_cpu_affinity" => {
                let masks = if text == "auto" {
                    rest
                } else {
                    &directive.args
                };
                let wrong = |c: &char| !matches!(c, '0' | '1' | ' ');
                if let Some(c) = masks.iter().find_map(|mask| mask.text.chars().rfind(wrong)) {
                    let message = format!(r#"invalid character "{c}" in "worker_cpu_affinity""#);
                    return refuse(first.span, message);
                }
            }
            "thread_pool" => return thread_pool(directive, rest),
            "use" if !EVENT_TYPES.contains(&text) => {
                return refuse(first.span, format!(r#"invalid event type "{text}""#));
            }
            "worker_connections" if values::number(text).is_none() => {
                return refuse(first.span, format!(r#"invalid number "{text}""#));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The options of a thread pool.
fn thread_pool(directive: &Directive, options: &[Word]) -> Outcome {
    let mut has_threads = false;
    for option in options {
        let (key, value) = option.text.split_once('=').unwrap_or((&option.text, ""));
        let number = values::number(value);
        match (key, number) {
            ("threads", Some(1..)) => has_threads = true,
            ("threads", _) | ("max_queue", None) => {
                let message = format!(r#"invalid {key} value "{}""#, option.text);
                return refuse(option.span, message);
            }
            _ => {}
        }
    }
    if has_threads {
        return Ok(());
    }
    let message = r#""thread_pool" must have "threads" parameter"#;
    refuse(directive.name.span, message)
}

/// The methods of all platforms and versions.
const EVENT_TYPES: [&str; 9] = [
    "epoll",
    "kqueue",
    "poll",
    "select",
    "eventport",
    "/dev/poll",
    "rtsig",
    "iocp",
    "win32",
];

/// Is it a context of the http module?
const fn in_http(context: Context) -> bool {
    matches!(
        context,
        Context::Http
            | Context::Server
            | Context::ServerIf
            | Context::Location
            | Context::LocationIf
            | Context::LimitExcept
            | Context::Upstream
    )
}

/// Modules whose directives and variables are in the tables.
fn is_known_module(path: &str) -> bool {
    const KNOWN: [&str; 10] = [
        "ndk_http_module",
        "ngx_http_headers_more_filter_module",
        "ngx_http_lua_module",
        "ngx_http_geoip_module",
        "ngx_http_image_filter_module",
        "ngx_http_xslt_filter_module",
        "ngx_http_perl_module",
        "ngx_mail_module",
        "ngx_stream_module",
        "ngx_stream_geoip_module",
    ];
    let file = path.rsplit('/').next().unwrap_or(path);
    KNOWN.contains(&file.strip_suffix(".so").unwrap_or(file))
}

/// A word that is one of some, in any case.
fn one_of(word: &Word, names: &str) -> Outcome {
    if names
        .split('|')
        .any(|name| name.eq_ignore_ascii_case(&word.text))
    {
        return Ok(());
    }
    refuse(word.span, format!(r#"invalid value "{}""#, word.text))
}

/// Permissions of files: `user:rw`.
fn access(word: &Word) -> Outcome {
    match word.text.split_once(':') {
        Some(("user" | "group" | "all", "r" | "rw")) => Ok(()),
        _ => refuse(word.span, format!(r#"invalid value "{}""#, word.text)),
    }
}
