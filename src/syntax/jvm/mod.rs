//! What Java and Kotlin have in common: programs, and an evaluator that follows them without ever
//! running them.

pub mod ast;
pub mod eval;
pub mod program;
