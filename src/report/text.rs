//! Texts from files, paths and arguments, made fit to be shown.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// The longest text of a message, label or note on a terminal, in characters; what goes beyond
/// is cut.
const MAX_CHARACTERS: usize = 600;

/// `text` as one line in which nothing is hidden: control characters, line breaks, characters
/// without width and those that change the direction of writing are shown as escapes.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Like [`line()`], but line breaks and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n' || c == '\t')
}

/// Like [`line()`], and not longer than a reader would read.
pub(crate) fn short_line(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", line(&text[..end]))),
        None => line(text),
    }
}

/// How a character is shown if it is not shown as itself.
pub(crate) fn escape(c: char) -> Option<String> {
    match c {
        '\n' => Some("\\n".into()),
        '\r' => Some("\\r".into()),
        '\t' => Some("\\t".into()),
        '\0'..='\u{7f}' if c.is_control() => Some(format!("\\x{:02x}", u32::from(c))),
        _ if c.is_control() || is_invisible(c) => Some(format!("\\u{{{:x}}}", u32::from(c))),
        _ => None,
    }
}

/// Characters that show nothing themselves, or change how their neighbours are shown
/// (Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, without variation selectors).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| !stays(c) && escape(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match escape(c) {
            Some(escape) if !stays(c) => shown.push_str(&escape),
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// What was assumed for something to be shown: a condition that holds, or one that does not.
#[must_use]
pub(crate) fn assumption(condition: &str, holds: bool) -> String {
    if holds {
        return format!("assumed: {condition}");
    }
    let name = match condition.strip_prefix('`') {
        Some(rest) => rest.find('`').map(|end| end + 2),
        None => condition.find(|c: char| !c.is_alphanumeric() && c != '_'),
    };
    let (name, rest) = condition.split_at(name.unwrap_or(condition.len()));
    match (rest.strip_prefix(" is not "), rest.strip_prefix(" is ")) {
        (Some(rest), _) => format!("assumed: {name} is {rest}"),
        (None, Some(rest)) => format!("assumed: {name} is not {rest}"),
        (None, None) => format!("assumed not: {condition}"),
    }
}

/// Writes a value as JSON with a line break at the end. Characters that a terminal would act on, or not
/// show, stand in it as escapes: they can only be inside of strings.
pub(crate) fn write_json<T: serde::Serialize>(
    value: &T,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c| c != '\n' && escape(c).is_some()) {
        let (plain, behind) = rest.split_at(at);
        out.write_all(plain.as_bytes())?;
        let mut behind = behind.chars();
        for unit in behind.next().unwrap_or_default().encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = behind.as_str();
    }
    writeln!(out, "{rest}")
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Shows paths the way a person in a certain folder would type them.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    folder: Option<PathBuf>,
}

impl Paths {
    /// As seen from `folder`, an absolute path.
    #[must_use]
    pub fn from(folder: &Path) -> Self {
        Self {
            folder: Some(folder.to_path_buf()),
        }
    }

    /// As seen from the working directory.
    #[must_use]
    pub fn here() -> Self {
        let folder = std::env::current_dir().and_then(|folder| folder.canonicalize());
        Self {
            folder: folder.ok(),
        }
    }

    /// The folder, if it is known.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The path relative to the folder, if that is not longer than the path itself.
    #[must_use]
    pub fn relative(&self, path: &Path) -> PathBuf {
        let Some(folder) = self.folder.as_deref().filter(|_| path.is_absolute()) else {
            return without_dot(path);
        };
        let mut up = PathBuf::new();
        for above in folder.ancestors() {
            if let Ok(rest) = path.strip_prefix(above) {
                let relative = up.join(rest);
                if relative.as_os_str().is_empty() {
                    return PathBuf::from(".");
                }
                let is_longer = relative.as_os_str().len() > path.as_os_str().len();
                return if is_longer {
                    path.to_path_buf()
                } else {
                    relative
                };
            }
            up.push("..");
        }
        path.to_path_buf()
    }

    /// [`Paths::relative`] as text for people; bytes that are no text are shown as `\xff`.
    #[must_use]
    pub fn show(&self, path: &Path) -> String {
        let path = self.relative(path);
        let mut shown = String::new();
        for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
            shown.push_str(&line(chunk.valid()));
            for byte in chunk.invalid() {
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
        shown
    }
}

/// The path without a leading `./`.
fn without_dot(path: &Path) -> PathBuf {
    let mut components = path.components();
    match components.next() {
        Some(Component::CurDir) if components.clone().next().is_some() => {
            components.as_path().to_path_buf()
        }
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden() {
        assert_eq!(line("plain é 🗻"), "plain é 🗻");
        assert_eq!(
            line("a\u{1b}[31mb\r\n\t\u{7f}\u{9b}\0"),
            "a\\x1b[31mb\\r\\n\\t\\x7f\\u{9b}\\x00"
        );
        assert_eq!(
            line("\u{202e}x\u{2066}\u{200d}"),
            "\\u{202e}x\\u{2066}\\u{200d}"
        );
        assert_eq!(lines("a\n\tb\u{1b}"), "a\n\tb\\x1b");
    }

    #[test]
    fn assumptions_say_what_is_so() {
        for (condition, holds, shown) in [
            ("`A B` is set", true, "assumed: `A B` is set"),
            ("`A B` is set", false, "assumed: `A B` is not set"),
            ("`A` is \"is set\"", false, "assumed: `A` is not \"is set\""),
            ("A is not \"1\"", false, "assumed: A is \"1\""),
            ("a.b(c is d)", false, "assumed not: a.b(c is d)"),
            ("`open", false, "assumed not: `open"),
            ("", false, "assumed not: "),
        ] {
            assert_eq!(assumption(condition, holds), shown);
        }
    }

    #[test]
    fn json_holds_nothing_that_a_terminal_acts_on() {
        let value = "\u{9b}31m\u{202e}\u{7f}\u{1b}\n\u{e0001}é";
        let mut out = Vec::new();
        write_json(&value, &mut out).expect("a vector");
        let text = String::from_utf8(out).expect("UTF-8");
        let shown = r#""\u009b31m\u202e\u007f\u001b\n\udb40\udc01é""#;
        assert_eq!(text, format!("{shown}\n"));
        assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), value);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(MAX_CHARACTERS + 1);
        let shown = short_line(&text);
        assert_eq!(shown.chars().count(), MAX_CHARACTERS + 1);
        assert!(shown.ends_with('…'));
        assert_eq!(short_line("é"), "é");
    }

    #[cfg(unix)]
    #[test]
    fn paths_are_as_short_as_people_type_them() {
        let paths = Paths::from(Path::new("/home/me/project"));
        for (path, shown) in [
            ("/home/me/project/a/b.conf", "a/b.conf"),
            ("/home/me/project", "."),
            ("/home/me/other/b.conf", "../other/b.conf"),
            ("/etc/nginx/nginx.conf", "/etc/nginx/nginx.conf"),
            ("./a.conf", "a.conf"),
            ("a.conf", "a.conf"),
            (".", "."),
        ] {
            assert_eq!(paths.show(Path::new(path)), shown);
        }
    }

    #[cfg(unix)]
    #[test]
    fn paths_hold_any_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(OsStr::from_bytes(b"a\xff\x1b\n.conf"));
        assert_eq!(Paths::default().show(path), "a\\xff\\x1b\\n.conf");
    }
}
