//! All integration tests, a module per topic.

mod ask;
mod baseline;
mod browser;
mod cli;
mod config;
mod dependencies;
mod discover;
mod environment;
mod fixtures;
mod formats;
mod hostile_javascript;
mod hostile_jvm;
mod hostile_nginx;
mod hostile_tree;
mod limits;
mod lookalikes;
mod oracle;
mod properties;
mod properties_files;
mod readme;
mod replay;
mod rules;
mod spring;
mod support;
mod suppress;
mod terminal;
