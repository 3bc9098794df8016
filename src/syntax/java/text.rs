//! Literals.

/// The value of a string literal or text block, quotes included; JLS §3.10.5 to §3.10.7.
pub(super) fn string(literal: &str) -> String {
    if let Some(block) = literal
        .strip_prefix("\"\"\"")
        .and_then(|rest| rest.strip_suffix("\"\"\""))
    {
        return unescape(&strip_indent(block));
    }
    let inner = literal
        .strip_prefix(['"', '\''])
        .and_then(|rest| rest.strip_suffix(['"', '\'']))
        .unwrap_or(literal);
    unescape(inner)
}

/// A text block without the indentation that all its lines share, and without what follows the
/// opening quotes.
fn strip_indent(block: &str) -> String {
    let block = block.replace("\r\n", "\n");
    let body = block.split_once('\n').map_or("", |(_, body)| body);
    let lines: Vec<&str> = body.split('\n').collect();
    let last = lines.len().saturating_sub(1);
    let indent = lines
        .iter()
        .enumerate()
        // The line of the closing quotes counts even if it is blank.
        .filter(|(at, line)| *at == last || !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let stripped: Vec<&str> = lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or("").trim_end())
        .collect();
    stripped.join("\n")
}

/// A text without escapes.
pub(super) fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some('b') => result.push('\u{8}'),
            Some('f') => result.push('\u{c}'),
            Some('s') => result.push(' '),
            Some('\n') | None => {}
            Some('u') => {
                while rest.next_if_eq(&'u').is_some() {}
                let digits: String = (0..4).map_while(|_| rest.next()).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                result.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            Some(digit @ '0'..='7') => {
                let mut code = digit.to_digit(8).unwrap_or(0);
                let more = if digit <= '3' { 2 } else { 1 };
                for _ in 0..more {
                    let Some(next) = rest.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + next;
                    rest.next();
                }
                result.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(other) => result.push(other),
        }
    }
    result
}

/// The value of a number, in whatever way it is written.
pub(super) fn number(literal: &str) -> Option<f64> {
    let text = literal.replace('_', "").to_ascii_lowercase();
    let integer = |digits: &str, radix| {
        let digits = digits.trim_end_matches('l');
        u64::from_str_radix(digits, radix)
            .ok()
            .map(|value| value as f64)
    };
    if let Some(hex) = text.strip_prefix("0x") {
        return integer(hex, 16);
    }
    if let Some(binary) = text.strip_prefix("0b") {
        return integer(binary, 2);
    }
    let octal = text.len() > 1 && text.starts_with('0');
    if octal
        && text[1..]
            .trim_end_matches('l')
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    {
        return integer(&text[1..], 8);
    }
    text.trim_end_matches(['l', 'f', 'd']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_quotes_escapes_and_indentation() {
        assert_eq!(string(r#""a\tb\u0041\101\"""#), "a\tbAA\"");
        assert_eq!(
            string("\"\"\"\n    a\n      b\\\n    c\n    \"\"\""),
            "a\n  bc\n"
        );
        assert_eq!(string("'x'"), "x");
    }

    #[test]
    fn numbers_are_read_in_every_base() {
        for (text, value) in [
            ("3600L", 3600.0),
            ("1_000", 1000.0),
            ("0x1F", 31.0),
            ("0b11", 3.0),
            ("017", 15.0),
            ("0", 0.0),
            ("1.5f", 1.5),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
    }
}
