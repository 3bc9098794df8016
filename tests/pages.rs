//! `docs/rules`: a page for each rule, made of the rule files.

use std::fmt::Write as _;
use std::path::Path;

use corslint::rules::{Definition, Docs, Example, RuleSet};

/// The language of an example, for highlighting.
fn language(example: &Example) -> &'static str {
    let extension = example
        .file
        .as_deref()
        .and_then(|file| file.rsplit_once('.'));
    match (
        extension.map(|(_, extension)| extension),
        example.framework.as_str(),
    ) {
        (Some("yml" | "yaml"), _) => "yaml",
        (Some("xml"), _) => "xml",
        (Some("properties"), _) => "properties",
        (Some("kt"), _) => "kotlin",
        (Some("ts" | "tsx"), _) => "ts",
        (Some("html"), _) => "html",
        (_, "nginx") => "nginx",
        (_, "express") => "js",
        (_, "spring") => "java",
        (_, "django" | "flask" | "starlette") => "python",
        _ => "text",
    }
}

fn examples(page: &mut String, title: &str, id: &str, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n## {title}");
    for example in examples {
        let file = example.file.as_ref().map(|file| format!(", `{file}`"));
        let words = example.title.as_ref().map(|words| format!(": {words}"));
        let (file, words) = (file.unwrap_or_default(), words.unwrap_or_default());
        let _ = writeln!(page, "\n{}{file}{words}\n", example.framework);
        if let Some(config) = &example.config {
            let _ = writeln!(page, "```toml\n# corslint.toml\n{}\n```\n", config.trim());
        }
        let code = example.code.trim_matches('\n').trim_end();
        let code = code.replace(&format!("~ {id}"), "<- reported here");
        let _ = writeln!(page, "```{}\n{code}\n```", language(example));
    }
}

fn page(definition: &Definition, docs: &Docs) -> String {
    let id = &definition.id;
    let mut page = format!(
        "# {id}\n\n{} · {} · since {}\n\n{}\n",
        definition.category.name(),
        definition.severity.names(),
        docs.since,
        docs.explanation.trim()
    );
    examples(&mut page, "Bad", id, &docs.bad);
    examples(&mut page, "Good", id, &docs.good);
    if !docs.references.is_empty() {
        page.push_str("\n## References\n\n");
    }
    for reference in &docs.references {
        let link = match reference.strip_prefix("CWE-") {
            Some(number) => {
                format!("[{reference}](https://cwe.mitre.org/data/definitions/{number}.html)")
            }
            None if reference.starts_with("https://") => format!("<{reference}>"),
            None => reference.clone(),
        };
        let _ = writeln!(page, "- {link}");
    }
    page
}

/// Writes with `CORSLINT_BLESS=1`.
#[test]
fn the_rule_pages_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let rules = RuleSet::builtin().expect("the rules are right");
    let mut pages = Vec::new();
    let mut index = String::from(
        "# Rules\n\nMade of the files in `rules/`; `corslint explain RULE` shows the same.\n\n\
         | rule | category | severity | what it finds |\n|---|---|---|---|\n",
    );
    let mut all: Vec<_> = rules.rules().collect();
    all.sort_by(|a, b| a.definition.id.cmp(&b.definition.id));
    for rule in all {
        let definition = &rule.definition;
        let docs = rule.docs().expect("docs");
        let summary: Vec<_> = docs.summary().split_whitespace().collect();
        let _ = writeln!(
            index,
            "| [{id}]({id}.md) | {} | {} | {} |",
            definition.category.name(),
            definition.severity.names(),
            summary.join(" ").replace('|', "\\|"),
            id = definition.id,
        );
        pages.push((format!("{}.md", definition.id), page(definition, docs)));
    }
    pages.push(("README.md".into(), index));
    pages.sort();
    let bless = std::env::var_os("CORSLINT_BLESS").is_some_and(|value| value == "1");
    if bless {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("docs/ can be written");
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).expect("docs/rules can be written");
        }
    }
    let entries = std::fs::read_dir(&folder).expect("docs/rules");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    let expected: Vec<_> = pages.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, expected, "stale: run with CORSLINT_BLESS=1");
    for (name, text) in &pages {
        let known = std::fs::read_to_string(folder.join(name)).expect("a page");
        assert!(known == *text, "{name} is stale: run with CORSLINT_BLESS=1");
    }
}
