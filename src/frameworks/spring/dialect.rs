//! How something is spelt at a place: help is written in the same way.

use crate::source::{SourceFile, Span};

/// The words of a statement stand no further in front of a place than this many bytes.
const WINDOW: usize = 1500;

/// The name of the spelling at a place, as the help texts of rules have it; nothing for the usual
/// one, the registry's.
pub(super) fn of(file: &SourceFile, span: Span) -> Option<&'static str> {
    let ending = file.path().extension()?.to_str()?.to_ascii_lowercase();
    let kotlin = match ending.as_str() {
        "yml" | "yaml" => return yaml(file, span),
        // Keys of the application's own are read by its code.
        "properties" => {
            let line = file
                .text()
                .get(..span.start as usize)?
                .lines()
                .next_back()?;
            return line
                .contains("management.endpoints.web.cors")
                .then_some("spring.properties");
        }
        "xml" => return Some("spring.xml"),
        "kt" => true,
        _ => false,
    };
    let statement = statement(file.text(), span);
    let has = |words: &[&str]| words.iter().any(|word| statement.contains(word));
    Some(match kotlin {
        false if has(&["@CrossOrigin"]) => "spring.annotation",
        true if has(&["@CrossOrigin"]) => "spring.annotation-kotlin",
        _ if has(&["addMapping"]) => return None,
        _ if has(&["addEndpoint", "addHandler("]) => "spring.socket",
        true if has(&["allowedOrigin", "allowCredentials", "CorsConfiguration"]) => {
            "spring.bean-kotlin"
        }
        false if has(&["setAllow", "addAllow", "CorsConfiguration", "setExposed"]) => "spring.bean",
        _ if has(&["ResponseHeader(", "RequestHeader("])
            && file.text().contains("RouteLocator") =>
        {
            "spring.gateway"
        }
        _ if has(&["eader(", "eaders", "Access-Control", "ACCESS_CONTROL"]) => "spring.handler",
        _ if file.text().contains(" preHandle(") => "spring.interceptor",
        _ if file.text().contains("doFilter") => "spring.filter",
        _ => return None,
    })
}

/// What is written from the start of the statement that a place is in to the end of its line.
fn statement(text: &str, span: Span) -> &str {
    let at = (span.start as usize).min(text.len());
    let mut start = at.saturating_sub(WINDOW);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = text.get(start..at).unwrap_or_default();
    // Braces are a part of annotations.
    let begins = before.rfind([';', '}']).map_or(0, |end| end + 1);
    let begin = match before.rfind("@CrossOrigin") {
        Some(annotation) if !before[annotation..].contains([')', ';']) => annotation,
        _ => begins.max(before.rfind("{\n").map_or(0, |end| end + 2)),
    };
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    text.get(start + begin..end).unwrap_or_default()
}

/// The gateway has its own keys, and the application may have.
fn yaml(file: &SourceFile, span: Span) -> Option<&'static str> {
    let before = file.text().get(..span.start as usize)?;
    let place = |word: &str| before.rfind(word);
    let gateway = place("cors-configurations").max(place("corsConfigurations"));
    let gateway = gateway.max(place("gateway:"));
    let boot = place("management").max(place("graphql"));
    match (gateway, boot) {
        (None, None) => None,
        (gateway, boot) if gateway > boot => Some("spring.gateway"),
        _ => Some("spring.yaml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[track_caller]
    fn check(name: &str, text: &str, expected: Option<&str>) {
        let file = Sources::new().add(name.into(), text.into());
        let at = text.find("\"X").expect("a place");
        let at = u32::try_from(at).expect("a short text");
        let span = Span::new(file.id(), at, at + 2);
        assert_eq!(of(&file, span), expected, "{text}");
    }

    #[test]
    fn places_have_their_spelling() {
        for (text, expected) in [
            (
                "class A {\n  @CrossOrigin(origins = { \"a\", \"X\" })",
                Some("spring.annotation"),
            ),
            ("@CrossOrigin(\"X\") class A", Some("spring.annotation")),
            ("r.addMapping(\"/**\")\n .allowedOrigins(\"X\");", None),
            (
                "@CrossOrigin(\"a\") class A { void f() {\n c.setAllowedOrigins(List.of(\"X\"));",
                Some("spring.bean"),
            ),
            (
                "r.addEndpoint(\"/ws\").setAllowedOrigins(\"X\");",
                Some("spring.socket"),
            ),
            (
                "a();\n response.setHeader(\"Access-Control-Allow-Origin\", \"X\");",
                Some("spring.handler"),
            ),
            (
                "boolean preHandle(Object handler) {\n response.sendError(401, \"X\");",
                Some("spring.interceptor"),
            ),
            (
                "void doFilterInternal(Object request) {\n response.sendError(401, \"X\");",
                Some("spring.filter"),
            ),
            (
                "RouteLocator f() {\n g(f -> f.addResponseHeader(\"A\", \"X\"));",
                Some("spring.gateway"),
            ),
        ] {
            check("A.java", text, expected);
        }
        check(
            "A.kt",
            "CorsConfiguration().apply {\n allowedOrigins = listOf(\"X\")",
            Some("spring.bean-kotlin"),
        );
        check(
            "A.kt",
            "@CrossOrigin(origins = [\"X\"])",
            Some("spring.annotation-kotlin"),
        );
        check(
            "a.yml",
            "spring:\n cloud:\n  gateway:\n   globalcors:\n    allowedOrigins: \"X\"",
            Some("spring.gateway"),
        );
        check(
            "a.yml",
            "management:\n endpoints.web.cors.allowed-origins: \"X\"",
            Some("spring.yaml"),
        );
        check("a.yml", "app:\n origin: \"X\"", None);
        check("a.properties", "app.origin=\"X\"", None);
        check(
            "a.properties",
            "management.endpoints.web.cors.allowed-origins=\"X\"",
            Some("spring.properties"),
        );
        check("a.xml", "<a b=\"X\"/>", Some("spring.xml"));
    }
}
