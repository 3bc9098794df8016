//! Text to trees: languages, and nothing of CORS.

pub mod arena;
pub mod comments;
pub mod java;
pub mod javascript;
pub mod jvm;
pub(crate) mod kept;
pub mod kotlin;
pub mod nginx;
pub mod properties;
pub mod python;
pub(crate) mod tree;
pub mod value;
pub mod words;
pub mod xml;
pub mod yaml;
