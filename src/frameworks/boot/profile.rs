//! Profile expressions (`spring.config.activate.on-profile`, `@Profile`).

/// Does an expression hold if these profiles are active? Several expressions may be separated by
/// commas: one of them has to hold.
pub(super) fn holds(expression: &str, active: &[&str]) -> bool {
    expression.split(',').any(|one| {
        let mut parser = Parser {
            rest: one.trim(),
            active,
            depth: 0,
        };
        parser.or()
    })
}

/// The profiles that an expression names.
pub(super) fn names(expression: &str) -> Vec<&str> {
    expression
        .split([',', '!', '&', '|', '(', ')'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

struct Parser<'a> {
    rest: &'a str,
    active: &'a [&'a str],
    depth: u32,
}

impl Parser<'_> {
    fn next_is(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> bool {
        let mut result = self.and();
        while self.next_is('|') {
            result |= self.and();
        }
        result
    }

    fn and(&mut self) -> bool {
        let mut result = self.one();
        while self.next_is('&') {
            result &= self.one();
        }
        result
    }

    fn one(&mut self) -> bool {
        self.depth += 1;
        if self.depth > 100 {
            return false;
        }
        if self.next_is('!') {
            return !self.one();
        }
        if self.next_is('(') {
            let result = self.or();
            self.next_is(')');
            return result;
        }
        let rest = self.rest.trim_start();
        let end = rest.find(['&', '|', '(', ')', '!']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        self.rest = after;
        self.active.contains(&name.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_hold_as_in_spring() {
        for (expression, active, expected) in [
            ("prod", &["prod"][..], true),
            ("prod", &["dev"], false),
            ("!prod", &[], true),
            ("prod, dev", &["dev"], true),
            ("prod & eu", &["prod"], false),
            ("prod & (eu | us)", &["prod", "us"], true),
            ("!(a | b)", &["b"], false),
        ] {
            assert_eq!(
                holds(expression, active),
                expected,
                "{expression} {active:?}"
            );
        }
        assert_eq!(names("!a & (b|c), d"), ["a", "b", "c", "d"]);
    }
}
