//! Python: the syntax, and an evaluator that follows it without ever running it.
//!
//! [`Program`] reads the modules of a project and records what they make of libraries: every call
//! of something foreign with its arguments. Frameworks read that record.

pub mod ast;
mod builtin;
mod call;
mod environment;
mod eval;
mod exec;
mod import;
mod literal;
mod lower;
pub mod object;
pub mod pattern;
pub mod version;

pub use call::{Arguments, Call, Effect};
pub use eval::{Defined, DefinedClass, Loaded, Native, Program};
pub use lower::parse;
