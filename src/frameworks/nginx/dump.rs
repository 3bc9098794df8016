//! The output of `nginx -T`: one file that stands for many, each behind a comment with its path.

use crate::limits::nginx::MAX_SECTIONS;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::include::{clean, is_glob, is_like};
use crate::syntax::nginx::Directive;

/// What nginx writes before each file (`ngx_dump_config` in `nginx.c`).
const MARK: &str = "# configuration file ";

/// The files of a dump.
#[derive(Debug)]
pub(super) struct Dump {
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    path: PathBuf,
    /// Bytes of the dump.
    range: Range<u32>,
}

impl Dump {
    /// The files that a text stands for, if it is a dump of more than one; what people write above
    /// the first is left out.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !text.contains(MARK) {
            return None;
        }
        let mut sections: Vec<Section> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let path = line.trim_end().strip_prefix(MARK);
            if let Some(path) = path.and_then(|rest| rest.strip_suffix(':')) {
                if let Some(last) = sections.last_mut() {
                    last.range.end = at;
                }
                sections.push(Section {
                    path: PathBuf::from(path),
                    range: at..u32::MAX,
                });
            }
            at = at.saturating_add(u32::try_from(line.len()).unwrap_or(u32::MAX));
        }
        (2..=MAX_SECTIONS)
            .contains(&sections.len())
            .then_some(Self { sections })
    }

    /// The files that an `include` means, in nginx's order.
    pub(super) fn find(&self, pattern: &str) -> Vec<usize> {
        let main = self.sections.first().and_then(|main| main.path.parent());
        let wanted = clean(&main.unwrap_or(Path::new("/")).join(pattern));
        let is_wanted = |path: &Path| {
            if !is_glob(pattern) {
                return clean(path) == wanted;
            }
            let (own, glob) = (path.components(), wanted.components());
            own.clone().count() == glob.clone().count()
                && glob
                    .zip(own)
                    .all(|(glob, own)| is_like(glob.as_os_str(), own.as_os_str()))
        };
        let sections = self.sections.iter().enumerate();
        let mut found: Vec<usize> = sections
            .filter(|(_, section)| is_wanted(&section.path))
            .map(|(at, _)| at)
            .collect();
        found.sort_by_key(|at| self.sections[*at].path.as_os_str().as_encoded_bytes());
        found
    }

    /// The directives of one file, of all that stand at the top of the dump in their order. The main
    /// file is the first.
    pub(super) fn directives<'d>(&self, section: usize, all: &'d [Directive]) -> &'d [Directive] {
        let Some(Section { range, .. }) = self.sections.get(section) else {
            return &[];
        };
        let before = |byte: u32| all.partition_point(|directive| directive.span.start < byte);
        &all[before(range.start)..before(range.end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_path_and_glob() {
        let text = "# configuration file /etc/nginx/nginx.conf:\nhttp { include conf.d/*.conf; }\n\
                    # configuration file /etc/nginx/conf.d/b.conf:\n\
                    # configuration file /etc/nginx/conf.d/a.conf:\n";
        let dump = Dump::of(text).unwrap();
        assert_eq!(dump.find("conf.d/*.conf"), [2, 1]);
        assert_eq!(dump.find("/etc/nginx/conf.d/b.conf"), [1]);
        assert_eq!(dump.find("conf.d/../conf.d/./b.conf"), [1]);
        assert_eq!(dump.find("*.conf"), [0]);
        assert_eq!(dump.find("mime.types"), [0_usize; 0]);
    }

    #[test]
    fn ordinary_files_are_no_dumps() {
        for text in [
            "",
            "# configuration file /etc/nginx/nginx.conf:\nhttp { }\n",
            "http {\n # configuration file /a:\n # configuration file /b:\n}\n",
        ] {
            assert!(Dump::of(text).is_none(), "{text}");
        }
    }
}
