//! Which files can matter, as data: one row for each language that corslint reads.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

use crate::limits::MAX_FILE_BYTES;
use crate::limits::discover::MAX_PROGRAM_BYTES;
use crate::source::{Unreadable, str_of};
use crate::syntax::nginx::sniff;
pub(super) use crate::syntax::words::Content;
use crate::syntax::words::{self, Words};

/// One kind of file.
pub(super) struct Kind {
    /// What may stand before a template's ending, as a whole; `*` stands for any text.
    names: &'static [&'static str],
    /// How names end, lower case.
    endings: &'static [&'static str],
    /// Endings that mostly belong to other files; the text decides.
    shared_endings: &'static [&'static str],
    /// Names of folders in which a file without an extension or with one of `fragments` is of this
    /// kind; `*` stands for any text.
    folders: &'static [&'static str],
    /// How names of fragments end in `folders`.
    fragments: &'static [&'static str],
    /// Names of folders in which every file is of this kind, whatever its name.
    any_in: &'static [&'static str],
    /// Endings of templates, which are taken off before a name is looked at.
    templates: &'static [&'static str],
    /// Which texts are in the language at all; asked of the few that hold a word.
    is_text: fn(&str) -> bool,
    /// What makes a text matter.
    words: &'static LazyLock<Words>,
    /// Is a text without such words a companion?
    companions: bool,
    /// The largest file that a walk looks into, in bytes.
    pub(super) max_bytes: u64,
}

/// Every kind, the first that fits decides.
static KINDS: [&Kind; 6] = [&NGINX, &JAVASCRIPT, &PYTHON, &JAVA, &SETTINGS, &XML];

static NGINX: Kind = Kind {
    names: &["nginx"],
    endings: &[".conf", ".nginx", ".nginxconf", ".ngx", ".vhost"],
    shared_endings: &[".app", ".mustache"],
    folders: &["conf.d", "snippets", "*nginx*"],
    fragments: &[".inc", ".include", ".params", ".snippet"],
    any_in: &[
        "sites-available",
        "sites-enabled",
        "vhosts",
        "vhosts.d",
        "vhost.d",
    ],
    templates: &[
        ".ctmpl",
        ".default",
        ".dist",
        ".envsubst",
        ".erb",
        ".example",
        ".in",
        ".j2",
        ".jinja",
        ".jinja2",
        ".mustache",
        ".sample",
        ".sigil",
        ".template",
        ".tmpl",
        ".tpl",
    ],
    is_text: sniff::is_nginx,
    words: &words::NGINX,
    companions: true,
    max_bytes: MAX_FILE_BYTES,
};

static PYTHON: Kind = Kind {
    names: &[],
    endings: &[".py", ".pyw"],
    shared_endings: &[],
    folders: &[],
    fragments: &[],
    any_in: &[],
    templates: &[],
    is_text: |_| true,
    words: &words::PYTHON,
    companions: false,
    max_bytes: MAX_PROGRAM_BYTES,
};

static JAVASCRIPT: Kind = Kind {
    names: &[],
    endings: &[".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"],
    shared_endings: &[],
    folders: &[],
    fragments: &[],
    any_in: &[],
    templates: &[],
    is_text: |_| true,
    words: &words::JAVASCRIPT,
    companions: false,
    max_bytes: MAX_PROGRAM_BYTES,
};

static JAVA: Kind = Kind {
    endings: &[".java", ".kt"],
    words: &words::JAVA,
    max_bytes: MAX_PROGRAM_BYTES,
    ..PLAIN
};

/// `application-prod.yml` and the like.
static SETTINGS: Kind = Kind {
    names: &["*application*", "*bootstrap*"],
    templates: &[".yml", ".yaml", ".properties"],
    words: &words::SETTINGS,
    ..PLAIN
};

static XML: Kind = Kind {
    endings: &[".xml"],
    words: &words::XML,
    ..PLAIN
};

/// A kind that no name has.
const PLAIN: Kind = Kind {
    names: &[],
    endings: &[],
    shared_endings: &[],
    folders: &[],
    fragments: &[],
    any_in: &[],
    templates: &[],
    is_text: |_| true,
    words: &words::JAVA,
    companions: false,
    max_bytes: MAX_FILE_BYTES,
};

/// The kind of file that a path stands for, by name and folder alone.
pub(super) fn of_path(path: &Path) -> Option<&'static Kind> {
    let folder = path.parent().unwrap_or(Path::new(""));
    Kinds::in_folder(folder).of_name(path.file_name()?)
}

/// The kinds of files in one folder.
pub(super) struct Kinds {
    folder: String,
}

