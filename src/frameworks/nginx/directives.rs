//! The directives inside blocks: settings of a level, rewrite directives, conditions, maps.

use super::compile::Compiler;
use super::complex::{Complex, has_placeholder};
use super::config::{
    AccessRule, AddHeader, Condition, Definition, Entry, ErrorPage, Fallback, Handler, Hide,
    Inherit, LevelId, Map, Module, More, Op, Rewrite, RewriteFlag, Test, TryFiles,
};
use super::regex::Pattern;
use crate::model::{Decision, Known};
use crate::source::Span;
use crate::syntax::nginx::{Body, Directive, Word};

/// A word of a condition, without its parentheses.
struct Token {
    text: String,
    span: Span,
    offset: Option<u32>,
}

impl Compiler {
    /// Takes a directive that is a setting of its level.
    pub(super) fn setting(&mut self, id: LevelId, directive: &Directive) {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        let span = directive.span;
        let first = args.first().map(|word| word.text.as_str());
        let on = || first.map(|text| text == "on");
        match name {
            "add_header" => self.add_header(id, directive),
            "add_header_inherit" => {
                let inherit = match first.map(str::to_ascii_lowercase).as_deref() {
                    Some("off") => Inherit::Off,
                    Some("merge") => Inherit::Merge,
                    _ => Inherit::On,
                };
                self.config.levels[id].inherit = Some(inherit);
            }
            "more_set_headers" | "more_clear_headers" => self.more(id, directive),
            "error_page" => self.error_page(id, directive),
            "auth_basic" => {
                if let Some(realm) = first {
                    let realm = self.complex(realm);
                    self.config.levels[id].auth_basic = Some((realm, span));
                }
            }
            "auth_request" => {
                if let Some(uri) = first {
                    let uri = (uri != "off").then(|| self.complex(uri));
                    self.config.levels[id].auth_request = Some((uri, span));
                }
            }
            "allow" | "deny" => {
                if let Some(whom) = first {
                    self.config.levels[id].access.push(AccessRule {
                        allow: name == "allow",
                        whom: whom.to_owned(),
                        span,
                    });
                }
            }
            "satisfy" => self.config.levels[id].satisfy_any = first.map(|text| text == "any"),
            "try_files" => self.try_files(id, directive),
            "index" => {
                let names = args.iter().map(|word| self.complex(&word.text)).collect();
                let index = &mut self.config.levels[id].index;
                let names: Vec<Complex> = names;
                index.get_or_insert_default().extend(names);
            }
            "root" | "alias" => {
                self.config.levels[id].root =
                    first.map(|path| (self.complex(path), name == "alias"));
            }
            "client_max_body_size" => self.config.levels[id].max_body = first.and_then(bytes),
            "autoindex" => self.config.levels[id].autoindex = on(),
            "expires" => self.expires(id, directive),
            "recursive_error_pages" => self.config.levels[id].recursive_error_pages = on(),
            "absolute_redirect" => self.config.levels[id].absolute_redirect = on(),
            "port_in_redirect" => self.config.levels[id].port_in_redirect = on(),
            "server_name_in_redirect" => self.config.levels[id].server_name_in_redirect = on(),
            "dav_methods" => {
                let methods = args
                    .iter()
                    .filter(|word| !word.text.eq_ignore_ascii_case("off"))
                    .map(|word| (word.text.to_ascii_uppercase(), word.span))
                    .collect();
                self.config.levels[id].dav_methods = Some(methods);
            }
            "stub_status" | "empty_gif" | "status" => {
                self.config.levels[id].handler = Some(Handler::Fixed { span });
            }
            "proxy_method" => {
                self.config.levels[id].proxy_method = first.map(|text| self.complex(text));
            }
            _ => self.module_setting(id, directive),
        }
    }

