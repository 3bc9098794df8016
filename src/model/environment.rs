//! The environment that a deployment will run in, as far as somebody says what it holds.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables whose values are known. What is not named here may be set to anything, or
/// not at all. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: Arc<BTreeMap<String, String>>,
}

impl Environment {
    /// The value of a variable, if it is known. Names are compared byte for byte.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The value of the only variable whose name equals this one but for case, as libraries that
    /// read settings by field names look it up.
    #[must_use]
    pub fn get_ignoring_case(&self, name: &str) -> Option<&str> {
        let mut found = self
            .variables
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Is nothing known?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The text with every `${NAME}`, and every `$NAME` if `bare`, whose variable is known, replaced
    /// by its value. Values are not looked into again. Nothing if there is none to replace.
    #[must_use]
    pub fn substitute(&self, text: &str, bare: bool) -> Option<String> {
        if self.is_empty() || !text.contains('$') {
            return None;
        }
        let mut filled = String::with_capacity(text.len());
        let mut replaced = false;
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, behind) = rest.split_at(at);
            filled.push_str(before);
            let behind = &behind[1..];
            let braced = behind.strip_prefix('{');
            let from = braced.unwrap_or(behind);
            let length = from.bytes().take_while(is_name_byte).count();
            let (name, after) = from.split_at(length);
            let after = match braced {
                Some(_) => after.strip_prefix('}'),
                None => bare.then_some(after),
            };
            match after.and_then(|after| Some((self.get(name)?, after))) {
                Some((value, after)) => {
                    filled.push_str(value);
                    replaced = true;
                    rest = after;
                }
                None => {
                    filled.push('$');
                    rest = behind;
                }
            }
        }
        filled.push_str(rest);
        replaced.then_some(filled)
    }
}

fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

impl FromIterator<(String, String)> for Environment {
    /// Later pairs win.
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self {
            variables: Arc::new(pairs.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let pairs = [("A", "1"), ("BC", "${A}"), ("cors_Origins", "x")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        pairs.into_iter().collect()
    }

    #[test]
    fn names_are_compared_as_asked() {
        let environment = environment();
        assert_eq!(environment.get("A"), Some("1"));
        assert_eq!(environment.get("a"), None);
        assert_eq!(environment.get_ignoring_case("CORS_ORIGINS"), Some("x"));
        let twice: Environment = [("a", "1"), ("A", "2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(twice.get_ignoring_case("A"), None);
    }

    #[test]
    fn only_known_variables_are_replaced_and_once() {
        let environment = environment();
        for (text, bare, filled) in [
            ("x${A}y${A}", false, Some("x1y1")),
            ("${BC}", false, Some("${A}")),
            ("$A/$AB", true, Some("1/$AB")),
            ("$A", false, None),
            ("${X} ${A", true, None),
            ("é${A}$", true, Some("é1$")),
            ("plain", true, None),
        ] {
            assert_eq!(
                environment.substitute(text, bare).as_deref(),
                filled,
                "{text}"
            );
        }
        assert_eq!(Environment::default().substitute("${A}", true), None);
    }
}