impl Kinds {
    pub(super) fn in_folder(folder: &Path) -> Self {
        let name = folder.file_name().map(lower);
        Self {
            folder: name.unwrap_or_default().into_owned(),
        }
    }

    /// The kind of file that a name stands for.
    pub(super) fn of_name(&self, name: &OsStr) -> Option<&'static Kind> {
        let name = lower(name);
        let mut kinds = KINDS.iter().copied();
        kinds.find(|kind| kind.fits(&name, &self.folder))
    }
}

/// Does a named file look like one of a known kind, whatever it is called?
pub(super) fn of_text(text: &str) -> Option<&'static Kind> {
    // The words of programs stand in other texts as well.
    sniff::is_nginx(text).then_some(&NGINX)
}

impl Kind {
    fn fits(&self, name: &str, folder: &str) -> bool {
        let stem = self.without_template(name);
        // Two at most: `nginx.conf.j2.example`.
        let stem = self.without_template(stem);
        let ends = |endings: &[&str]| endings.iter().any(|ending| stem.ends_with(ending));
        let fragment = !stem.contains('.') || ends(self.fragments);
        (stem != name && self.names.iter().any(|known| is_like(stem, known)))
            || ends(self.endings)
            || self
                .shared_endings
                .iter()
                .any(|ending| name.ends_with(ending))
            || (fragment && self.folders.iter().any(|known| is_like(folder, known)))
            || self.any_in.contains(&folder)
    }

    fn without_template<'a>(&self, name: &'a str) -> &'a str {
        self.templates
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .filter(|stem| !stem.is_empty())
            .unwrap_or(name)
    }

    /// What the content of a file of such a path is, with its text if it is of interest. Without `words`
    /// every text in the language is.
    ///
    /// # Errors
    /// It is of interest, or may be, and no text.
    pub(super) fn look_into<'b>(
        &self,
        bytes: &'b [u8],
        words: bool,
    ) -> Result<(Content, &'b str), Unreadable> {
        let content = if words {
            self.words.judge(bytes)
        } else {
            Content::Seed
        };
        if content == Content::Other && !self.companions {
            // UTF-16 hides the words.
            let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
            return if is_wide {
                Err(Unreadable::Binary)
            } else {
                Ok((Content::Other, ""))
            };
        }
        let text = str_of(bytes)?;
        Ok(match content {
            _ if !(self.is_text)(text) => (Content::Other, ""),
            Content::Other => (Content::Companion, text),
            content => (content, text),
        })
    }
}

fn lower(name: &OsStr) -> Cow<'_, str> {
    let name = name.to_string_lossy();
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    name
}

/// Does `name` fit `known`, which may begin and end with `*`?
fn is_like(name: &str, known: &str) -> bool {
    match known
        .strip_prefix('*')
        .and_then(|rest| rest.strip_suffix('*'))
    {
        Some(part) => name.contains(part),
        None => name == known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_folders_decide() {
        for path in [
            "nginx.conf",
            "a/NGINX.CONF",
            "default.conf.template",
            "nginx.conf.j2.example",
            "nginx.tmpl",
            "site.nginx",
            "sites-enabled/example.com",
            "sites-available/default",
            "conf.d/cors",
            "my-nginx-files/cors",
            "nginx/cors.inc",
            "templates/locations.mustache",
            "default.app",
        ] {
            assert!(of_path(Path::new(path)).is_some(), "{path}");
        }
        for path in [
            "cors",
            "nginx.yaml",
            "conf.d/readme.md",
            "a/.template",
            "x/conf",
        ] {
            assert!(of_path(Path::new(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn texts_of_nginx_are_told_from_others() {
        let kind = of_path(Path::new("x.conf")).expect("a kind");
        for (text, content) in [
            ("add_header Access-Control-Allow-Origin *;", Content::Seed),
            ("map $http_origin $o { default ''; }", Content::Seed),
            ("\tproxy_set_header Origin '';", Content::Seed),
            ("include cors;\nreturn 204;", Content::Seed),
            ("http{include sites/*;}", Content::Companion),
            ("location = / {\n}", Content::Companion),
            // Apache
            (
                "Header set Access-Control-Allow-Origin \"*\"\n",
                Content::Other,
            ),
            // HOCON
            ("server {\n cors = \"*\"\n}\n", Content::Other),
            // INI, whose comments begin with a semicolon
            ("listen = 9000\n; about cors\n", Content::Other),
            ("", Content::Other),
        ] {
            let looked = kind.look_into(text.as_bytes(), true).expect("a text");
            assert_eq!(looked.0, content, "{text}");
        }
    }
}
