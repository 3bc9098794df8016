//! The real server's answers, kept beside a case.

use serde_json::{Map, Value, json};

use super::{Answer, Ask};

/// A request with the answer it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ask: Ask,
    pub(crate) answer: Answer,
}

/// `recorded.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The server's name and version.
    pub(crate) server: String,
    pub(crate) rows: Vec<Row>,
}

/// Stands for "all other origins of the case" as a key.
const OTHERS: &str = "*";
/// Stands for "no Origin header".
const NONE: &str = "-";

impl Record {
    /// The file's text. Requests that differ only in kind and get equal answers share an entry;
    /// the most frequent answer of an entry is filed under "*".
    pub(crate) fn text(&self, origins: &[Option<String>]) -> String {
        let mut urls: Vec<(&str, Vec<(String, Value)>)> = Vec::new();
        for row in &self.rows {
            let kind = row.ask.kind();
            let entry = match urls.iter_mut().find(|(url, _)| *url == row.ask.url) {
                Some((_, entry)) => entry,
                None => {
                    urls.push((&row.ask.url, Vec::new()));
                    &mut urls.last_mut().unwrap().1
                }
            };
            if !entry.iter().any(|(other, _)| *other == kind) {
                entry.push((kind.clone(), self.answers(&row.ask.url, &kind)));
            }
        }
        let mut text = String::from("{\n");
        text.push_str(&format!("  \"server\": {},\n", json!(self.server)));
        let names: Vec<&str> = origins.iter().map(name).collect();
        text.push_str(&format!("  \"origins\": {},\n", json!(names)));
        let urls: Vec<String> = urls
            .into_iter()
            .map(|(url, kinds)| url_text(url, kinds))
            .collect();
        text.push_str(&format!(
            "  \"answers\": {{\n{}\n  }}\n}}\n",
            urls.join(",\n")
        ));
        text
    }

    /// The answers of one URL and kind: origins to texts.
    fn answers(&self, url: &str, kind: &str) -> Value {
        let rows = self
            .rows
            .iter()
            .filter(|row| row.ask.url == url && row.ask.kind() == kind);
        let answers: Vec<(&str, [Vec<String>; 2])> = rows
            .map(|row| {
                let origin = row.ask.origin.as_deref();
                (
                    name(&row.ask.origin),
                    [row.answer.texts(None), row.answer.texts(origin)],
                )
            })
            .collect();
        let count = |texts: &Vec<String>| {
            answers
                .iter()
                .filter(|(_, forms)| forms.contains(texts))
                .count()
        };
        let forms = answers.iter().rev().flat_map(|(_, forms)| forms);
        let most = forms
            .max_by_key(|texts| count(texts))
            .cloned()
            .unwrap_or_default();
        let mut groups: Vec<(Vec<&str>, &Vec<String>)> = Vec::new();
        for (origin, forms) in answers.iter().filter(|(_, forms)| !forms.contains(&most)) {
            match groups.iter_mut().find(|(_, texts)| **texts == forms[1]) {
                Some((origins, _)) => origins.push(origin),
                None => groups.push((vec![origin], &forms[1])),
            }
        }
        let mut map = Map::new();
        map.insert(OTHERS.into(), json!(most));
        for (origins, texts) in groups {
            map.insert(origins.join(", "), json!(texts));
        }
        Value::Object(map)
    }

    /// Reads a file's text.
    pub(crate) fn parse(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap();
        let origins: Vec<&str> = json["origins"]
            .as_array()
            .unwrap()
            .iter()
            .map(|origin| origin.as_str().unwrap())
            .collect();
        let mut rows = Vec::new();
        for (url, kinds) in json["answers"].as_object().unwrap() {
            for (names, answers) in kinds.as_object().unwrap() {
                let kinds: Vec<&str> = if names.contains('|') {
                    vec![names]
                } else {
                    names.split(", ").collect()
                };
                for kind in kinds {
                    for name in &origins {
                        let origin = (*name != NONE).then_some(*name);
                        let named =
                            answers.as_object().unwrap().iter().find(|(origins, _)| {
                                origins.split(", ").any(|origin| origin == *name)
                            });
                        let texts = named.map_or(&answers[OTHERS], |(_, texts)| texts);
                        let texts: Vec<String> = serde_json::from_value(texts.clone()).unwrap();
                        rows.push(Row {
                            ask: Ask::of_kind(kind, url, origin),
                            answer: Answer::from_texts(&texts, origin),
                        });
                    }
                }
            }
        }
        Self {
            server: json["server"].as_str().unwrap().into(),
            rows,
        }
    }
}

fn name(origin: &Option<String>) -> &str {
    origin.as_deref().unwrap_or(NONE)
}

fn url_text(url: &str, kinds: Vec<(String, Value)>) -> String {
    let mut shared: Vec<(Vec<String>, Value)> = Vec::new();
    for (kind, answers) in kinds {
        // A kind with further headers stands alone: their values may hold commas.
        let alone = kind.contains('|');
        let same = shared
            .iter_mut()
            .find(|(kinds, other)| !alone && !kinds[0].contains('|') && *other == answers);
        match same {
            Some((kinds, _)) => kinds.push(kind),
            None => shared.push((vec![kind], answers)),
        }
    }
    let lines: Vec<String> = shared
        .into_iter()
        .map(|(kinds, answers)| {
            let lines: Vec<String> = answers
                .as_object()
                .unwrap()
                .iter()
                .map(|(origin, texts)| format!("        {}: {texts}", json!(origin)))
                .collect();
            format!(
                "      {}: {{\n{}\n      }}",
                json!(kinds.join(", ")),
                lines.join(",\n")
            )
        })
        .collect();
    format!("    {}: {{\n{}\n    }}", json!(url), lines.join(",\n"))
}
