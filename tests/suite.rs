//! All integration tests, a module per topic.

mod cli;
mod discover;
mod rules;
mod support;
mod terminal;
