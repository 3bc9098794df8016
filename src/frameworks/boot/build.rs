//! Build files: which releases a project uses, and which parts of Spring are there.

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::limits::boot::build::{MAX_DEPTH, MAX_FILES};
use crate::source::Sources;
use crate::syntax::xml::{self, Element};

/// A release: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `3.2.1`, `2.7.18.RELEASE`, `4.0.0-M1`; a part that is not there is 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text
            .trim()
            .split(['.', '-', '+'])
            .map(|part| part.parse().ok());
        let major = parts.next()??;
        let minor = parts.next().flatten().unwrap_or(0);
        let patch = parts.next().flatten().unwrap_or(0);
        Some(Self(major, minor, patch))
    }
}

/// Which parts of Spring are on the class path, as far as the build files say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starters {
    /// Spring MVC.
    pub mvc: bool,
    /// Spring WebFlux.
    pub webflux: bool,
    /// Spring Security.
    pub security: bool,
    /// Spring Boot Actuator.
    pub actuator: bool,
    /// Spring Cloud Gateway on WebFlux.
    pub gateway: bool,
    /// The gateway under its name since Spring Cloud 2025.0.
    pub gateway_server: bool,
    /// What gives properties with old names their new ones.
    pub migrator: bool,
    /// Spring for GraphQL.
    pub graphql: bool,
    /// WebSocket.
    pub websocket: bool,
    /// Spring Data REST.
    pub data_rest: bool,
}

/// What the build files of a module say.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The release of Spring Boot.
    pub boot: Option<Version>,
    /// The release of Spring Framework, if it is named itself.
    pub framework: Option<Version>,
    /// The release of Spring Security, if it is named itself.
    pub security: Option<Version>,
    /// What is on the class path.
    pub starters: Starters,
    /// A build file was read.
    pub known: bool,
}

/// Notes that a part is there.
type Add = fn(&mut Starters);

/// The artifacts that bring a part.
const ARTIFACTS: [(&str, Add); 20] = [
    ("spring-boot-starter-web", |starters| starters.mvc = true),
    ("spring-boot-starter-webmvc", |starters| starters.mvc = true),
    ("spring-webmvc", |starters| starters.mvc = true),
    ("spring-boot-starter-hateoas", |starters| {
        starters.mvc = true
    }),
    ("spring-boot-starter-jersey", |starters| starters.mvc = true),
    ("spring-boot-starter-webflux", |starters| {
        starters.webflux = true
    }),
    ("spring-webflux", |starters| starters.webflux = true),
    ("spring-boot-starter-security", |starters| {
        starters.security = true
    }),
    ("spring-security-web", |starters| starters.security = true),
    ("spring-security-config", |starters| {
        starters.security = true
    }),
    ("spring-boot-starter-oauth2-resource-server", |starters| {
        starters.security = true
    }),
    ("spring-boot-starter-oauth2-client", |starters| {
        starters.security = true
    }),
    ("spring-boot-starter-actuator", |starters| {
        starters.actuator = true
    }),
    ("spring-cloud-starter-gateway", |starters| {
        starters.gateway = true
    }),
    ("spring-cloud-starter-gateway-server-webflux", |starters| {
        starters.gateway = true;
        starters.gateway_server = true;
    }),
    ("spring-boot-properties-migrator", |starters| {
        starters.migrator = true
    }),
    ("spring-boot-starter-graphql", |starters| {
        starters.graphql = true
    }),
    ("spring-boot-starter-websocket", |starters| {
        starters.websocket = true
    }),
    ("spring-boot-starter-data-rest", |starters| {
        starters.data_rest = true;
        starters.mvc = true;
    }),
    (
        "spring-boot-starter-oauth2-authorization-server",
        |starters| starters.security = true,
    ),
];

impl Build {
    /// Reads the build files of a module and of the folders above it, up to the project's.
    #[must_use]
    pub fn read(module: &Path, root: &Path, sources: &Sources) -> Self {
        let mut folders: Vec<PathBuf> = module
            .ancestors()
            .take_while(|folder| folder.starts_with(root))
            .map(Path::to_path_buf)
            .collect();
        if folders.is_empty() {
            folders.push(module.to_path_buf());
        }
        let mut facts = Facts::default();
        for folder in folders.iter().take(MAX_FILES) {
            facts.maven(&folder.join("pom.xml"), sources);
            for name in [
                "build.gradle",
                "build.gradle.kts",
                "settings.gradle",
                "settings.gradle.kts",
                "gradle.properties",
                "gradle/libs.versions.toml",
                "gradle/dependencies.gradle",
                "dependencies.gradle",
            ] {
                facts.gradle(&folder.join(name), sources);
            }
        }
        facts.build()
    }
}

