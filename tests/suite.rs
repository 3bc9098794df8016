//! All integration tests, a module per topic.

mod cli;
mod discover;
mod support;
mod terminal;
