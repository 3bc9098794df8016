//! Values with their origin: what a variable or a complex value amounts to for one request.

use std::borrow::Cow;

use crate::model::{Decision, Known, ValueSource};

/// A set of [`ValueSource`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources(u16);

const ALL: [ValueSource; 9] = [
    ValueSource::Origin,
    ValueSource::Query,
    ValueSource::Cookie,
    ValueSource::Referer,
    ValueSource::Header,
    ValueSource::Host,
    ValueSource::EncodedPath,
    ValueSource::DecodedPath,
    ValueSource::Upstream,
];

impl Sources {
    /// Nothing that a stranger chooses.
    pub(super) const NONE: Self = Self(0);

    /// Just this one.
    pub(super) const fn of(source: ValueSource) -> Self {
        Self(1 << source as u16)
    }

    /// Both sets.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Is it in the set?
    pub(super) const fn has(self, source: ValueSource) -> bool {
        self.0 & (1 << source as u16) != 0
    }

    /// Without this one.
    pub(super) const fn without(self, source: ValueSource) -> Self {
        Self(self.0 & !(1 << source as u16))
    }

    /// As a list, in declaration order.
    pub(super) fn list(self) -> Vec<ValueSource> {
        if self.0 == 0 {
            return Vec::new();
        }
        ALL.into_iter().filter(|source| self.has(*source)).collect()
    }
}

/// A value, as far as it is known, and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    /// The text.
    pub(super) text: Known<Cow<'a, str>>,
    /// What of it a stranger can choose.
    pub(super) sources: Sources,
    /// The test that let the request's origin get this far.
    pub(super) decided: Option<&'a Decision>,
    /// It cannot be empty, even if it is not known.
    pub(super) filled: bool,
    /// Why the text is not known; without meaning for a known one.
    pub(super) doubt: Doubt,
}

/// Why a text is not known. Ordered: a concatenation has the worst doubt of its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// The client decides, and the request does not say.
    #[default]
    Client,
    /// Code, a file or an upstream out of view decides.
    Foreign,
    /// It is a list or text that is filled in elsewhere (a template's placeholder, an unseen map).
    Placeholder,
}

impl<'a> Value<'a> {
    /// A text that nobody outside chooses.
    pub(super) fn known(text: impl Into<Cow<'a, str>>) -> Self {
        Self::from(text, Sources::NONE)
    }

    /// A text that comes from `sources`.
    pub(super) fn from(text: impl Into<Cow<'a, str>>, sources: Sources) -> Self {
        Self {
            text: Known::Known(text.into()),
            sources,
            decided: None,
            filled: false,
            doubt: Doubt::Client,
        }
    }

    /// The empty text.
    pub(super) const fn empty() -> Self {
        Self {
            text: Known::Known(Cow::Borrowed("")),
            sources: Sources::NONE,
            decided: None,
            filled: false,
            doubt: Doubt::Client,
        }
    }

    /// Something that cannot be told.
    pub(super) const fn unknown(sources: Sources, doubt: Doubt) -> Self {
        Self {
            text: Known::Unknown,
            sources,
            decided: None,
            filled: false,
            doubt,
        }
    }

    /// The text, if known.
    pub(super) fn known_text(&self) -> Option<&str> {
        match &self.text {
            Known::Known(text) => Some(text),
            Known::Unknown => None,
        }
    }
}
