//! "Did you mean …?"

use crate::rules::RuleSet;
use crate::spelling;

/// The id of the rule that was probably meant.
#[must_use]
pub fn nearest(id: &str, rules: &RuleSet) -> Option<String> {
    let ids = rules.rules().map(|rule| rule.definition.id.as_str());
    nearest_of(id, ids)
}

/// Of some names, the one that was probably meant.
pub(crate) fn nearest_of<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<String> {
    spelling::nearest(name, known, name.len().div_ceil(3)).map(str::to_owned)
}
