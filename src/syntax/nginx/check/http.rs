//! The other directives of `http` that have a syntax of their own.

use super::rewrite::compile;
use super::values;
use super::{Body, Checker, Level, Outcome, Word, invalid_parameter, modules, refuse};
use crate::syntax::nginx::Directive;

/// The phases of Lua that need code and take variables in file names.
const LUA_REQUEST_PHASES: [&str; 7] = [
    "server_rewrite",
    "rewrite",
    "access",
    "content",
    "header_filter",
    "body_filter",
    "log",
];

impl<'t> Checker<'t> {
    pub(super) fn http(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        match name {
            "add_header" | "add_trailer" => {
                if let [_, value, ..] = args {
                    self.variables.use_word(value)?;
                }
                match args.get(2) {
                    Some(word) if word.text != "always" => invalid_parameter(word),
                    _ => Ok(()),
                }
            }
            "expires" => self.expires(directive),
            "allow" | "deny" => match args {
                [word] if !["all", "unix:"].contains(&word.text.as_str()) => {
                    if values::is_cidr(&word.text) {
                        Ok(())
                    } else {
                        invalid_parameter(word)
                    }
                }
                _ => Ok(()),
            },
            "access_log" => self.access_log(args),
            "log_format" => self.log_format(args),
            "error_log" => modules::log_levels(args.get(1..).unwrap_or_default()),
            "limit_req_zone" | "limit_conn_zone" => self.limit_zone(directive),
            "limit_req" => self.limit_req(directive, level),
            "limit_conn" => self.limit_conn(directive, level),
            "auth_basic_user_file"
            | "uwsgi_cache_key"
            | "scgi_cache_key"
            | "fastcgi_cache_key"
            | "proxy_cache_key" => self.texts(args),
            "auth_request_set" => match args {
                [variable, value] => {
                    self.define(variable)?;
                    self.variables.use_word(value)
                }
                _ => Ok(()),
            },
            "more_set_headers"
            | "more_clear_headers"
            | "more_set_input_headers"
            | "more_clear_input_headers" => self.more_headers(directive),
            _ if name.starts_with("proxy_")
                || name.starts_with("fastcgi_")
                || name.starts_with("uwsgi_")
                || name.starts_with("scgi_")
                || name.starts_with("grpc_") =>
            {
                self.proxying(directive, level)
            }
            _ if name.contains("_by_lua") => self.lua(directive, level),
            _ => self.other(directive, level),
        }
    }

    fn texts(&mut self, words: &'t [Word]) -> Outcome {
        words
            .iter()
            .try_for_each(|word| self.variables.use_word(word))
    }

