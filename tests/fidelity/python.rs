//! Cases of the Python frameworks: applications that run in process.

use super::{Ask, Case, FurtherAsk, origins_for};

/// The frameworks with cases of this kind.
pub(crate) const FRAMEWORKS: [&str; 3] = ["starlette", "django", "flask"];

/// Where the applications are asked.
const BASE: &str = "https://service.example";

/// What is asked at every URL.
pub(crate) const KINDS: [&str; 9] = [
    "GET 200",
    "GET 404",
    "GET throw",
    "GET 200 | cookie: session=1",
    "POST 200",
    "OPTIONS>GET 200",
    "OPTIONS>PUT 200",
    "OPTIONS>POST 200",
    "OPTIONS 200",
];

/// Everything that a case is asked.
pub(crate) fn asks(case: &Case) -> Vec<Ask> {
    let mut urls = case.plan.urls.clone();
    if urls.is_empty() {
        urls.push("/items".into());
    }
    let mut asks = Vec::new();
    for url in urls {
        let url = if url.starts_with('/') {
            format!("{BASE}{url}")
        } else {
            url
        };
        let further = case.plan.ask.iter().map(FurtherAsk::kind);
        for kind in KINDS.into_iter().chain(further) {
            for origin in origins_for(&case.trusted()) {
                asks.push(Ask::of_kind(kind, &url, origin.as_deref()));
            }
        }
    }
    asks
}

/// The generation of packages that a case names: the older one, or the newest.
pub(crate) fn generation(case: &Case) -> &'static str {
    let old = |text: &&str| {
        text.contains("starlette==0.46")
            || text.contains("flask-cors==4")
            || text.contains("fastapi==0.115")
    };
    let pinned = case.files.iter().filter(|(name, _)| name.ends_with(".txt"));
    let mut texts = pinned.map(|(_, text)| text.as_str());
    if texts.any(|text| old(&text)) {
        "old"
    } else {
        "new"
    }
}
