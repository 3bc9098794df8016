//! Repairs that a program can make.
//!
//! A rule names what is to be done and where ([`Repair`]). `make` turns that into edits in the
//! language of the file, several ways if there are several; `grade` asks what an edited copy of the
//! project would answer, and says whether the way mends the finding and whether anybody loses or gains
//! by it; `apply` puts what is left into texts and files.
//!
//! [`Repair`]: crate::model::Repair

pub mod apply;
pub(crate) mod grade;
mod languages;
mod literal;
pub(crate) mod make;
mod pattern;
mod statement;

/// What to do about repairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fixing {
    /// Look for none; those of comments that suppress nothing cost nothing and are offered anyway.
    #[default]
    No,
    /// Offer them.
    Offer,
    /// Apply those that are safe.
    Safe,
    /// Apply all of them.
    All,
}

impl Fixing {
    /// Are texts to be changed?
    #[must_use]
    pub const fn applies(self) -> bool {
        matches!(self, Self::Safe | Self::All)
    }
}