    fn expires(&mut self, directive: &'t Directive) -> Outcome {
        let args = directive.args.as_slice();
        let invalid =
            |word: &Word, what: &str| refuse(word.span, format!(r#""expires" directive {what}"#));
        let (modified, word) = match args {
            [word] => (false, word),
            [first, word] if first.text == "modified" => (true, word),
            [first, ..] => return invalid(first, "invalid value"),
            [] => return Ok(()),
        };
        self.variables.use_word(word)?;
        let text = word.text.as_str();
        if text.contains('$') || (!modified && matches!(text, "epoch" | "max" | "off")) {
            return Ok(());
        }
        let daily = text.starts_with('@');
        if daily && modified {
            return invalid(
                word,
                r#"daily time cannot be used with "modified" parameter"#,
            );
        }
        let time = text.strip_prefix(['@', '+', '-']).unwrap_or(text);
        match values::time(time, true) {
            None => invalid(word, "invalid value"),
            Some(time) if daily && time > 24 * 60 * 60 => {
                invalid(word, "daily time value must be less than 24 hours")
            }
            Some(_) => Ok(()),
        }
    }

    /// Directives of the modules that pass requests on.
    fn proxying(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        let (module, rest) = name.split_once('_').unwrap_or((name, ""));
        let (cache, store) = match module {
            "proxy" => ("proxy_cache", "proxy_store"),
            "fastcgi" => ("fastcgi_cache", "fastcgi_store"),
            "uwsgi" => ("uwsgi_cache", "uwsgi_store"),
            _ => ("scgi_cache", "scgi_store"),
        };
        match (rest, args) {
            ("cache", [zone]) => {
                self.cache(cache, store, zone, level)?;
                if zone.text == "off" {
                    level.seen.remove(cache);
                    level.note("cache off");
                }
                Ok(())
            }
            ("buffers", [count, _]) if values::number(&count.text) == Some(1) => {
                refuse(count.span, format!(r#"there must be at least 2 "{name}""#))
            }
            ("cache_path", _) => self.cache_path(directive, cache),
            ("cache_valid", _) => self.cache_valid(args),
            ("store", [word]) if word.text == "off" => {
                level.seen.remove(store);
                Ok(())
            }
            ("store", [word]) => {
                if level.has(cache) {
                    return refuse(
                        word.span,
                        format!(r#""{name}" directive is incompatible with "{cache}""#),
                    );
                }
                self.variables.use_word(word)
            }
            ("param", [_, value, flag @ ..]) => {
                self.variables.use_word(value)?;
                match flag.first() {
                    Some(flag) if flag.text != "if_not_empty" => invalid_parameter(flag),
                    _ => Ok(()),
                }
            }
            ("set_header", [_, value]) | ("set_body", [value]) => self.variables.use_word(value),
            ("split_path_info", [pattern]) => {
                let groups = compile(&pattern.text, pattern.span, false)?;
                if groups.len() == 3 {
                    return Ok(());
                }
                refuse(
                    pattern.span,
                    format!(r#"pattern "{}" must have 2 captures"#, pattern.text),
                )
            }
            ("cookie_domain" | "cookie_path" | "cookie_flags", _) => self.cookie(directive, level),
            _ => Ok(()),
        }
    }

    /// `proxy_cookie_*`: `off`, or what to replace by what.
    fn cookie(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let off = match name {
            "proxy_cookie_domain" => "proxy_cookie_domain off",
            "proxy_cookie_path" => "proxy_cookie_path off",
            _ => "proxy_cookie_flags off",
        };
        let is_off = matches!(directive.args.as_slice(), [word] if word.text == "off");
        if level.has(off) || (is_off && level.has(name)) {
            return refuse(
                directive.name.span,
                format!(r#""{name}" directive is duplicate"#),
            );
        }
        if is_off {
            level.note(off);
            return Ok(());
        }
        match directive.args.as_slice() {
            [word] => invalid_parameter(word),
            [from, to @ ..] => {
                level.note(name);
                if name == "proxy_cookie_path" {
                    self.pattern(from, &["~*", "~"])?;
                } else if let Some(pattern) = from.text.strip_prefix('~') {
                    self.regex(pattern, from.span, true)?;
                } else {
                    self.variables.use_word(from)?;
                }
                self.texts(to)
            }
            [] => Ok(()),
        }
    }

    /// Headers, and options that restrict them (headers-more).
    fn more_headers(&mut self, directive: &'t Directive) -> Outcome {
        let name = directive.name.text.as_str();
        let is_input = name.contains("_input_");
        let mut words = directive.args.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            match text {
                "" => {}
                "-s" | "-t" if text == "-t" || !is_input => {
                    let Some(list) = words.next() else {
                        return refuse(
                            word.span,
                            format!("{name}: option {text} takes an argument."),
                        );
                    };
                    let digit = |c: char| c.is_ascii_digit() || c.is_ascii_whitespace();
                    if let Some(wrong) = list.text.chars().find(|c| text == "-s" && !digit(*c)) {
                        return refuse(
                            list.span,
                            format!(
                                r#"{name}: invalid digit "{wrong}" found in the status code list "{}""#,
                                list.text
                            ),
                        );
                    }
                }
                "-r" if name == "more_set_input_headers" => {}
                // Newer versions append.
                "-a" if name == "more_set_headers" => {}
                _ if text.starts_with('-') => {
                    return refuse(
                        word.span,
                        format!(r#"{name}: invalid option name: "{text}""#),
                    );
                }
                _ => self.more_header(name, word)?,
            }
        }
        Ok(())
    }

    fn more_header(&mut self, name: &str, word: &'t Word) -> Outcome {
        let text = word.text.as_str();
        let is_space = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
        let header = text.trim_start_matches(is_space);
        if header.is_empty() {
            return refuse(
                word.span,
                format!("{name}: no key found in the header argument: {text}"),
            );
        }
        let ends = |c: char| c == ':' || is_space(c);
        // The first character belongs to the key in any case.
        let first = header.chars().next().map_or(0, char::len_utf8);
        let length = header[first..]
            .find(ends)
            .map_or(header.len(), |at| at + first);
        let (key, value) = header.split_at(length);
        if key == "*" && text.starts_with('*') {
            return refuse(word.span, format!("{name}: wildcard key too short: {text}"));
        }
        if name.contains("_clear_") {
            return Ok(());
        }
        self.variables
            .use_text(value.trim_start_matches(ends), word.span)
    }

    /// Lua's handlers: one of each phase in a block, whether inline, block or file.
    fn lua(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        if name.starts_with("set_by_lua") {
            let Some((variable, rest)) = args.split_first() else {
                return Ok(());
            };
            self.define(variable)?;
            return self.texts(rest.get(1..).unwrap_or_default());
        }
        let phase = name.split("_by_lua").next().unwrap_or(name);
        if !level.note(phase) {
            return refuse(
                directive.name.span,
                format!(r#""{name}" directive is duplicate"#),
            );
        }
        let is_empty = match &directive.body {
            Body::Foreign(span) => span.start == span.end,
            _ => args.first().is_some_and(|word| word.text.is_empty()),
        };
        if is_empty && (phase == "init" || LUA_REQUEST_PHASES.contains(&phase)) {
            return refuse(
                directive.name.span,
                "invalid location config: no runnable Lua code",
            );
        }
        if name.ends_with("_file") && LUA_REQUEST_PHASES.contains(&phase) {
            return self.texts(args);
        }
        Ok(())
    }

    fn other(&mut self, directive: &'t Directive, level: &mut Level<'t>) -> Outcome {
        let name = directive.name.text.as_str();
        let args = directive.args.as_slice();
        let Some(first) = args.first() else {
            return Ok(());
        };
        let text = first.text.as_str();
        let wrong = |what: &str| refuse(first.span, format!(r#""{name}" directive {what}"#));
        match name {
            "keepalive_timeout" => {
                let header = args.get(1).map(|word| values::time(&word.text, true));
                if values::time(text, false).is_none() || header == Some(None) {
                    return wrong("invalid value");
                }
            }
            "directio" if text != "off" && values::offset(text).is_none() => {
                return wrong("invalid value");
            }
            "userid_expires"
                if !["max", "off"].contains(&text) && values::time(text, true).is_none() =>
            {
                return wrong("invalid value");
            }
            "aio" => {
                let threads = text.strip_prefix("threads");
                if let Some(pool) = threads.and_then(|rest| rest.strip_prefix('=')) {
                    return self.variables.use_text(pool, first.span);
                }
                if !["on", "off", "threads"].contains(&text) {
                    return wrong("invalid value");
                }
            }
            "charset" | "source_charset" => {
                if let Some(variable) = text.strip_prefix('$') {
                    return self.variables.use_name(variable, first.span);
                }
            }
            "gzip_disable" => {
                let patterns = args.iter().filter(|word| word.text != "msie6");
                for word in patterns {
                    compile(&word.text, word.span, true)?;
                }
            }
            "sub_filter" => {
                if text.is_empty() {
                    return refuse(first.span, "empty search pattern");
                }
                return self.texts(args);
            }
            "mirror" => {
                let is_off = text == "off";
                if level.has("mirror off") || (is_off && level.has("mirror")) {
                    return wrong("is duplicate");
                }
                level.note(if is_off { "mirror off" } else { "mirror" });
            }
            "lua_malloc_trim" if values::number(text).is_none() => {
                return wrong("invalid number in the 1st argument");
            }
            "lua_package_path" | "lua_package_cpath" if !text.is_empty() && !level.note(name) => {
                return wrong("is duplicate");
            }
            "gzip_hash" | "gzip_window" => {
                let (largest, message) = if name == "gzip_hash" {
                    (
                        128 << 10,
                        "must be 512, 1k, 2k, 4k, 8k, 16k, 32k, 64k, or 128k",
                    )
                } else {
                    (32 << 10, "must be 512, 1k, 2k, 4k, 8k, 16k, or 32k")
                };
                let is_power =
                    |size: &i64| size.count_ones() == 1 && (512..=largest).contains(size);
                if values::size(text).filter(is_power).is_none() {
                    return wrong(message);
                }
            }
            "userid_mark" => {
                let is_mark = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'=';
                let is_valid = matches!(text.as_bytes(), [byte] if is_mark(byte));
                if text != "off" && !is_valid {
                    return wrong(r#"value must be "off" or a single letter, digit or "=""#);
                }
            }
            "http2_chunk_size" if values::size(text) == Some(0) => {
                return refuse(first.span, "the http2 chunk size cannot be zero");
            }
            "http2_streams_index_size"
                if values::number(text).is_some_and(|size| size.count_ones() != 1) =>
            {
                return wrong("must be a power of two");
            }
            "ssl_ocsp_cache" if text != "off" && !text.starts_with("shared:") => {
                return refuse(first.span, format!(r#"invalid OCSP cache "{text}""#));
            }
            "lua_shared_dict" => return self.lua_shared_dict(args),
            "valid_referers" => return valid_referers(args, level),
            "perl_set" => return self.define(first),
            "ssl_session_cache" => {
                return args.iter().try_for_each(|word| self.session_cache(word));
            }
            "open_file_cache" | "open_log_file_cache" => return open_file_cache(directive),
            "disable_symlinks" => {
                if let Some(from) = args.iter().find_map(|word| word.text.strip_prefix("from=")) {
                    self.variables.use_text(from, first.span)?;
                }
                let is_known = |word: &&Word| {
                    ["off", "on", "if_not_owner"].contains(&word.text.as_str())
                        || word.text.starts_with("from=")
                };
                if let Some(word) = args.iter().find(|word| !is_known(word)) {
                    return invalid_parameter(word);
                }
                let is_from = |word: &Word| word.text.starts_with("from=");
                if let [_, second] = args
                    && !args.iter().any(is_from)
                {
                    return refuse(
                        second.span,
                        format!(r#"duplicate parameters "{text} {}""#, second.text),
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn lua_shared_dict(&mut self, args: &'t [Word]) -> Outcome {
        let [name, size] = args else {
            return Ok(());
        };
        if name.text.is_empty() {
            return refuse(name.span, r#"invalid lua shared dict name """#);
        }
        match values::size(&size.text) {
            Some(bytes) if bytes > 8191 => {
                self.zones
                    .declare("lua_shared_dict", &name.text, bytes, name.span)?;
                if self.zones.bind(&name.text) {
                    return Ok(());
                }
                let name = &name.text;
                refuse(
                    args[0].span,
                    format!(r#"lua_shared_dict "{name}" is already defined as "{name}""#),
                )
            }
            _ => refuse(
                size.span,
                format!(r#"invalid lua shared dict size "{}""#, size.text),
            ),
        }
    }

    fn session_cache(&mut self, word: &'t Word) -> Outcome {
        let text = word.text.as_str();
        let invalid = || refuse(word.span, format!(r#"invalid session cache "{text}""#));
        if matches!(text, "off" | "none" | "builtin") {
            return Ok(());
        }
        if let Some(count) = text.strip_prefix("builtin:") {
            return if values::number(count).is_some() {
                Ok(())
            } else {
                invalid()
            };
        }
        let shared = text
            .strip_prefix("shared:")
            .and_then(|rest| rest.split_once(':'));
        match shared.and_then(|(name, size)| Some((name, values::size(size)?))) {
            Some((name, size)) if !name.is_empty() => {
                if size < 8 * 4096 {
                    return refuse(word.span, format!(r#"session cache "{text}" is too small"#));
                }
                self.zones.declare("ssl_session", name, size, word.span)
            }
            _ => invalid(),
        }
    }
}

fn valid_referers(args: &[Word], level: &mut Level<'_>) -> Outcome {
    args.iter().try_for_each(|word| match word.text.as_str() {
        "" => refuse(word.span, r#"invalid referer """#),
        "none" | "blocked" => Ok(()),
        "server_names" => {
            level.refers_to_server = Some(word.span);
            Ok(())
        }
        text => {
            if let Some(pattern) = text.strip_prefix('~') {
                return compile(pattern, word.span, true).map(|_| ());
            }
            let host = text.split('/').next().unwrap_or(text);
            level.referers.add_name(host, word.span)
        }
    })
}

fn open_file_cache(directive: &Directive) -> Outcome {
    let name = &directive.name.text;
    let (mut is_off, mut has_max) = (false, false);
    for word in &directive.args {
        let is_valid = match word.text.split_once('=') {
            None => {
                is_off = word.text == "off";
                is_off
            }
            Some(("max", max)) => {
                has_max = values::number(max).is_some_and(|max| max > 0);
                has_max
            }
            Some(("inactive", time)) => values::time(time, true).is_some(),
            Some(("min_uses", uses)) => values::number(uses).is_some(),
            Some(("valid", time)) => values::time(time, true).is_some(),
            Some(_) => false,
        };
        if !is_valid {
            return refuse(
                word.span,
                format!(r#"invalid "{name}" parameter "{}""#, word.text),
            );
        }
    }
    if is_off || has_max {
        return Ok(());
    }
    refuse(
        directive.name.span,
        format!(r#""{name}" must have the "max" parameter"#),
    )
}
