//! Blocks whose lines are no directives: `map`, `geo`, `split_clients`, `types`, `charset_map`.

use super::server::Keys;
use super::values;
use super::{Body, Checker, Outcome, Word, refuse};
use crate::syntax::nginx::Directive;

/// A line's words and the directive that it was parsed as.
type Line<'t> = (&'t Directive, Vec<&'t Word>);

impl<'t> Checker<'t> {
    /// The head and the lines of such a block.
    pub(super) fn lines(&mut self, directive: &'t Directive, inner: &'t [Directive]) -> Outcome {
        let args = directive.args.as_slice();
        match (directive.name.text.as_str(), args) {
            ("map" | "split_clients", [source, variable]) => {
                self.variables.use_word(source)?;
                self.define(variable)?;
            }
            ("charset_map", [from, to]) => self.charset_pair(from, to)?,
            ("geo", [variable]) => self.define(variable)?,
            ("geo", [source, variable]) => {
                let Some(name) = source.text.strip_prefix('$') else {
                    return refuse(
                        source.span,
                        format!(r#"invalid variable name "{}""#, source.text),
                    );
                };
                self.variables.use_name(name, source.span)?;
                self.define(variable)?;
            }
            _ => {}
        }
        let mut block = Lines::default();
        for line in inner {
            if line.body != Body::None {
                return refuse(line.name.span, r#"unexpected "{""#);
            }
            let words: Vec<_> = std::iter::once(&line.name).chain(&line.args).collect();
            if line.name.text == "include" && words.len() == 2 {
                self.complete = false;
                continue;
            }
            let line = (line, words);
            match directive.name.text.as_str() {
                "map" => self.map_line(&line, &mut block)?,
                "geo" => block.geo(&line)?,
                "split_clients" => block.split_clients(&line)?,
                "charset_map" => charset_map(&line, args.get(1))?,
                "types" if line.0.name.text == "include" => {
                    return refuse(
                        line.0.name.span,
                        r#"invalid number of arguments in "include" directive"#,
                    );
                }
                _ => {}
            }
        }
        if block.percent > 10_000 {
            return refuse(directive.name.span, "percent total is greater than 100%");
        }
        Ok(())
    }

    fn charset_pair(&mut self, from: &Word, to: &Word) -> Outcome {
        let mut pair = [from, to].map(|word| word.text.to_ascii_lowercase());
        let names = format!(r#"between "{}" and "{}""#, from.text, to.text);
        if pair[0] == pair[1] {
            let names = names.replacen("between", "between the same charsets", 1);
            return refuse(to.span, format!(r#""charset_map" {names}"#));
        }
        pair.sort();
        if self.charset_maps.insert(pair) {
            return Ok(());
        }
        refuse(to.span, format!(r#"duplicate "charset_map" {names}"#))
    }

    fn map_line(&mut self, (_, words): &Line<'t>, block: &mut Lines) -> Outcome {
        let (key, value) = match words.as_slice() {
            [word] if word.text == "hostnames" => {
                block.hostnames = true;
                return Ok(());
            }
            [word] if word.text == "volatile" => return Ok(()),
            [key, value] => (*key, *value),
            [first, ..] => return refuse(first.span, "invalid number of the map parameters"),
            [] => return Ok(()),
        };
        self.variables.use_word(value)?;
        if key.text == "default" {
            if block.has_default {
                return refuse(key.span, "duplicate default map parameter");
            }
            block.has_default = true;
            return Ok(());
        }
        if key.text.starts_with('~') {
            return self.pattern(key, &["~*", "~"]);
        }
        let text = key.text.strip_prefix('\\').unwrap_or(&key.text);
        if block.hostnames {
            block.keys.add_name(text, key.span)
        } else {
            block.keys.add_text(text, key.span)
        }
    }
}

/// What one block has so far.
#[derive(Default)]
struct Lines {
    hostnames: bool,
    has_default: bool,
    keys: Keys,
    ranges: bool,
    has_networks: bool,
    /// Hundredths of percents.
    percent: i64,
}

impl Lines {
    fn geo(&mut self, (_, words): &Line<'_>) -> Outcome {
        let (net, value) = match words.as_slice() {
            [word] if word.text == "ranges" => {
                if self.has_networks {
                    return refuse(
                        word.span,
                        r#"the "ranges" directive must be the first directive inside "geo" block"#,
                    );
                }
                self.ranges = true;
                return Ok(());
            }
            [word] if word.text == "proxy_recursive" => return Ok(()),
            [net, value] => (*net, *value),
            [first, ..] => return refuse(first.span, "invalid number of the geo parameters"),
            [] => return Ok(()),
        };
        let is_network = |text: &str| values::is_cidr(text);
        let network = match net.text.as_str() {
            "proxy" => {
                return if is_network(&value.text) {
                    Ok(())
                } else {
                    refuse(value.span, format!(r#"invalid network "{}""#, value.text))
                };
            }
            "default" => {
                self.has_networks |= !self.ranges;
                return Ok(());
            }
            "delete" => value,
            _ => net,
        };
        let text = network.text.as_str();
        if self.ranges {
            let is_range = text.split_once('-').is_some_and(|(start, end)| {
                let ends = [start, end].map(values::ipv4);
                matches!(ends, [Some(start), Some(end)] if start <= end && !end.is_broadcast())
            });
            return if is_range {
                Ok(())
            } else {
                refuse(network.span, format!(r#"invalid range "{text}""#))
            };
        }
        self.has_networks = true;
        if is_network(text) {
            Ok(())
        } else {
            refuse(network.span, format!(r#"invalid network "{text}""#))
        }
    }

    fn split_clients(&mut self, (_, words): &Line<'_>) -> Outcome {
        let Some(first) = words.first() else {
            return Ok(());
        };
        if first.text == "*" {
            // What is left over.
            self.percent = self.percent.max(10_000);
            return Ok(());
        }
        match first.text.strip_suffix('%').and_then(hundredths) {
            Some(part) if part > 0 => {
                self.percent += part;
                Ok(())
            }
            _ => refuse(
                first.span,
                format!(r#"invalid percent value "{}""#, first.text),
            ),
        }
    }
}

/// A number with up to two decimals, times 100.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 2 || (whole.is_empty() && decimals.is_empty()) {
        return None;
    }
    values::number(&format!("{whole}{decimals:0<2}"))
}

/// A line with a code and what it becomes: a code, or the bytes of a character in UTF-8.
fn charset_map((line, words): &Line<'_>, target: Option<&Word>) -> Outcome {
    let [code, to] = words.as_slice() else {
        return refuse(line.name.span, "invalid parameters number");
    };
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_code = |text: &str| is_hex(text) && text.trim_start_matches('0').len() <= 2;
    let is_utf8 = target.is_some_and(|target| target.text.eq_ignore_ascii_case("utf-8"));
    let is_target = if is_utf8 {
        is_hex(&to.text) && to.text.len().is_multiple_of(2)
    } else {
        is_code(&to.text)
    };
    let wrong = match (is_code(&code.text), is_target) {
        (true, true) => return Ok(()),
        (true, false) => to,
        (false, _) => code,
    };
    refuse(wrong.span, format!(r#"invalid value "{}""#, wrong.text))
}
