//! The real nginx: one process in the foreground, in a folder of its own, on loopback ports.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::TempDir;

const NEEDED: &str = "the live suite needs a real nginx; on Debian: \
    apt-get install nginx libnginx-mod-http-headers-more-filter libnginx-mod-http-lua";

/// Dynamic modules, with what their directives start with or hold.
const MODULES: [(&str, &str); 3] = [
    ("ndk_http_module.so", "_by_lua"),
    ("ngx_http_lua_module.so", "_by_lua"),
    ("ngx_http_headers_more_filter_module.so", "more_"),
];

/// The `nginx` program.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain([PathBuf::from("/usr/sbin")])
            .map(|folder| folder.join("nginx"))
            .find(|program| program.is_file())
            .unwrap_or_else(|| panic!("{NEEDED}"))
    })
}

/// nginx's version, as in `1.22.1`.
pub(crate) fn version() -> String {
    let output = Command::new(program()).arg("-v").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let version = text.trim().rsplit('/').next().unwrap_or_default();
    version.split(' ').next().unwrap_or_default().to_owned()
}

/// The `load_module` directives that a configuration with these words needs.
pub(crate) fn modules_for(text: &str) -> String {
    let needed = MODULES.iter().filter(|(_, word)| text.contains(word));
    needed
        .map(|(file, _)| {
            let path = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules"]
                .map(|folder| Path::new(folder).join(file))
                .into_iter()
                .find(|path| path.is_file())
                .unwrap_or_else(|| panic!("{file} is missing: {NEEDED}"));
            format!("load_module {};\n", path.display())
        })
        .collect()
}

/// A port that nobody listens on at the moment, and that this process gives out once.
///
/// It lies below the ports that systems hand out by themselves, so that nobody else gets it before
/// the server takes it.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Two runs at the same time start far apart.
    let start = std::process::id().wrapping_mul(997);
    for _ in 0..COUNT {
        let next = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + next % COUNT).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

/// A fresh folder to run nginx in, removed on drop.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new();
        std::fs::create_dir(folder.path().join("temp")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file under a name that may be an absolute path: the folder is its root.
    pub(crate) fn write(&self, name: &str, content: &str) {
        self.0.write(name.trim_start_matches('/'), content);
    }
}

/// A running nginx, killed on drop.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    folder: Folder,
}

impl Nginx {
    /// Starts nginx on `nginx.conf` of `folder` and waits until it listens on `ports`.
    ///
    /// # Errors
    /// What nginx wrote when it refused.
    pub(crate) fn start(folder: Folder, ports: &[u16]) -> Result<Self, String> {
        let child = command(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        for port in ports {
            while TcpStream::connect(("127.0.0.1", *port)).is_err() {
                let ended = server.child.try_wait().unwrap().is_some();
                if ended || Instant::now() > deadline {
                    return Err(server.log());
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(server)
    }

    /// The error log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks nginx whether it accepts `nginx.conf` of `folder` (`nginx -t`).
///
/// # Errors
/// What nginx says about it.
pub(crate) fn accepts(folder: &Folder) -> Result<(), String> {
    let output = command(folder).arg("-t").output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn command(folder: &Folder) -> Command {
    let mut command = Command::new(program());
    command
        .arg("-p")
        .arg(folder.path())
        .args(["-c", "nginx.conf", "-e", "error.log", "-g"])
        .arg("daemon off; master_process off; pid nginx.pid;");
    command
}
