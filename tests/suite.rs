//! All integration tests, a module per topic.

mod discover;
mod support;
mod terminal;
