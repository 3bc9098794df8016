//! What Spring Boot makes of a project before any framework code runs: its property files, its build
//! files, and what it puts into fields and parameters.

mod build;
mod inject;
mod outside;
mod profile;
mod settings;
mod text;

pub use build::{Build, Starters, Version};
pub(crate) use inject::camel;
pub use inject::{Beans, Wired, bean_of_class, bind, call, inject};
pub use settings::{Environment, Settings};
