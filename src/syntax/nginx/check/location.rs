//! Locations and what serves them (`ngx_http_core_module.c` and the proxying modules).

use super::values::{self, UrlKind};
use super::{Checker, Context, Level, Outcome, Word, invalid_parameter, refuse};
use crate::syntax::nginx::Directive;

/// How a location is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// `=`
    Exact,
    /// A prefix, with `^~` or without.
    Prefix,
    /// `~`, `~*`
    Regex,
    /// `@name`
    Named,
}

/// A location's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    pub(super) kind: Match,
    pub(super) name: &'t str,
}

impl<'t> Place<'t> {
    /// Reads the arguments of `location`; the flag says whether a regex ignores case. The error
    /// is a modifier that is none.
    fn read(args: &'t [Word]) -> Result<(Self, bool), &'t Word> {
        let place = |kind, name, caseless| Ok((Self { kind, name }, caseless));
        match args {
            [modifier, name] => {
                let name = name.text.as_str();
                match modifier.text.as_str() {
                    "=" => place(Match::Exact, name, false),
                    "^~" => place(Match::Prefix, name, false),
                    "~" => place(Match::Regex, name, false),
                    "~*" => place(Match::Regex, name, true),
                    _ => Err(modifier),
                }
            }
            args => {
                let text = args.first().map_or("", |word| word.text.as_str());
                if let Some(name) = text.strip_prefix('=') {
                    place(Match::Exact, name, false)
                } else if let Some(name) = text.strip_prefix("^~") {
                    place(Match::Prefix, name, false)
                } else if let Some(name) = text.strip_prefix("~*") {
                    place(Match::Regex, name, true)
                } else if let Some(name) = text.strip_prefix('~') {
                    place(Match::Regex, name, false)
                } else if text.starts_with('@') {
                    place(Match::Named, text, false)
                } else {
                    place(Match::Prefix, text, false)
                }
            }
        }
    }
}

impl<'t> Checker<'t> {
    pub(super) fn in_location(
        &mut self,
        directive: &'t Directive,
        level: &mut Level<'t>,
    ) -> Outcome {
        let args = directive.args.as_slice();
        match directive.name.text.as_str() {
            "location" => self.location(args, level),
            "limit_except" => {
                if !level.note("limit_except") {
                    return refuse(
                        directive.name.span,
                        r#""limit_except" directive is duplicate"#,
                    );
                }
                args.iter().try_for_each(method)
            }
            "root" | "alias" => self.root(directive, level),
            "error_page" => self.error_page(args),
            "try_files" => self.try_files(args),
            "index" => args.iter().try_for_each(|word| {
                if word.text.is_empty() {
                    let text = args.first().map_or("", |word| word.text.as_str());
                    return refuse(
                        word.span,
                        format!(r#"index "{text}" in "index" directive is invalid"#),
                    );
                }
                self.variables.use_word(word)
            }),
            "proxy_redirect" => self.proxy_redirect(directive, level),
            _ => match args {
                [url] => self.pass(&directive.name.text, url, level),
                _ => Ok(()),
            },
        }
    }

    fn location(&mut self, args: &'t [Word], level: &mut Level<'t>) -> Outcome {
        let Some(last) = args.last() else {
            return Ok(());
        };
        let (place, caseless) = match Place::read(args) {
            Ok(found) => found,
            Err(modifier) => {
                return refuse(
                    modifier.span,
                    format!(r#"invalid location modifier "{}""#, modifier.text),
                );
            }
        };
        let name = place.name;
        if place.kind == Match::Regex {
            self.regex(name, last.span, caseless)?;
        }
        if level.context == Context::Location {
            self.nested(last, place, level)?;
        }
        let exact = match place.kind {
            Match::Regex | Match::Named => return Ok(()),
            Match::Exact => true,
            Match::Prefix => false,
        };
        if level.locations.insert((exact, name)) {
            return Ok(());
        }
        refuse(last.span, format!(r#"duplicate location "{name}""#))
    }

    fn nested(&self, word: &Word, place: Place<'t>, level: &Level<'t>) -> Outcome {
        let name = place.name;
        let refuse = |message| refuse(word.span, message);
        if place.kind == Match::Named {
            // The parent's kind is checked first, but either way it is refused.
            return refuse(format!(
                r#"named location "{name}" can be on the server level only"#
            ));
        }
        let Some(parent) = level.location else {
            return Ok(());
        };
        let outer = parent.name;
        match parent.kind {
            Match::Exact => refuse(format!(
                r#"location "{name}" cannot be inside the exact location "{outer}""#
            )),
            Match::Named => refuse(format!(
                r#"location "{name}" cannot be inside the named location "{outer}""#
            )),
            Match::Prefix | Match::Regex
                if place.kind != Match::Regex && !name.starts_with(outer) =>
            {
                refuse(format!(
                    r#"location "{name}" is outside location "{outer}""#
                ))
            }
            Match::Prefix | Match::Regex => Ok(()),
        }
    }

    /// What a block knows of the directive that opens it.
    pub(super) fn enter(&mut self, directive: &'t Directive, below: &mut Level<'t>) {
        match directive.name.text.as_str() {
            "location" => {
                below.location = Place::read(&directive.args).ok().map(|(place, _)| place);
            }
            "if" | "limit_except" => below.nameless = true,
            "upstream" => self.open_upstream(directive, below),
            _ => {}
        }
    }

    fn root(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let Some(path) = directive.args.first() else {
            return Ok(());
        };
        let refuse = |message: String| refuse(path.span, message);
        let other = if name == "alias" { "root" } else { "alias" };
        if level.has(other) {
            return refuse(format!(
                r#""{name}" directive is duplicate, "{other}" directive was specified earlier"#
            ));
        }
        if !level.note(name) {
            return refuse(format!(r#""{name}" directive is duplicate"#));
        }
        let is_named = level
            .location
            .is_some_and(|place| place.kind == Match::Named);
        if is_named && name == "alias" {
            return refuse(
                r#"the "alias" directive cannot be used inside the named location"#.to_owned(),
            );
        }
        for variable in ["document_root", "realpath_root"] {
            let written = [format!("${variable}"), format!("${{{variable}}}")];
            if written.iter().any(|written| path.text.contains(written)) {
                return refuse(format!(
                    r#"the ${variable} variable cannot be used in the "{name}" directive"#
                ));
            }
        }
        self.variables.use_word(path)
    }

    fn error_page(&mut self, args: &'t [Word]) -> Outcome {
        let [codes @ .., uri] = args else {
            return Ok(());
        };
        let invalid = |word: &Word| refuse(word.span, format!(r#"invalid value "{}""#, word.text));
        let codes = match codes {
            [codes @ .., answer] if answer.text.starts_with('=') => {
                let code = &answer.text[1..];
                if codes.is_empty() || (!code.is_empty() && values::number(code).is_none()) {
                    return invalid(answer);
                }
                codes
            }
            codes => codes,
        };
        self.variables.use_word(uri)?;
        codes
            .iter()
            .try_for_each(|word| match values::number(&word.text) {
                None | Some(499) => invalid(word),
                Some(300..=599) => Ok(()),
                Some(_) => refuse(
                    word.span,
                    format!(r#"value "{}" must be between 300 and 599"#, word.text),
                ),
            })
    }

    fn try_files(&mut self, args: &'t [Word]) -> Outcome {
        args.iter()
            .try_for_each(|word| self.variables.use_word(word))?;
        let Some(last) = args.last() else {
            return Ok(());
        };
        match last.text.strip_prefix('=').map(values::number) {
            Some(None | Some(1000..)) => {
                refuse(last.span, format!(r#"invalid code "{}""#, last.text))
            }
            Some(Some(_)) | None => Ok(()),
        }
    }

    /// A `*_pass` directive.
    fn pass(&mut self, name: &'t str, word: &'t Word, level: &mut Level<'t>) -> Outcome {
        if word.text.contains('$') && name != "memcached_pass" {
            level.note("pass with variables");
            return self.variables.use_word(word);
        }
        let schemes: &[&str] = match name {
            "proxy_pass" => &["http://", "https://"],
            "uwsgi_pass" => &["uwsgi://", "suwsgi://"],
            "grpc_pass" => &["grpc://", "grpcs://"],
            _ => &[],
        };
        let text = word.text.as_str();
        let without_scheme = schemes.iter().find_map(|scheme| {
            let start = text.get(..scheme.len())?;
            start
                .eq_ignore_ascii_case(scheme)
                .then(|| &text[scheme.len()..])
        });
        let is_proxy = name == "proxy_pass";
        if is_proxy && without_scheme.is_none() {
            return refuse(word.span, "invalid URL prefix");
        }
        let kind = if is_proxy {
            UrlKind::WithUri
        } else {
            UrlKind::Host
        };
        let rest = without_scheme.unwrap_or(text);
        let url = match values::url(rest, kind) {
            Ok(url) => url,
            Err(reason) => {
                return refuse(word.span, format!(r#"{reason} in upstream "{rest}""#));
            }
        };
        if name == "memcached_pass" {
            self.variables.use_name("memcached_key", word.span)?;
        }
        let has_no_prefix = level.nameless
            || level
                .location
                .is_some_and(|place| matches!(place.kind, Match::Regex | Match::Named));
        if is_proxy && url.has_uri && has_no_prefix {
            return refuse(
                word.span,
                r#""proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block"#,
            );
        }
        self.upstreams.used(&url, is_proxy, word.span);
        Ok(())
    }

    fn proxy_redirect(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let refuse_name = |message: &str| refuse(directive.name.span, message);
        let duplicate = r#""proxy_redirect" directive is duplicate"#;
        if level.has("proxy_redirect off") {
            return refuse_name(duplicate);
        }
        match directive.args.as_slice() {
            [word] if word.text == "off" => {
                level.note("proxy_redirect off");
                if level.note("proxy_redirect") {
                    Ok(())
                } else {
                    refuse_name(duplicate)
                }
            }
            [word] if word.text == "default" => {
                level.note("proxy_redirect");
                if level.has("pass with variables") {
                    refuse_name(
                        r#""proxy_redirect default" cannot be used with "proxy_pass" directive with variables"#,
                    )
                } else if level.has("proxy_pass") {
                    Ok(())
                } else {
                    refuse_name(
                        r#""proxy_redirect default" should be placed after the "proxy_pass" directive"#,
                    )
                }
            }
            [word] => invalid_parameter(word),
            [from, to, ..] => {
                level.note("proxy_redirect");
                self.pattern(from, &["~*", "~"])?;
                self.variables.use_word(to)
            }
            [] => Ok(()),
        }
    }

    /// A text with variables, or a regular expression behind one of the marks; `~*` ignores case.
    pub(super) fn pattern(&mut self, word: &'t Word, marks: &[&str]) -> Outcome {
        match marks
            .iter()
            .find_map(|mark| Some((mark, word.text.strip_prefix(mark)?)))
        {
            Some((mark, pattern)) => self.regex(pattern, word.span, mark.ends_with('*')),
            None => self.variables.use_word(word),
        }
    }
}

/// A method that `limit_except` knows.
fn method(word: &Word) -> Outcome {
    const METHODS: [&str; 14] = [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "MKCOL",
        "COPY",
        "MOVE",
        "OPTIONS",
        "PROPFIND",
        "PROPPATCH",
        "LOCK",
        "UNLOCK",
        "PATCH",
    ];
    if METHODS
        .iter()
        .any(|method| method.eq_ignore_ascii_case(&word.text))
    {
        return Ok(());
    }
    refuse(word.span, format!(r#"invalid method "{}""#, word.text))
}
