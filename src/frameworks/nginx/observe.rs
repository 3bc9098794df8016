//! Observations: what reading a configuration shows and no response does.

use super::compile::Context;
use super::config::Config;
use super::include::{Expanded, Library};
use crate::model::Observation;

/// Everything worth telling about a configuration.
pub(super) fn observe(
    _config: &Config,
    _context: Context,
    _expanded: &Expanded,
    _library: &mut Library,
) -> Vec<Observation> {
    Vec::new()
}
