//! Environment variables as properties (Spring Framework's `SystemEnvironmentPropertySource`, Boot's
//! `SystemEnvironmentPropertyMapper`): they win over property files.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Environment;

/// The variables that are known. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    variables: Environment,
    /// By their names in upper case.
    upper: Arc<BTreeMap<String, String>>,
}

impl Outside {
    pub(super) fn new(variables: &Environment) -> Self {
        let upper = variables
            .iter()
            .map(|(name, value)| (name.to_uppercase(), value.to_owned()));
        Self {
            variables: variables.clone(),
            upper: Arc::new(upper.collect()),
        }
    }

    /// What a property is set to: by a variable of its own name, or by one with an underscore for
    /// each dot and bracket and nothing (Boot) or an underscore (the Framework) for each dash.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        if self.variables.is_empty() {
            return None;
        }
        if let Some(value) = self.variables.get(key) {
            return Some(value);
        }
        let name = |dash: &str| {
            let name = key.replace('-', dash).replace(']', "");
            name.replace(['.', '['], "_").to_uppercase()
        };
        let found = self
            .upper
            .get(&name(""))
            .or_else(|| self.upper.get(&name("_")));
        found.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: Spring Boot's documentation, "Binding From Environment Variables".
    #[test]
    fn variables_are_found_by_relaxed_names() {
        let pairs = [
            ("MY_SERVICE_0_OTHER", "list"),
            ("SPRING_MAIN_LOGSTARTUPINFO", "dash"),
            ("APP_CORS_ALLOWED_ORIGINS", "underscore"),
            ("ORIGINS", "plain"),
            ("lower_case", "lower"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let outside = Outside::new(&pairs.into_iter().collect());
        for (key, expected) in [
            ("my.service[0].other", Some("list")),
            ("spring.main.log-startup-info", Some("dash")),
            ("app.cors.allowed-origins", Some("underscore")),
            ("ORIGINS", Some("plain")),
            ("origins", Some("plain")),
            ("lower.case", Some("lower")),
            ("my.service[1].other", None),
            ("other", None),
        ] {
            assert_eq!(outside.get(key), expected, "{key}");
        }
    }
}
