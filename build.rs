//! Embeds the rule files, in the order of their names: file name, the part that the engine needs as
//! JSON (which is read in a tenth of the time that the whole file takes), and the whole text.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// Keys that only readers need; `Docs::KEYS` in `src/rules/definition.rs`.
const DOCS: [&str; 5] = ["since", "references", "explanation", "bad", "good"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(Path::new(&root).join("rules"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            names.push(name);
        }
    }
    names.sort();
    let mut code = String::from("&[\n");
    for name in names {
        let path = Path::new(&root).join("rules").join(&name);
        let mut table: toml::Table = fs::read_to_string(&path)?
            .parse()
            .map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        for key in DOCS {
            table.remove(key);
        }
        let core = serde_json::to_string(&table).map_err(io::Error::other)?;
        let _ = writeln!(code, "    ({name:?}, {core:?}, include_str!({path:?})),");
    }
    code.push_str("]\n");
    fs::write(Path::new(&out).join("rules.rs"), code)
}