    /// Settings of modules that ask an upstream or run code.
    fn module_setting(&mut self, id: LevelId, directive: &Directive) {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        let span = directive.span;
        let first = args.first().map(|word| word.text.as_str());
        if let Some((prefix, rest)) = name.split_once('_')
            && let Some(module) = Module::of(prefix)
        {
            match (rest, first) {
                ("pass", Some(target)) => {
                    let target = self.complex(target);
                    self.config.levels[id].handler = Some(Handler::Pass {
                        module,
                        target,
                        span,
                    });
                }
                ("hide_header", Some(name)) => self.config.levels[id].hide.push(Hide {
                    module,
                    name: name.to_owned(),
                    span,
                }),
                ("pass_header", Some(name)) => self.config.levels[id].pass.push(Hide {
                    module,
                    name: name.to_owned(),
                    span,
                }),
                ("set_header" | "param", Some(name)) => {
                    let value = args.get(1).map_or("", |word| word.text.as_str());
                    let value = self.complex(value);
                    let headers = &mut self.config.levels[id].upstream_headers;
                    headers.push((module, name.to_owned(), value));
                }
                ("intercept_errors", first) => {
                    self.config.levels[id].intercept_errors = first.map(|text| text == "on");
                }
                ("cache", Some(zone)) => {
                    let zone = (zone != "off").then(|| self.complex(zone));
                    self.config.levels[id].cache = Some((zone, span));
                }
                ("cache_key", Some(key)) => {
                    self.config.levels[id].cache_key = Some(self.complex(key));
                }
                ("ignore_headers", _) => {
                    self.config.levels[id].ignore_vary = Some(
                        args.iter()
                            .any(|word| word.text.eq_ignore_ascii_case("vary")),
                    );
                }
                _ => {}
            }
            return;
        }
        let level = &mut self.config.levels[id];
        if name.ends_with("_pass")
            || name.starts_with("content_by_lua")
            || name.starts_with("echo")
            || name.starts_with("nchan_")
            || name.starts_with("push_stream_")
            || matches!(
                name,
                "js_content"
                    | "perl"
                    | "passenger_enabled"
                    | "vod"
                    | "api"
                    | "hls"
                    | "rtmp_stat"
                    | "image_filter"
                    | "drizzle_query"
                    | "redis_query"
            )
        {
            level.handler = Some(Handler::Foreign { span });
        } else if name.starts_with("header_filter_by_lua") || name == "js_header_filter" {
            level.filter = Some(span);
        } else if name.starts_with("access_by_lua")
            || name.starts_with("rewrite_by_lua")
            || name == "js_access"
        {
            level.foreign = Some(span);
            level.filter = Some(span);
        } else if has_placeholder(name) {
            // A template puts something here.
            level.unseen = Some(span);
        }
    }

    fn add_header(&mut self, id: LevelId, directive: &Directive) {
        let args = directive.args.as_slice();
        let Some(name) = args.first() else { return };
        let header = AddHeader {
            name: name.text.clone(),
            value: self.complex(args.get(1).map_or("", |word| word.text.as_str())),
            always: args.get(2).is_some_and(|word| word.text == "always"),
            span: directive.span,
            value_span: args.get(1).map(|word| word.span),
        };
        self.config.levels[id].add_headers.push(header);
    }

