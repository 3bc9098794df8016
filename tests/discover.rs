//! Which files are found, in trees as they are and in trees that mean harm.

use std::fs;
use std::path::{Path, PathBuf};

use corslint::discover::{Discovery, Excludes, discover};
use corslint::source::{MAX_FILE_BYTES, Sources};

use crate::support::TempDir;

/// A fragment that has to do with CORS.
const SEED: &str = "add_header Access-Control-Allow-Origin * always;\n";
/// A fragment that has not.
const COMPANION: &str = "location /x { try_files $uri =404; }\n";
/// A main file that has not.
const MAIN: &str = "events {}\nhttp {\n include conf.d/*.conf;\n}\n";

fn look(paths: &[&Path]) -> Discovery {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    discover(&paths, None, &Sources::new(), Excludes::NONE).expect("a working directory")
}

/// Roots and files relative to `folder`, `+` before a named file.
fn projects(folder: &TempDir, discovery: &Discovery) -> Vec<String> {
    let relative = |path: &Path| {
        let path = path.strip_prefix(folder.path()).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    };
    let mut lines = Vec::new();
    for project in &discovery.projects {
        let files = project.files.iter().map(|found| {
            let mark = if found.named { "+" } else { "" };
            format!("{mark}{}", relative(found.file.path()))
        });
        lines.push(format!(
            "[{}] {}",
            relative(&project.root),
            files.collect::<Vec<_>>().join(" ")
        ));
    }
    lines
}

fn skipped(folder: &TempDir, discovery: &Discovery) -> Vec<String> {
    discovery
        .skipped
        .iter()
        .map(|problem| {
            let path = problem.path.as_deref().unwrap_or(Path::new(""));
            let path = path.strip_prefix(folder.path()).unwrap_or(path);
            format!("{}: {}", path.display(), problem.text)
        })
        .collect()
}

#[test]
fn a_project_with_a_seed_hands_on_its_companions() {
    let folder = TempDir::new();
    folder.write("nginx.conf", MAIN);
    folder.write("conf.d/cors.conf", SEED);
    folder.write("conf.d/other.conf", COMPANION);
    folder.write(
        "conf.d/apache.conf",
        "Header set Access-Control-Allow-Origin *\n",
    );
    folder.write("readme.md", SEED);
    let discovery = look(&[folder.path()]);
    assert_eq!(
        projects(&folder, &discovery),
        ["[] +conf.d/cors.conf +conf.d/other.conf +nginx.conf"]
    );
    assert_eq!(discovery.examined, 4);
    assert_eq!(discovery.skipped, []);
}

#[test]
fn a_project_without_a_seed_is_left_alone() {
    let folder = TempDir::new();
    folder.write("a/package.json", "{}");
    folder.write("a/nginx.conf", MAIN);
    folder.write("b/package.json", "{}");
    folder.write("b/x.conf", SEED);
    folder.write("c/x.conf", COMPANION);
    let discovery = look(&[folder.path()]);
    assert_eq!(projects(&folder, &discovery), ["[b] +b/x.conf"]);
    assert_eq!(discovery.examined, 3);
}

#[test]
fn the_nearest_marker_makes_the_project() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("x.conf", SEED);
    folder.write("app/pom.xml", "");
    folder.write("app/deploy/x.conf", SEED);
    folder.write("app/deploy/nginx/nginx.conf", MAIN);
    folder.write("app/deploy/nginx/conf.d/x.conf", SEED);
    // A fragment of that name is no main file.
    folder.write("app/web/nginx.conf", SEED);
    let discovery = look(&[folder.path()]);
    assert_eq!(
        projects(&folder, &discovery),
        [
            "[] +x.conf",
            "[app] +app/deploy/x.conf +app/web/nginx.conf",
            "[app/deploy/nginx] +app/deploy/nginx/conf.d/x.conf +app/deploy/nginx/nginx.conf",
        ]
    );
}

