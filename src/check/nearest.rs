//! "Did you mean …?"

use crate::rules::RuleSet;
use crate::spelling::edit_distance;

/// The id of the rule that was probably meant: the one of which `id` is the start or another part,
/// or the one that is fewest edits away, if few.
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
    let mut parts = known.clone();
    let part = parts.find(|other| name.len() > 3 && other.contains(name));
    let near = || {
        let distances = known.map(|other| (edit_distance(name, other), other));
        let near = distances.min()?;
        (near.0 <= name.len().div_ceil(3)).then_some(near.1)
    };
    part.or_else(near).map(str::to_owned)
}
