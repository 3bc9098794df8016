//! `set`, `if`, `return`, `rewrite` (`ngx_http_rewrite_module.c`), and regular expressions.

use pcre2::ErrorKind;
use pcre2::bytes::RegexBuilder;

use super::{Checker, Outcome, Word, invalid_parameter, refuse, values};
use crate::source::Span;
use crate::syntax::nginx::Directive;

/// More regular expressions than this in one configuration are accepted unread.
const MANY_REGEXES: usize = 50_000;

impl<'t> Checker<'t> {
    pub(super) fn rewrite(&mut self, directive: &'t Directive) -> Outcome {
        match (directive.name.text.as_str(), directive.args.as_slice()) {
            ("if", _) => self.condition(&directive.args),
            ("set", [variable, value]) => {
                self.define(variable)?;
                self.variables.use_word(value)
            }
            ("return", [code, text @ ..]) => self.return_code(code, text.first()),
            ("rewrite", [pattern, replacement, flag @ ..]) => {
                self.rewrite_rule(pattern, replacement, flag.first())
            }
            _ => Ok(()),
        }
    }

    /// A word that names a variable to define.
    pub(super) fn define(&mut self, word: &Word) -> Outcome {
        match word.text.strip_prefix('$') {
            Some(name) => self.variables.define(name, word.span),
            None => refuse(
                word.span,
                format!(r#"invalid variable name "{}""#, word.text),
            ),
        }
    }

    fn return_code(&mut self, code: &Word, text: Option<&Word>) -> Outcome {
        match (values::number(&code.text), text) {
            (Some(number), _) if number > 999 => {}
            (Some(_), None) => return Ok(()),
            (Some(_), Some(text)) => return self.variables.use_word(text),
            (None, None) if is_redirect(&code.text) => return self.variables.use_word(code),
            (None, _) => {}
        }
        refuse(code.span, format!(r#"invalid return code "{}""#, code.text))
    }

    fn rewrite_rule(&mut self, pattern: &Word, replacement: &Word, flag: Option<&Word>) -> Outcome {
        if replacement.text.is_empty() {
            return refuse(replacement.span, "empty replacement");
        }
        self.regex(&pattern.text, pattern.span, false)?;
        if let Some(flag) = flag
            && !["last", "break", "redirect", "permanent"].contains(&flag.text.as_str())
        {
            return invalid_parameter(flag);
        }
        let text = replacement.text.strip_suffix('?');
        let text = text.unwrap_or(&replacement.text);
        self.variables.use_text(text, replacement.span)
    }

    /// The words of `if`, parentheses included.
    fn condition(&mut self, words: &[Word]) -> Outcome {
        let invalid =
            |word: &Word, text: &str| refuse(word.span, format!(r#"invalid condition "{text}""#));
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return Ok(());
        };
        if !first.text.starts_with('(') {
            return invalid(first, &first.text);
        }
        let mut texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        texts[0] = &texts[0][1..];
        let end = texts.len() - 1;
        let Some(text) = texts[end].strip_suffix(')') else {
            return invalid(last, texts[end]);
        };
        texts[end] = text;
        // Parentheses may stand alone.
        let mut operands: Vec<_> = words.iter().zip(texts).collect();
        if operands.len() > 1 && operands[0].1.is_empty() {
            operands.remove(0);
        }
        if operands.len() > 1 && operands.last().is_some_and(|(_, text)| text.is_empty()) {
            operands.pop();
        }
        self.operands(&operands)
    }

    fn operands(&mut self, operands: &[(&Word, &str)]) -> Outcome {
        let invalid = |(word, text): (&Word, &str)| {
            refuse(word.span, format!(r#"invalid condition "{text}""#))
        };
        let Some(&first) = operands.first() else {
            return Ok(());
        };
        let (word, text) = first;
        let is_file_test = matches!(text.as_bytes(), [b'-', _] | [b'!', b'-', _]);
        match (text.strip_prefix('$'), &operands[1..]) {
            (Some(name), rest) if !name.is_empty() => {
                if rest.len() == 1 || rest.len() > 2 {
                    return invalid(first);
                }
                self.variables.use_name(name, word.span)?;
                match rest {
                    [(_, "=" | "!="), (word, text)] => self.variables.use_text(text, word.span),
                    [(_, operator @ ("~" | "~*" | "!~" | "!~*")), (word, text)] => {
                        self.regex(text, word.span, operator.ends_with('*'))
                    }
                    [(word, operator), _] => refuse(
                        word.span,
                        format!(r#"unexpected "{operator}" in condition"#),
                    ),
                    _ => Ok(()),
                }
            }
            (None, [(word, path)]) if is_file_test => {
                self.variables.use_text(path, word.span)?;
                if text.ends_with(['f', 'd', 'e', 'x']) {
                    Ok(())
                } else {
                    invalid(first)
                }
            }
            _ => invalid(first),
        }
    }

    /// A regular expression, which may define variables by named groups.
    pub(super) fn regex(&mut self, pattern: &str, span: Span, caseless: bool) -> Outcome {
        self.regexes += 1;
        if self.regexes > MANY_REGEXES {
            // What these would define is not known either.
            self.has_unknown = true;
            return Ok(());
        }
        let names = compile(pattern, span, caseless)?;
        names
            .iter()
            .flatten()
            .try_for_each(|name| self.variables.define(name, span))
    }
}

/// The names of a pattern's groups, the whole match included.
pub(super) fn compile(
    pattern: &str,
    span: Span,
    caseless: bool,
) -> Result<Vec<Option<String>>, super::SyntaxError> {
    let error = match RegexBuilder::new().caseless(caseless).build(pattern) {
        Ok(regex) => return Ok(regex.capture_names().to_vec()),
        Err(error) => error,
    };
    if !matches!(error.kind(), ErrorKind::Compile) {
        return Ok(Vec::new());
    }
    let words = error.to_string();
    let reason = words.rsplit(": ").next().unwrap_or_default();
    let place = error
        .offset()
        .filter(|offset| *offset < pattern.len())
        .and_then(|offset| pattern.get(offset..))
        .map(|rest| format!(r#" at "{rest}""#))
        .unwrap_or_default();
    Err(super::SyntaxError {
        span,
        message: format!(r#"pcre2_compile() failed: {reason} in "{pattern}"{place}"#),
    })
}

/// Does `return` with one argument take it for a URL?
fn is_redirect(text: &str) -> bool {
    ["http://", "https://", "$scheme"]
        .iter()
        .any(|start| text.starts_with(start))
}
