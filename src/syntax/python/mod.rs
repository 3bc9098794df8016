//! Python: the syntax, and an evaluator that follows it without ever running it.
//!
//! [`Program`] reads the modules of a project and records what they make of libraries: every call
//! of something foreign with its arguments. Frameworks read that record.

pub mod ast;
mod builtin;
mod call;
mod condition;
mod environment;
mod eval;
mod exec;
mod export;
mod flask;
mod heap;
mod import;
mod literal;
mod lower;
pub mod object;
mod operator;
pub mod pattern;
mod program;
mod table;
#[cfg(test)]
mod tests;
pub mod version;

pub use call::{Arguments, Call, Effect, class_of_view};
pub use lower::parse;
pub use program::{Defined, DefinedClass, Loaded, Native, Program, WATCHED};