/// What was read, nearest files first.
#[derive(Default)]
struct Facts {
    properties: Vec<(String, String)>,
    artifacts: Vec<String>,
    boot: Vec<String>,
    security: Vec<String>,
    framework: Vec<String>,
    known: bool,
}

impl Facts {
    fn maven(&mut self, path: &Path, sources: &Sources) {
        let Ok(file) = sources.load(path) else { return };
        let Ok(project) = xml::parse(&file) else {
            return;
        };
        self.known = true;
        for property in project.children_of("properties") {
            for property in &property.children {
                let pair = (property.name.clone(), property.text.trim().to_owned());
                self.properties.push(pair);
            }
        }
        if let Some(parent) = project.child("parent") {
            let artifact = parent.text_of("artifactId");
            if artifact == "spring-boot-starter-parent" || artifact == "spring-boot-dependencies" {
                self.boot.push(parent.text_of("version").to_owned());
            }
        }
        let managed = project.children_of("dependencyManagement");
        let managed = managed.flat_map(|element| element.children_of("dependencies"));
        for dependency in managed.flat_map(|element| element.children_of("dependency")) {
            self.version_of(
                dependency.text_of("artifactId"),
                dependency.text_of("version"),
            );
        }
        let direct = project.children_of("dependencies");
        for dependency in direct.flat_map(|element| element.children_of("dependency")) {
            let scope = dependency.text_of("scope");
            if scope == "test" {
                continue;
            }
            let artifact = dependency.text_of("artifactId");
            self.version_of(artifact, dependency.text_of("version"));
            self.artifacts.push(artifact.to_owned());
        }
        let mut plugins: Vec<&Element> = Vec::new();
        for build in project.children_of("build") {
            let inner = build.children_of("plugins");
            let managed = build.children_of("pluginManagement");
            let managed = managed.flat_map(|element| element.children_of("plugins"));
            plugins.extend(
                inner
                    .chain(managed)
                    .flat_map(|list| list.children_of("plugin")),
            );
        }
        for plugin in plugins {
            if plugin.text_of("artifactId") == "spring-boot-maven-plugin" {
                let version = plugin.text_of("version");
                if !version.is_empty() {
                    self.boot.push(version.to_owned());
                }
            }
        }
    }

    fn version_of(&mut self, artifact: &str, version: &str) {
        if version.is_empty() {
            return;
        }
        let list = match artifact {
            "spring-boot-dependencies" | "spring-boot-starter-parent" => &mut self.boot,
            "spring-framework-bom"
            | "spring-webmvc"
            | "spring-web"
            | "spring-webflux"
            | "spring-core" => &mut self.framework,
            "spring-security-bom" | "spring-security-web" | "spring-security-config" => {
                &mut self.security
            }
            name if name.starts_with("spring-boot-starter") => &mut self.boot,
            _ => return,
        };
        list.push(version.to_owned());
    }

