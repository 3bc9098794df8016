//! All integration tests, a module per topic.

mod ask;
mod browser;
mod cli;
mod config;
mod dependencies;
mod discover;
mod environment;
mod fixtures;
mod lookalikes;
mod readme;
mod replay;
mod rules;
mod spring;
mod support;
mod suppress;
mod terminal;
