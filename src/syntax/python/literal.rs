//! Python's literals (Language Reference §2.4).

/// A number; nothing for what a float cannot hold (a complex number).
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let radix = |digits: &str, radix| {
        let value = u64::from_str_radix(digits, radix).ok()?;
        Some(value as f64)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        radix(digits, 16)
    } else if let Some(digits) = text.strip_prefix("0o") {
        radix(digits, 8)
    } else if let Some(digits) = text.strip_prefix("0b") {
        radix(digits, 2)
    } else {
        text.trim_end_matches('l').parse().ok()
    }
}

/// The text of a literal without quotes. An escape that Python does not know stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        let Some(first) = chars.next() else {
            result.push('\\');
            break;
        };
        let simple = match first {
            '\n' => Some(""),
            '\\' => Some("\\"),
            '\'' => Some("'"),
            '"' => Some("\""),
            'a' => Some("\u{7}"),
            'b' => Some("\u{8}"),
            'f' => Some("\u{c}"),
            'n' => Some("\n"),
            'r' => Some("\r"),
            't' => Some("\t"),
            'v' => Some("\u{b}"),
            _ => None,
        };
        if let Some(simple) = simple {
            result.push_str(simple);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let digits = match first {
            'x' => rest.get(1..3).map(|digits| (digits, 16, 3)),
            'u' => rest.get(1..5).map(|digits| (digits, 16, 5)),
            'U' => rest.get(1..9).map(|digits| (digits, 16, 9)),
            '0'..='7' => {
                let octal = rest.bytes().take(3);
                let length = octal
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .count();
                Some((&rest[..length], 8, length))
            }
            _ => None,
        };
        let character = digits.and_then(|(digits, radix, length)| {
            let code = u32::from_str_radix(digits, radix).ok()?;
            Some((char::from_u32(code)?, length))
        });
        match character {
            Some((character, length)) => {
                result.push(character);
                rest = &rest[length..];
            }
            None => result.push('\\'),
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::{decode, number};

    #[test]
    fn numbers() {
        for (text, value) in [
            ("600", Some(600.0)),
            ("86_400", Some(86400.0)),
            ("0x10", Some(16.0)),
            ("0o17", Some(15.0)),
            ("0b11", Some(3.0)),
            ("1.5e3", Some(1500.0)),
            ("2L", Some(2.0)),
            ("1j", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }

    /// Expected values: `ast.literal_eval` of CPython.
    #[test]
    fn escapes() {
        for (text, value) in [
            (r"a\.b", r"a\.b"),
            (r"a\\.b", r"a\.b"),
            (r"\x41\u00e9\101", "A\u{e9}A"),
            (r"\n\t\'", "\n\t'"),
            (r"\x4", r"\x4"),
            (r"\d\w\$", r"\d\w\$"),
            ("a\\\nb", "ab"),
        ] {
            assert_eq!(decode(text), value, "{text}");
        }
    }
}
