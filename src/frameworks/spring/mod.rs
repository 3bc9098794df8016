//! Spring: MVC, WebFlux, Security, Boot's properties, Cloud Gateway.
//!
//! Facts: spring-web, spring-webmvc, spring-webflux (tags 4.2 to 7.1), spring-security-config (tags
//! 5.0 to 7.2), spring-boot, spring-cloud-gateway; and recorded answers of complete applications.

mod areas;
mod beans;
mod build;
mod chains;
mod code;
mod constants;
mod controllers;
mod cookies;
mod cors;
mod customizers;
mod deployment;
mod dialect;
mod exchange;
mod functional;
mod gateway;
mod headers;
mod host;
mod interceptors;
mod locator;
mod model;
mod observe;
mod path;
mod properties;
mod read;
mod respond;
mod security;
mod site;
mod version;
mod xml;

use std::path::Path;

use super::{Project, Reading};

/// Does this file have to do with a Spring application?
#[must_use]
pub fn detect(path: &Path, text: &str) -> bool {
    read::detect(path, text)
}

/// Reads the applications of a project.
#[must_use]
pub fn read(project: Project<'_>) -> Reading {
    read::read(&project)
}
