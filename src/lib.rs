//! corslint finds CORS mistakes in server and framework configuration before a browser does.
//!
//! One idea carries it: every configuration is a function from a request to a response. corslint
//! reads files into [sites](model::Site), asks each endpoint a small set of questions, and judges
//! the answers with [rules] that know no framework.

pub mod baseline;
pub mod check;
#[doc(hidden)]
pub mod cli;
pub mod config;
pub mod discover;
pub mod explain;
pub mod fetch;
pub mod fixes;
pub mod frameworks;
pub mod limits;
pub mod model;
pub mod progress;
pub mod report;
pub mod rules;
pub mod simulate;
pub mod source;
mod spelling;
pub mod suppress;
pub mod syntax;
mod write;