    fn gradle(&mut self, path: &Path, sources: &Sources) {
        let Ok(file) = sources.load(path) else { return };
        self.known = true;
        let text = without_comments(file.text());
        let find = |pattern: &str| {
            let regex = Regex::new(pattern).ok();
            let found = regex.map(|regex| {
                let all = regex.captures_iter(&text).take(500);
                all.map(|found| {
                    let group = |at| found.get(at).map_or("", |part| part.as_str()).to_owned();
                    (group(1), group(2))
                })
                .collect::<Vec<_>>()
            });
            found.unwrap_or_default()
        };
        // `springBootVersion = '2.1.0'`, `set("x", "1")`, `x=1` and a catalog's `x = "1"`.
        let properties = find(r#"(?m)["']?([\w.-]+)["']?\s*(?:=|,|:)\s*["']?(\d[\w.+-]*)["']?"#);
        self.properties.extend(properties);
        for (_, version) in find(
            r#"(?:id|kotlin)\s*\(?\s*["'](org\.springframework\.boot)["']\s*\)?\s*version\s*\(?\s*["']?([^"'\s)]+)"#,
        ) {
            self.boot.push(version);
        }
        // A catalog's plugin: `{ id = "org.springframework.boot", version.ref = "boot" }`.
        for (_, version) in find(
            r#"(?:id\s*=\s*)?"(org\.springframework\.boot)"\s*,\s*version(?:\.ref)?\s*=\s*"([^"]+)""#,
        ) {
            self.boot.push(reference(&version));
        }
        for (artifact, version) in
            find(r#"["']org\.springframework\.[\w.]+:([\w-]+):([^"'@\s]+)["']"#)
        {
            match artifact.as_str() {
                "spring-boot-gradle-plugin" => self.boot.push(version),
                _ => self.version_of(&artifact, &version),
            }
        }
        for (artifact, version) in find(
            r#"(?:module\s*=\s*"org\.springframework\.[\w.]+:|name\s*=\s*")([\w-]+)"\s*,\s*version(?:\.ref)?\s*=\s*"([^"]+)""#,
        ) {
            self.version_of(&artifact, &reference(&version));
        }
        // A catalog says what may be used, not what is.
        if path.extension().is_none_or(|ending| ending != "toml") {
            self.artifacts.extend(artifacts(&text));
        }
    }

    fn build(self) -> Build {
        let mut starters = Starters::default();
        for artifact in &self.artifacts {
            for (name, add) in ARTIFACTS {
                if name == artifact {
                    add(&mut starters);
                }
            }
        }
        let first = |texts: &[String]| texts.iter().find_map(|text| self.resolved(text));
        let property = |names: &[&str]| names.iter().find_map(|name| self.property(name));
        let overridden = |names: &[&str]| {
            let text = property(names)?;
            self.resolved(&text)
        };
        Build {
            boot: first(&self.boot).or_else(|| {
                overridden(&[
                    "spring-boot.version",
                    "spring.boot.version",
                    "springBootVersion",
                ])
            }),
            framework: overridden(&["spring-framework.version", "spring.version"])
                .or_else(|| first(&self.framework)),
            security: overridden(&["spring-security.version"]).or_else(|| first(&self.security)),
            starters,
            known: self.known,
        }
    }

    fn property(&self, name: &str) -> Option<String> {
        let plain = |text: &str| text.replace(['-', '_', '.'], "").to_lowercase();
        let exact = self.properties.iter().find(|(known, _)| known == name);
        let found = exact.or_else(|| {
            let wanted = plain(name);
            self.properties
                .iter()
                .find(|(known, _)| plain(known) == wanted)
        });
        found.map(|(_, value)| value.clone())
    }

    /// The release that a text stands for, its placeholders filled in.
    fn resolved(&self, text: &str) -> Option<Version> {
        let mut text = text.to_owned();
        for _ in 0..MAX_DEPTH {
            if let Some(version) = Version::parse(&text) {
                return Some(version);
            }
            let name = text.trim().trim_matches(['"', '\'']);
            let name = name.strip_prefix("${").map_or_else(
                || name.strip_prefix('$').unwrap_or(name),
                |rest| rest.trim_end_matches('}'),
            );
            let name = name
                .trim_start_matches("rootProject.")
                .trim_start_matches("project.")
                .trim_start_matches("ext.")
                .trim_start_matches("libs.versions.")
                .trim_end_matches(".get()");
            text = self.property(name)?;
        }
        None
    }
}

/// The artifacts that a build script names, but for those of tests.
fn artifacts(text: &str) -> Vec<String> {
    let named = Regex::new(r#"["':](spring-(?:boot|cloud|web|security)[\w-]*)["':)]"#);
    let from_catalog = Regex::new(r"libs\.(spring[\w.]*)");
    let (Ok(named), Ok(from_catalog)) = (named, from_catalog) else {
        return Vec::new();
    };
    let lines = text.lines().filter(|line| {
        let line = line.trim_start().trim_start_matches(['"', '\'']);
        !line.starts_with("test") && !line.starts_with("integrationTest")
    });
    let mut result = Vec::new();
    for line in lines {
        let names = named.captures_iter(line).filter_map(|found| found.get(1));
        result.extend(names.map(|name| name.as_str().to_owned()));
        let names = from_catalog
            .captures_iter(line)
            .filter_map(|found| found.get(1));
        result.extend(names.map(|name| name.as_str().replace('.', "-")));
    }
    result
}

/// A catalog's reference as a placeholder.
fn reference(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.to_owned()
    } else {
        format!("${{{text}}}")
    }
}

/// The text of a build script without its comments.
fn without_comments(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut in_block = false;
    for line in text.lines() {
        let mut rest = line;
        if in_block {
            match rest.split_once("*/") {
                Some((_, after)) => {
                    in_block = false;
                    rest = after;
                }
                None => continue,
            }
        }
        let trimmed = rest.trim_start();
        if trimmed.starts_with("//") || trimmed.starts_with('#') {
            continue;
        }
        if let Some((before, after)) = rest.split_once("/*") {
            in_block = !after.contains("*/");
            rest = before;
        }
        // A `//` in a text is a URL's.
        let end = rest
            .match_indices("//")
            .find(|(at, _)| !rest[..*at].ends_with(':'));
        result.push_str(end.map_or(rest, |(at, _)| &rest[..at]));
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)], module: &str) -> Build {
        let sources = Sources::new();
        for (path, text) in files {
            sources.add(format!("no-such-folder/{path}").into(), (*text).into());
        }
        let root = Path::new("no-such-folder");
        Build::read(&root.join(module), root, &sources)
    }

