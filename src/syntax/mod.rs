//! Text to trees: languages, and nothing of CORS.

pub mod javascript;
pub mod nginx;
pub mod python;
pub mod value;
pub mod words;
