//! Probes: the origins that every policy is asked about.

/// An origin that resembles a trusted one and that somebody else may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// The serialized origin.
    pub origin: String,
    /// The trusted origin that it was made from.
    pub trusted: String,
    /// What must be missing in a policy that lets it in (`no end anchor`, `unescaped dot`, …).
    pub defect: &'static str,
}

/// Look-alikes of `trusted` origins, those that a stranger can register first, then shortest.
#[must_use]
pub fn lookalikes(_trusted: &[String]) -> Vec<Lookalike> {
    Vec::new()
}

/// An origin directly below something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The serialized origin; its first label cannot be guessed.
    pub origin: String,
    /// The domain or public suffix that it stands below.
    pub below: String,
    /// A fixed prefix or suffix stands inside the label.
    pub affixed: bool,
}

/// The `http:` forms of trusted https origins with public hosts.
#[must_use]
pub fn insecure_variants(_trusted: &[String]) -> Vec<String> {
    Vec::new()
}

/// Loopback, tunnel and playground origins to try.
#[must_use]
pub fn development_origins() -> Vec<String> {
    Vec::new()
}

/// An unguessable name below each trusted registrable domain.
#[must_use]
pub fn subdomain_probes(_trusted: &[String]) -> Vec<Below> {
    Vec::new()
}

/// An unguessable name below every shared-host suffix that occurs in the texts.
#[must_use]
pub fn shared_host_probes(_texts: &[&str]) -> Vec<Below> {
    Vec::new()
}

/// Valid origins of a pattern's language, shortest first, at most `limit`.
#[must_use]
pub fn sample_pattern(_pattern: &str, _limit: usize) -> Vec<String> {
    Vec::new()
}

/// The bytes of a pattern at which the defect sits that lets a look-alike in.
#[must_use]
pub fn locate_defect(_pattern: &str, _lookalike: &Lookalike) -> Option<std::ops::Range<usize>> {
    None
}
