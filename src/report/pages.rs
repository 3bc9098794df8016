//! Where rules are explained on the web.

use url::Url;

use super::Report;
use crate::rules::Rule;

/// Stands for the id of the rule in the address of pages.
const ID: &str = "{rule}";

/// Where the pages of the built-in rules stand if no configuration says it: in the public repository
/// that Cargo.toml names, as code hosts show the files of a tag. Without one there is none.
fn published() -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY").trim_end_matches('/');
    let version = env!("CARGO_PKG_VERSION");
    (!repository.is_empty()).then(|| format!("{repository}/blob/v{version}/docs/rules/{ID}.md"))
}

/// Checks an address of pages, with `{rule}` in it.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn check(pages: &str) -> Result<(), String> {
    if !pages.contains(ID) {
        return Err(format!(
            "`{pages}` does not say where `{ID}`, the id of a rule, stands in it"
        ));
    }
    match address(&pages.replace(ID, "any-origin")) {
        Some(_) => Ok(()),
        None => Err(format!(
            "`{pages}` is no address that begins with https:// or http://"
        )),
    }
}

/// A text that can be followed and shown as it is: an address of the web in printable ASCII.
fn address(text: &str) -> Option<&str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).ok().filter(|_| plain)?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(text)
}

impl Report {
    /// The page on the web that explains a rule: for a built-in one, its page if there is an address for
    /// these; else the first address among the references of the rule.
    #[must_use]
    pub fn page(&self, id: &str) -> Option<String> {
        let rule = self.rules.iter().find_map(|rules| rules.get(id))?;
        self.page_of(rule)
    }

    pub(super) fn page_of(&self, rule: &Rule) -> Option<String> {
        let pages = self.rule_pages.clone().or_else(published);
        if let Some(pages) = pages.filter(|_| rule.builtin) {
            return Some(pages.replace(ID, &rule.definition.id));
        }
        let references = &rule.docs().ok()?.references;
        let mut addresses = references.iter().filter_map(|text| address(text));
        addresses.next().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_pages() {
        for right in [
            "https://a.example/{rule}",
            "http://localhost:8000/r.html#{rule}",
        ] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in [
            "https://a.example/rules",
            "a.example/{rule}",
            "file:///rules/{rule}.md",
            "javascript:alert('{rule}')",
            "https://{rule}:x/",
            "https://a.example/\u{1b}]8;;{rule}",
            "https://a.example/ {rule}",
            "https://ä.example/{rule}",
        ] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn published_pages_have_an_address_or_there_are_none() {
        assert_eq!(published().map_or(Ok(()), |pages| check(&pages)), Ok(()));
    }
}