    const POM: &str = r#"<?xml version="1.0"?>
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.2.5</version></parent>
          <properties><java.version>17</java.version><spring-security.version>6.2.4</spring-security.version></properties>
          <dependencies>
            <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
            <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-webflux</artifactId><scope>test</scope></dependency>
          </dependencies>
        </project>"#;

    #[test]
    fn maven_says_releases_and_parts() {
        let build = read(&[("pom.xml", POM)], "");
        assert_eq!(build.boot, Some(Version(3, 2, 5)));
        assert_eq!(build.security, Some(Version(6, 2, 4)));
        assert_eq!(build.framework, None);
        assert!(build.starters.mvc && !build.starters.webflux && build.known);
    }

    #[test]
    fn a_module_inherits_from_the_folders_above() {
        let module = r#"<project><parent><artifactId>parent</artifactId></parent>
            <dependencies><dependency><artifactId>spring-boot-starter-actuator</artifactId></dependency></dependencies></project>"#;
        let parent = r#"<project><properties><boot.v>2.7.1</boot.v></properties><dependencyManagement><dependencies>
            <dependency><artifactId>spring-boot-dependencies</artifactId><version>${boot.v}</version></dependency>
            </dependencies></dependencyManagement></project>"#;
        let build = read(&[("pom.xml", parent), ("a/b/pom.xml", module)], "a/b");
        assert_eq!(build.boot, Some(Version(2, 7, 1)));
        assert!(build.starters.actuator && !build.starters.mvc);
    }

    #[test]
    fn gradle_says_releases_in_many_ways() {
        for (files, boot) in [
            (
                vec![(
                    "build.gradle",
                    "plugins { id 'org.springframework.boot' version '3.1.4' }",
                )],
                (3, 1, 4),
            ),
            (
                vec![(
                    "build.gradle.kts",
                    "plugins { id(\"org.springframework.boot\") version \"2.6.0\" }",
                )],
                (2, 6, 0),
            ),
            (
                vec![(
                    "build.gradle",
                    "buildscript { ext { springBootVersion = '2.0.3.RELEASE' }\n dependencies { classpath(\"org.springframework.boot:spring-boot-gradle-plugin:${springBootVersion}\") } }",
                )],
                (2, 0, 3),
            ),
            (
                vec![
                    ("build.gradle.kts", "plugins { alias(libs.plugins.boot) }"),
                    (
                        "gradle/libs.versions.toml",
                        "[versions]\nboot = \"3.4.1\"\n[plugins]\nspring = { id = \"org.springframework.boot\", version.ref = \"boot\" }",
                    ),
                ],
                (3, 4, 1),
            ),
            (
                vec![
                    (
                        "build.gradle",
                        "plugins { id 'org.springframework.boot' version \"${springBootVersion}\" }",
                    ),
                    ("gradle.properties", "springBootVersion=3.3.2"),
                ],
                (3, 3, 2),
            ),
            (
                vec![(
                    "build.gradle",
                    "// id 'org.springframework.boot' version '1.0.0'\nplugins { id 'org.springframework.boot' version '3.0.0' }",
                )],
                (3, 0, 0),
            ),
        ] {
            let build = read(&files, "");
            let expected = Some(Version(boot.0, boot.1, boot.2));
            assert_eq!(build.boot, expected, "{files:?}");
        }
    }

    #[test]
    fn gradle_says_what_is_there() {
        let text = "dependencies {\n implementation 'org.springframework.boot:spring-boot-starter-web'\n implementation(\"org.springframework.boot:spring-boot-starter-security\")\n testImplementation 'org.springframework.boot:spring-boot-starter-webflux'\n implementation(libs.spring.boot.starter.graphql)\n}";
        let build = read(&[("build.gradle", text)], "");
        assert!(build.starters.mvc && build.starters.security && !build.starters.webflux);
        assert!(build.starters.graphql);
    }
}