    fn more(&mut self, id: LevelId, directive: &Directive) {
        let clear = directive.name.text == "more_clear_headers";
        let mut statuses: Vec<u16> = Vec::new();
        let mut typed = false;
        let mut append = false;
        let mut words = directive.args.iter();
        let mut headers = Vec::new();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "-s" => {
                    let listed = words.next().map_or("", |word| word.text.as_str());
                    statuses.extend(
                        listed
                            .split_whitespace()
                            .filter_map(|code| code.parse::<u16>().ok()),
                    );
                }
                "-t" => {
                    words.next();
                    typed = true;
                }
                "-a" => append = true,
                _ => headers.push(word),
            }
        }
        for word in headers {
            let (name, value) = word
                .text
                .split_once(':')
                .map_or((word.text.as_str(), ""), |(name, value)| {
                    (name, value.trim_start_matches([' ', '\t']))
                });
            let name = name.trim_end_matches([' ', '\t']);
            let prefix = clear && name.ends_with('*');
            let value = (!clear && !value.is_empty()).then(|| self.complex(value));
            self.config.levels[id].more.push(More {
                name: name.trim_end_matches('*').to_owned(),
                prefix,
                value,
                append,
                statuses: statuses.clone(),
                typed,
                span: directive.span,
                value_span: word.span,
            });
        }
    }

    fn error_page(&mut self, id: LevelId, directive: &Directive) {
        let Some((target, words)) = directive.args.split_last() else {
            return;
        };
        let mut overwrite = None;
        let mut words = words;
        if let Some((last, rest)) = words.split_last()
            && let Some(code) = last.text.strip_prefix('=')
        {
            overwrite = Some(code.parse().ok());
            words = rest;
        }
        for word in words {
            if let Ok(status) = word.text.parse() {
                let target = self.complex(&target.text);
                self.config.levels[id].error_pages.push(ErrorPage {
                    status,
                    overwrite,
                    target,
                    span: directive.span,
                });
            }
        }
    }

    fn try_files(&mut self, id: LevelId, directive: &Directive) {
        let Some((last, files)) = directive.args.split_last() else {
            return;
        };
        let files = files
            .iter()
            .map(|word| {
                let text = word.text.as_str();
                match text.strip_suffix('/') {
                    Some(folder) => (self.complex(folder), true),
                    None => (self.complex(text), false),
                }
            })
            .collect();
        let last = match last.text.strip_prefix('=').map(str::parse) {
            Some(Ok(status)) => Fallback::Status(status),
            _ if last.text.starts_with('@') => Fallback::Named(last.text.clone()),
            _ => Fallback::Uri(self.complex(&last.text)),
        };
        self.config.levels[id].try_files = Some(TryFiles {
            files,
            last,
            span: directive.span,
        });
    }

    /// `expires`: what Cache-Control it sends.
    fn expires(&mut self, id: LevelId, directive: &Directive) {
        let args = directive.args.as_slice();
        let modified = args.first().is_some_and(|word| word.text == "modified");
        let Some(time) = args.get(usize::from(modified)) else {
            return;
        };
        let value = match time.text.as_str() {
            "off" => None,
            "epoch" => Some(Known::Known("no-cache".to_owned())),
            "max" => Some(Known::Known("max-age=315360000".to_owned())),
            text if text.contains('$') || text.starts_with('@') || modified => Some(Known::Unknown),
            text if text.starts_with('-') => Some(Known::Known("no-cache".to_owned())),
            text => Some(seconds(text).map_or(Known::Unknown, |time| {
                Known::Known(format!("max-age={time}"))
            })),
        };
        self.config.levels[id].expires = Some((value, directive.span));
    }

    /// Takes a directive of the rewrite module; `false` if it is none. `location` is the level that
    /// an `if` stands in.
    pub(super) fn rewrite_op(
        &mut self,
        directive: &Directive,
        location: Option<LevelId>,
        script: &mut Vec<Op>,
    ) -> bool {
        let args = directive.args.as_slice();
        match directive.name.text.as_str() {
            "if" => {
                if let Some(check) = self.check(directive, location) {
                    script.push(Op::If(Box::new(check)));
                }
            }
            "set" => {
                let [name, value] = args else { return true };
                let Some(name) = name.text.strip_prefix('$') else {
                    return true;
                };
                let span = value.span;
                let value = self.complex(&value.text);
                if name.eq_ignore_ascii_case("args") {
                    script.push(Op::SetArgs(value));
                } else {
                    let slot = self.slot(name, Definition::Set);
                    script.push(Op::Set { slot, value, span });
                }
            }
            "break" => script.push(Op::Break),
            "return" => {
                let op = self.fixed(directive);
                script.push(op);
            }
            "rewrite" => {
                if let Some(rewrite) = self.rewrite(directive) {
                    script.push(Op::Rewrite(Box::new(rewrite)));
                }
            }
            name if name.starts_with("set_")
                && args.first().is_some_and(|word| word.text.starts_with('$')) =>
            {
                let name = args[0].text.trim_start_matches('$').to_owned();
                let slot = self.slot(&name, Definition::Set);
                script.push(Op::Forget(slot));
            }
            _ => return false,
        }
        true
    }

    fn fixed(&mut self, directive: &Directive) -> Op {
        let args = directive.args.as_slice();
        let span = directive.span;
        let first = args.first().map_or("", |word| word.text.as_str());
        match (first.parse(), args.get(1)) {
            (Ok(status), text) => Op::Return {
                status,
                text: text
                    .filter(|word| !word.text.is_empty())
                    .map(|word| self.complex(&word.text)),
                span,
            },
            (Err(_), None) if is_url(first) => Op::Return {
                status: 302,
                text: Some(self.complex(first)),
                span,
            },
            _ => Op::Foreign(span),
        }
    }

    fn rewrite(&mut self, directive: &Directive) -> Option<Rewrite> {
        let args = directive.args.as_slice();
        let (pattern, replacement) = (args.first()?, args.get(1)?);
        let flag = match args.get(2).map(|word| word.text.as_str()) {
            Some("redirect") => RewriteFlag::Redirect(302),
            Some("permanent") => RewriteFlag::Redirect(301),
            _ if is_url(&replacement.text) => RewriteFlag::Redirect(302),
            Some("last") => RewriteFlag::Last,
            Some("break") => RewriteFlag::Break,
            _ => RewriteFlag::None,
        };
        let (text, keep_args) = match replacement.text.strip_suffix('?') {
            Some(text) => (text, false),
            None => (replacement.text.as_str(), true),
        };
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        Some(Rewrite {
            pattern: Pattern::new(&pattern.text, false),
            replacement: self.complex(path),
            args: query.map(|query| self.complex(query)),
            keep_args,
            flag,
            span: directive.span,
        })
    }

    /// The condition of an `if` (`ngx_http_rewrite_if_condition`).
    pub(super) fn condition(&mut self, args: &[Word], fallback: Span) -> Condition {
        let span = match (args.first(), args.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => fallback,
        };
        let tokens = tokens(args);
        let text = tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let (test, decision) = self.test(&tokens);
        Condition {
            test,
            text,
            span,
            decision,
        }
    }

    fn test(&mut self, tokens: &[Token]) -> (Test, Option<Decision>) {
        let Some(first) = tokens.first() else {
            return (Test::Invalid, None);
        };
        if let Some(name) = first.text.strip_prefix('$') {
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .unwrap_or(name);
            let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !name.bytes().all(word) || has_placeholder(name) {
                return (Test::Invalid, None);
            }
            let variable = self.variable(name);
            return match tokens {
                [_] => (Test::Truthy(variable), None),
                [_, operator, operand] => {
                    let negated = operator.text.starts_with('!');
                    let decision = Decision {
                        span: operand.span,
                        text: operand.text.clone(),
                        offset: operand.offset,
                        pattern: operator.text.contains('~'),
                    };
                    match operator.text.as_str() {
                        "=" | "!=" => {
                            let value = self.complex(&operand.text);
                            let test = Test::Equal {
                                variable,
                                value,
                                negated,
                            };
                            (test, Some(decision))
                        }
                        "~" | "~*" | "!~" | "!~*"
                            if has_placeholder(&operand.text) || operand.text.contains("${") =>
                        {
                            let value = Complex {
                                parts: vec![super::complex::Part::Placeholder],
                            };
                            let test = Test::Equal {
                                variable,
                                value,
                                negated,
                            };
                            (test, Some(decision))
                        }
                        "~" | "~*" | "!~" | "!~*" => {
                            let caseless = operator.text.ends_with('*');
                            let pattern = Pattern::new(&operand.text, caseless);
                            let test = Test::Match {
                                variable,
                                pattern,
                                negated,
                            };
                            (test, Some(decision))
                        }
                        _ => (Test::Invalid, None),
                    }
                }
                _ => (Test::Invalid, None),
            };
        }
        let operator = first.text.trim_start_matches('!');
        let test = match (operator.as_bytes(), tokens) {
            ([b'-', kind @ (b'f' | b'd' | b'e' | b'x')], [_, path]) => Test::File {
                kind: *kind,
                path: self.complex(&path.text),
                negated: first.text.starts_with('!'),
            },
            _ => Test::Invalid,
        };
        (test, None)
    }

    /// `map`.
    pub(super) fn map(&mut self, directive: &Directive) {
        let ([source, name], Body::Block(inner)) = (directive.args.as_slice(), &directive.body)
        else {
            return;
        };
        let Some(name) = name.text.strip_prefix('$') else {
            return;
        };
        let slot = self.slot(name, Definition::Opaque);
        let hostnames = inner
            .iter()
            .any(|entry| entry.name.text == "hostnames" && entry.args.is_empty());
        let mut map = Map {
            source: self.complex(&source.text),
            slot,
            entries: Vec::new(),
            exact: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            regexes: Vec::new(),
            default: None,
            volatile: false,
            hostnames,
            unseen: None,
            span: super::compile::head(directive),
        };
        for entry in inner {
            let key = entry.name.text.as_str();
            match (key, entry.args.as_slice()) {
                ("volatile", []) => map.volatile = true,
                ("hostnames", []) => {}
                ("include", _) => map.unseen = Some(entry.span),
                (_, [value]) => self.map_entry(&mut map, &entry.name, value),
                _ if has_placeholder(key) => map.unseen = Some(entry.span),
                _ => {}
            }
        }
        self.config.slots[slot].definition = Definition::Map(self.config.maps.len());
        self.config.maps.push(map);
    }

    fn map_entry(&mut self, map: &mut Map, key: &Word, value: &Word) {
        let at = map.entries.len();
        let mut text = key.text.as_str();
        let mut pattern = false;
        if has_placeholder(text) || text.contains("${") {
            map.unseen = Some(key.span);
        } else if text == "default" {
            map.default.get_or_insert(at);
        } else if let Some(rest) = text.strip_prefix('~') {
            let (rest, caseless) = match rest.strip_prefix('*') {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            map.regexes.push((Pattern::new(rest, caseless), at));
            text = rest;
            pattern = true;
        } else {
            text = text.strip_prefix('\\').unwrap_or(text);
            let lower = text.to_ascii_lowercase();
            if map.hostnames && lower.starts_with("*.") {
                map.head.entry(lower[1..].to_owned()).or_insert(at);
            } else if map.hostnames && lower.starts_with('.') {
                map.exact.entry(lower[1..].to_owned()).or_insert(at);
                map.head.entry(lower).or_insert(at);
            } else if map.hostnames && lower.ends_with(".*") {
                let stem = lower[..lower.len() - 1].to_owned();
                map.tail.entry(stem).or_insert(at);
            } else {
                map.exact.entry(lower).or_insert(at);
            }
        }
        let stripped = key.text.len() - text.len();
        let offset = key
            .text_offset()
            .map(|offset| offset + u32::try_from(stripped).unwrap_or(0));
        map.entries.push(Entry {
            value: self.complex(&value.text),
            value_span: value.span,
            decision: Decision {
                span: key.span,
                text: text.to_owned(),
                offset,
                pattern,
            },
        });
    }
}