#[test]
fn a_folder_of_a_repository_brings_nothing_from_elsewhere() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("elsewhere/x.conf", SEED);
    folder.write("named/x.conf", SEED);
    let named = folder.path().join("named");
    let discovery = look(&[&named]);
    assert_eq!(projects(&folder, &discovery), ["[] +named/x.conf"]);
    // What makes a project brings its files.
    folder.write("package.json", "{}");
    let discovery = look(&[&named]);
    assert_eq!(
        projects(&folder, &discovery),
        ["[] elsewhere/x.conf +named/x.conf"]
    );
}

#[test]
fn a_named_fragment_brings_the_rest_of_its_project() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write("elsewhere.conf", SEED);
    folder.write("nginx/nginx.conf", MAIN);
    folder.write("nginx/node_modules/x.conf", SEED);
    folder.write("nginx/other/package.json", "{}");
    folder.write("nginx/other/x.conf", SEED);
    let fragment = folder.write("nginx/conf.d/a.conf", COMPANION);
    folder.write("nginx/conf.d/b.conf", SEED);
    let expected = ["[nginx] +nginx/conf.d/a.conf nginx/conf.d/b.conf nginx/nginx.conf"];
    let discovery = look(&[&fragment]);
    assert_eq!(projects(&folder, &discovery), expected);
    assert_eq!((discovery.examined, discovery.excluded), (1, 0));

    let project = &discovery.projects[0];
    let main = folder.path().join("nginx/nginx.conf");
    assert!(project.partial);
    assert!(project.names(&fragment));
    assert!(!project.names(&main));
    assert!(!project.names(folder.path()));

    let discovery = look(&[folder.path()]);
    assert!(discovery.projects.iter().all(|project| !project.partial));
}

#[test]
fn a_named_part_of_a_project_brings_the_rest() {
    let folder = TempDir::new();
    folder.write("nginx/nginx.conf", MAIN);
    folder.write("nginx/conf.d/a.conf", SEED);
    let discovery = look(&[&folder.path().join("nginx/conf.d")]);
    assert_eq!(
        projects(&folder, &discovery),
        ["[nginx] +nginx/conf.d/a.conf nginx/nginx.conf"]
    );
}

#[test]
fn without_a_project_nothing_else_is_looked_for() {
    let folder = TempDir::new();
    let named = folder.write("a.conf", SEED);
    folder.write("b.conf", SEED);
    let discovery = look(&[&named]);
    assert_eq!(projects(&folder, &discovery), ["[] +a.conf"]);
}

#[test]
fn ignore_files_are_honoured() {
    let folder = TempDir::new();
    folder.write(".git/info/exclude", "excluded.conf\n");
    folder.write(
        ".gitignore",
        "/out/\n*.gen.conf\n!keep.gen.conf\nkept.conf\n",
    );
    folder.write(".ignore", "!kept.conf\n");
    folder.write("sub/.gitignore", "!b.gen.conf\n");
    for name in [
        "excluded.conf",
        "out/a.conf",
        "a.gen.conf",
        "keep.gen.conf",
        "kept.conf",
        "sub/b.gen.conf",
        "sub/c.gen.conf",
        "sub/out/a.conf",
        ".hidden/a.conf",
        ".hidden.conf",
        ".platform/nginx/conf.d/a.conf",
        "node_modules/a.conf",
        "sub/dist/a.conf",
    ] {
        folder.write(name, SEED);
    }
    let discovery = look(&[folder.path()]);
    assert_eq!(
        projects(&folder, &discovery),
        [
            "[] +.platform/nginx/conf.d/a.conf +keep.gen.conf +kept.conf +sub/b.gen.conf +sub/out/a.conf"
        ]
    );
    assert_eq!(discovery.excluded, 2);

    // The files above a named folder count as well, up to the repository.
    let discovery = look(&[&folder.path().join("sub")]);
    let lines = projects(&folder, &discovery).join("\n");
    assert!(lines.contains("+sub/b.gen.conf"), "{lines}");
    assert!(!lines.contains("sub/c.gen.conf"), "{lines}");
}

