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