/// The words of a condition, without the parentheses.
fn tokens(args: &[Word]) -> Vec<Token> {
    let last = args.len().saturating_sub(1);
    args.iter()
        .enumerate()
        .filter_map(|(at, word)| {
            let mut start = 0;
            let mut end = word.text.len();
            if at == 0 && !word.quoted && word.text.starts_with('(') {
                start = 1;
            }
            if at == last && !word.quoted && word.text.ends_with(')') && end > start {
                end -= 1;
            }
            let text = word.text.get(start..end)?.to_owned();
            let whole = end - start == word.text.len();
            let bare = (at == 0 || at == last) && !word.quoted;
            if bare && text.is_empty() {
                return None;
            }
            Some(Token {
                span: if whole {
                    word.span
                } else {
                    word.part(start, end)
                },
                offset: word
                    .text_offset()
                    .map(|offset| if whole { offset } else { 0 }),
                text,
            })
        })
        .collect()
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://") || text.starts_with("$scheme")
}

/// nginx's size (`20m`) in bytes.
fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        b'g' | b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// nginx's time (`1d12h`, `30`) in seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = Some(
                number
                    .unwrap_or(0)
                    .checked_mul(10)?
                    .checked_add(digit.into())?,
            );
            continue;
        }
        if character == ' ' {
            continue;
        }
        let unit: u64 = match character {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            'M' => 2_592_000,
            'y' => 31_536_000,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}