#[test]
fn a_repository_inside_does_not_know_the_rules_above() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write(".gitignore", "x.conf\n");
    folder.write("inner/.git/HEAD", "");
    folder.write("inner/x.conf", SEED);
    let discovery = look(&[folder.path()]);
    assert_eq!(projects(&folder, &discovery), ["[inner] +inner/x.conf"]);
}

#[test]
fn named_files_are_looked_at_whatever_ignores_them() {
    let folder = TempDir::new();
    folder.write(".git/HEAD", "");
    folder.write(".gitignore", "*\n");
    let ignored = folder.write("node_modules/x.conf", SEED);
    let other_name = folder.write("cors.txt", SEED);
    let other_kind = folder.write("readme.md", "# about CORS\n");
    let discovery = look(&[&ignored, &other_name, &other_kind]);
    assert_eq!(
        projects(&folder, &discovery),
        ["[] +cors.txt +node_modules/x.conf"]
    );
    assert_eq!(
        skipped(&folder, &discovery),
        ["readme.md: not a kind of file that corslint reads"]
    );
    assert_eq!(discovery.errors, []);
}

#[test]
fn a_file_under_two_names_is_one_file() {
    let folder = TempDir::new();
    let file = folder.write("x.conf", SEED);
    let dotted = folder.path().join("./sub/../x.conf");
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    let discovery = look(&[&file, &dotted, folder.path()]);
    assert_eq!(projects(&folder, &discovery), ["[] +x.conf"]);
}

#[test]
fn standard_input_stands_for_its_file() {
    let folder = TempDir::new();
    folder.write("nginx.conf", MAIN);
    let file = folder.write("conf.d/x.conf", COMPANION);
    let discovery = discover(&[], Some((&file, SEED)), &Sources::new(), Excludes::NONE)
        .expect("a working directory");
    assert_eq!(
        projects(&folder, &discovery),
        ["[] +conf.d/x.conf nginx.conf"]
    );
    assert_eq!(discovery.projects[0].files[0].file.text(), SEED);
}

