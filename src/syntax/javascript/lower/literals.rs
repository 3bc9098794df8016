//! Operators, and what numbers and escape sequences stand for.

/// The operator as a constant.
pub(super) fn operator(text: &str) -> Option<&'static str> {
    const OPERATORS: [&str; 28] = [
        "&&",
        "||",
        "??",
        "==",
        "===",
        "!=",
        "!==",
        "<",
        ">",
        "<=",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "in",
        "instanceof",
        "!",
        "typeof",
        "void",
        "delete",
        "~",
        "&",
        "|",
        "^",
        "<<",
    ];
    OPERATORS.into_iter().find(|known| *known == text)
}

pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.replace('_', "");
    let lower = text.to_ascii_lowercase();
    let radix = |prefix: &str, radix| {
        let digits = lower.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok()
    };
    if let Some(value) = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
    {
        #[expect(
            clippy::cast_precision_loss,
            reason = "JavaScript's numbers are doubles"
        )]
        return Some(value as f64);
    }
    text.parse().ok()
}

/// The text that escape sequences stand for (ECMAScript, "Static Semantics: SV").
pub(super) fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        if next != '\\' {
            result.push(next);
            continue;
        }
        let Some(escaped) = chars.next() else { break };
        match escaped {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'b' => result.push('\u{8}'),
            'f' => result.push('\u{c}'),
            'v' => result.push('\u{b}'),
            '0' => result.push('\0'),
            '\n' => {}
            'x' => push_code(&mut result, take(&mut chars, 2)),
            'u' => {
                let rest = chars.as_str();
                if let Some(braced) = rest.strip_prefix('{') {
                    let digits = braced.split('}').next().unwrap_or_default().to_owned();
                    chars = braced.get(digits.len()..).unwrap_or_default().chars();
                    chars.next();
                    push_code(&mut result, digits);
                } else {
                    push_code(&mut result, take(&mut chars, 4));
                }
            }
            other => result.push(other),
        }
    }
    result
}

fn take(chars: &mut std::str::Chars<'_>, count: usize) -> String {
    chars.by_ref().take(count).collect()
}

fn push_code(result: &mut String, digits: String) {
    let code = u32::from_str_radix(&digits, 16).ok();
    result.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(unescape(r"a\.b"), "a.b");
        assert_eq!(unescape(r"\\d\x41\u{42}\u0043\n"), "\\dABC\n");
        assert_eq!(unescape("\\"), "");
    }

    #[test]
    fn numbers_of_every_notation() {
        assert_eq!(number("1_000"), Some(1000.0));
        assert_eq!(number("0x1f"), Some(31.0));
        assert_eq!(number("1e3"), Some(1000.0));
        assert_eq!(number("10n"), None);
    }
}
