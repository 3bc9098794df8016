//! What a real server answers and what corslint says it does, side by side.
//!
//! A case is a folder of `fixtures/nginx`: the configuration, an optional `requests.toml` that
//! says what to ask beyond the standard requests, and `recorded.json` with the answers of the
//! real server. `tests/live` records and compares; `tests/replay.rs` compares with the record.
#![allow(
    dead_code,
    unused_imports,
    reason = "two test targets share this and neither needs all of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod answer;
mod ask;
pub(crate) mod browser;
mod case;
mod compare;
pub(crate) mod express;
pub(crate) mod python;
mod recorded;
mod sketch;

pub(crate) use answer::Answer;
pub(crate) use ask::{Application, Ask, origins_for, standard_kinds};
pub(crate) use case::{Case, FurtherAsk, Plan, UpstreamRule, cases, cases_of};
pub(crate) use compare::{
    Disagreement, Failures, Tally, Told, compare, compare_routed, own_base, read, read_as,
};
pub(crate) use recorded::{Record, Row};
pub(crate) use sketch::{Edit, Sketch, apply, sketch, split_url, trusted_origins, urls};