#[test]
fn what_cannot_be_read_is_a_skip_when_met_and_an_error_when_named() {
    let folder = TempDir::new();
    folder.write("good.conf", SEED);
    let binary = folder.write("binary.conf", "a\0b");
    let latin = folder.write("latin.conf", b"# caf\xe9\n");
    folder.write("empty.conf", "");
    folder.write("dir.conf/inside.conf", SEED);
    let huge = folder.path().join("huge.conf");
    let file = fs::File::create(&huge).expect("a file");
    file.set_len(1 << 30).expect("a sparse file");
    let discovery = look(&[folder.path()]);
    assert_eq!(
        projects(&folder, &discovery),
        ["[] +dir.conf/inside.conf +good.conf"]
    );
    assert_eq!(
        skipped(&folder, &discovery),
        [
            "binary.conf: holds NUL bytes, so it is not text".to_owned(),
            format!("huge.conf: 1073741824 bytes, larger than the limit of {MAX_FILE_BYTES} bytes"),
            "latin.conf: not UTF-8 (byte 5)".to_owned(),
        ]
    );
    assert_eq!(discovery.errors, []);

    let missing = folder.path().join("missing.conf");
    let discovery = look(&[&binary, &latin, &huge, &missing]);
    let named: Vec<_> = discovery.errors.iter().map(|e| e.path.clone()).collect();
    assert_eq!(
        named,
        [Some(binary), Some(latin), Some(huge), Some(missing)]
    );
    assert_eq!(discovery.skipped, []);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn link(folder: &TempDir, target: &str, name: &str) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        symlink(target, path).expect("a link");
    }

    #[test]
    fn links_never_lead_in_circles_or_out() {
        let folder = TempDir::new();
        let outside = TempDir::new();
        let secret = outside.write("secret.conf", SEED);
        folder.write("sites-available/app", SEED);
        folder.write("parts/only-by-link", SEED);
        link(&folder, "../sites-available/app", "sites-enabled/app");
        link(&folder, "../parts/only-by-link", "sites-enabled/linked");
        link(&folder, "..", "sub/up.conf");
        link(&folder, "self.conf", "self.conf");
        link(&folder, "nowhere.conf", "dangling.conf");
        link(&folder, secret.to_str().expect("UTF-8"), "out.conf");
        let discovery = look(&[folder.path()]);
        assert_eq!(
            projects(&folder, &discovery),
            ["[] +sites-available/app +sites-enabled/linked"]
        );
        let lines = skipped(&folder, &discovery);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("dangling.conf: a link that leads nowhere"));
        assert_eq!(lines[1], "out.conf: a link to something outside the folder");
        assert!(lines[2].starts_with("self.conf: a link that leads nowhere"));

        // Named, a link is followed wherever it leads.
        let discovery = look(&[&folder.path().join("out.conf")]);
        assert_eq!(projects(&folder, &discovery), ["[] +out.conf"]);
        let discovery = look(&[&folder.path().join("self.conf")]);
        assert_eq!(discovery.errors.len(), 1);
    }

    #[test]
    fn an_included_link_is_the_file_that_it_leads_to() {
        let folder = TempDir::new();
        let file = folder.write("sites-available/app", SEED);
        link(&folder, "../sites-available/app", "sites-enabled/app");
        let sources = Sources::new();
        let first = sources.load(&file).expect("a file");
        let second = sources.load(&folder.path().join("sites-enabled/app"));
        assert_eq!(first.id(), second.expect("a file").id());
    }

    #[test]
    fn pipes_and_sockets_are_never_opened() {
        let folder = TempDir::new();
        folder.write("good.conf", SEED);
        let pipe = folder.path().join("pipe.conf");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let socket = folder.path().join("socket.conf");
        let _socket = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
        link(&folder, "pipe.conf", "link.conf");
        link(&folder, "pipe.conf", ".gitignore");
        let discovery = look(&[folder.path()]);
        assert_eq!(projects(&folder, &discovery), ["[] +good.conf"]);
        assert_eq!(
            skipped(&folder, &discovery),
            [
                "link.conf: not a regular file",
                "pipe.conf: not a regular file",
                "socket.conf: not a regular file",
            ]
        );
        let discovery = look(&[&pipe]);
        assert_eq!(discovery.errors[0].text, "not a regular file");
    }

    #[test]
    fn names_may_be_any_bytes() {
        let folder = TempDir::new();
        for name in [
            &b"\xff\xfe.conf"[..],
            b"new\nline.conf",
            b"\x1b[31mred.conf",
        ] {
            folder.write(OsStr::from_bytes(name), SEED);
        }
        let discovery = look(&[folder.path()]);
        assert_eq!(discovery.projects[0].files.len(), 3);
    }

    #[test]
    fn unreadable_folders_and_files_are_skips() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = TempDir::new();
        folder.write("good.conf", SEED);
        folder.write("closed/x.conf", SEED);
        let file = folder.write("closed.conf", SEED);
        let closed = folder.path().join("closed");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
        };
        set(&closed, 0o000);
        set(&file, 0o000);
        let root_reads_everything = fs::read(&file).is_ok();
        let discovery = look(&[folder.path()]);
        set(&closed, 0o700);
        if root_reads_everything {
            assert_eq!(discovery.skipped, []);
        } else {
            let lines = skipped(&folder, &discovery);
            assert_eq!(lines.len(), 2, "{lines:?}");
        }
        let lines = projects(&folder, &discovery).join("\n");
        assert!(lines.contains("+good.conf"), "{lines}");
    }
}
