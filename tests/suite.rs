//! All integration tests, a module per topic.

mod support;
