//! What nginx keeps of a configuration, as far as it decides a response: levels, locations,
//! servers, maps, variables. Built by `compile`, run by `phases`.

use std::collections::HashMap;

use super::complex::Complex;
use super::location::{Port, Table};
use super::regex::Pattern;
use super::variables::Var;
use crate::model::{Decision, Exposure, Known};
use crate::source::Span;

/// Index of a [`Level`].
pub(super) type LevelId = usize;
/// Index of a [`Location`].
pub(super) type LocationId = usize;
/// Index of a [`Server`].
pub(super) type ServerId = usize;
/// Index of a user variable.
pub(super) type SlotId = usize;

/// Everything that decides responses.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Configuration levels; a parent stands before its children.
    pub(super) levels: Vec<Level>,
    /// Servers in file order.
    pub(super) servers: Vec<Server>,
    /// Locations of all servers in file order.
    pub(super) locations: Vec<Location>,
    /// Maps in file order.
    pub(super) maps: Vec<Map>,
    /// Variables that the configuration defines.
    pub(super) slots: Vec<Slot>,
    /// Their names, lower case.
    pub(super) slot_names: HashMap<String, SlotId>,
    /// `upstream` blocks by name: the addresses of their servers.
    pub(super) upstreams: HashMap<String, Vec<String>>,
    /// Servers by port, for routing: indices of `servers` in file order.
    pub(super) ports: HashMap<u16, Port>,
    /// A part of the configuration at `http` level is not in view.
    pub(super) partial: bool,
}

/// Where a level stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LevelKind {
    /// `http { }`
    Http,
    /// `server { }`
    Server,
    /// `location { }`
    Location,
    /// `if { }` in a location
    If,
    /// `limit_except { }`
    LimitExcept,
}

/// One level of settings. `None` means "as outside".
#[derive(Debug)]
pub(super) struct Level {
    /// What it is.
    pub(super) kind: LevelKind,
    /// The level outside.
    pub(super) parent: Option<LevelId>,
    /// The block's first words.
    pub(super) span: Span,
    /// Own `add_header` directives.
    pub(super) add_headers: Vec<AddHeader>,
    /// `add_header_inherit`.
    pub(super) inherit: Option<Inherit>,
    /// Own headers-more directives.
    pub(super) more: Vec<More>,
    /// Own `*_hide_header` directives.
    pub(super) hide: Vec<Hide>,
    /// Own `*_pass_header` directives.
    pub(super) pass: Vec<Hide>,
    /// Own `proxy_set_header` directives (and those of other modules).
    pub(super) upstream_headers: Vec<(Module, String, Complex)>,
    /// Own `error_page` directives.
    pub(super) error_pages: Vec<ErrorPage>,
    /// `auth_basic`.
    pub(super) auth_basic: Option<(Complex, Span)>,
    /// `auth_request`; an inner `None` is `off`.
    pub(super) auth_request: Option<(Option<Complex>, Span)>,
    /// Own `allow` and `deny` rules.
    pub(super) access: Vec<AccessRule>,
    /// `satisfy any`.
    pub(super) satisfy_any: Option<bool>,
    /// The content handler.
    pub(super) handler: Option<Handler>,
    /// `try_files`.
    pub(super) try_files: Option<TryFiles>,
    /// `root`, or `alias` (`true`).
    pub(super) root: Option<(Complex, bool)>,
    /// `index`.
    pub(super) index: Option<Vec<Complex>>,
    /// `autoindex`.
    pub(super) autoindex: Option<bool>,
    /// `expires`: the Cache-Control that it sends; an inner `None` is `off`.
    pub(super) expires: Option<(Option<Known<String>>, Span)>,
    /// `client_max_body_size` in bytes; 0 is no limit.
    pub(super) max_body: Option<u64>,
    /// `proxy_intercept_errors` and the like.
    pub(super) intercept_errors: Option<bool>,
    /// `recursive_error_pages`.
    pub(super) recursive_error_pages: Option<bool>,
    /// `absolute_redirect`.
    pub(super) absolute_redirect: Option<bool>,
    /// `port_in_redirect`.
    pub(super) port_in_redirect: Option<bool>,
    /// `server_name_in_redirect`.
    pub(super) server_name_in_redirect: Option<bool>,
    /// `dav_methods`: methods that the file handler answers besides GET and HEAD.
    pub(super) dav_methods: Option<Vec<(String, Span)>>,
    /// Caches.
    pub(super) cache: Option<(Option<Complex>, Span)>,
    /// The cache's key.
    pub(super) cache_key: Option<Complex>,
    /// `*_ignore_headers` names Vary.
    pub(super) ignore_vary: Option<bool>,
    /// `*_cache_methods` names OPTIONS is refused by nginx, so only this: `proxy_method`.
    pub(super) proxy_method: Option<Complex>,
    /// `add_header_inherit off` holds here.
    pub(super) inherits_nothing: bool,
    /// Whose `add_header` directives hold here.
    pub(super) effective: Effective,
    /// nginx itself does CORS here for what lies behind: some list that can hold for an ordinary
    /// request names Access-Control-Allow-Origin.
    pub(super) does_cors: bool,
    /// Headers-more directives hold here.
    pub(super) has_more: bool,
    /// Headers may be sent here that cannot be read.
    pub(super) unseen_headers: bool,
    /// A Lua or njs header filter stands here.
    pub(super) filter: Option<Span>,
    /// A part of this block is not in view.
    pub(super) unseen: Option<Span>,
    /// Something here may answer requests and cannot be read (Lua, njs, an include).
    pub(super) foreign: Option<Span>,
}

/// Whose `add_header` directives hold at a level.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effective {
    /// Nobody's.
    None,
    /// All of this level, and only those.
    Own(LevelId),
    /// Those of these levels, in this order.
    Merged(Vec<LevelId>),
}

/// `add_header`.
#[derive(Debug)]
pub(super) struct AddHeader {
    /// The name, as written.
    pub(super) name: String,
    /// The value.
    pub(super) value: Complex,
    /// On every status.
    pub(super) always: bool,
    /// The directive.
    pub(super) span: Span,
    /// The value's word.
    pub(super) value_span: Option<Span>,
}

/// `add_header_inherit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inherit {
    /// An own list replaces the outer one.
    On,
    /// Nothing from outside.
    Off,
    /// The own list, then the outer one.
    Merge,
}

/// One header of a headers-more directive.
#[derive(Debug)]
pub(super) struct More {
    /// The name; with `prefix` only its beginning.
    pub(super) name: String,
    /// `more_clear_headers "A*"`
    pub(super) prefix: bool,
    /// The value; `None` clears.
    pub(super) value: Option<Complex>,
    /// `-a`: adds a line.
    pub(super) append: bool,
    /// `-s`: only these statuses.
    pub(super) statuses: Vec<u16>,
    /// `-t`: only some content types.
    pub(super) typed: bool,
    /// The directive.
    pub(super) span: Span,
    /// The header's word.
    pub(super) value_span: Span,
}

/// A module that asks an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// `proxy_pass`
    Proxy,
    /// `fastcgi_pass`
    Fastcgi,
    /// `uwsgi_pass`
    Uwsgi,
    /// `scgi_pass`
    Scgi,
    /// `grpc_pass`
    Grpc,
    /// `memcached_pass`, and modules that are not nginx's own
    Other,
}

impl Module {
    /// The module of a directive's prefix (`proxy_…`).
    pub(super) fn of(prefix: &str) -> Option<Self> {
        Some(match prefix {
            "proxy" => Self::Proxy,
            "fastcgi" => Self::Fastcgi,
            "uwsgi" => Self::Uwsgi,
            "scgi" => Self::Scgi,
            "grpc" => Self::Grpc,
            _ => return None,
        })
    }
}

/// `proxy_hide_header` or `proxy_pass_header`.
#[derive(Debug)]
pub(super) struct Hide {
    /// Whose.
    pub(super) module: Module,
    /// The name.
    pub(super) name: String,
    /// The directive.
    pub(super) span: Span,
}

/// `error_page`, one status of it.
#[derive(Debug)]
pub(super) struct ErrorPage {
    /// The status it is for.
    pub(super) status: u16,
    /// `=code`; an inner `None` (`=`) takes the status of the page.
    pub(super) overwrite: Option<Option<u16>>,
    /// The page.
    pub(super) target: Complex,
    /// The directive.
    pub(super) span: Span,
}

/// `allow` or `deny`.
#[derive(Debug)]
pub(super) struct AccessRule {
    /// `allow`.
    pub(super) allow: bool,
    /// `all`, an address, a network.
    pub(super) whom: String,
    /// The directive.
    pub(super) span: Span,
}

/// What makes a location's content.
#[derive(Debug)]
pub(super) enum Handler {
    /// An upstream.
    Pass {
        /// Which module asks it.
        module: Module,
        /// Where it is (`proxy_pass http://app/x`).
        target: Complex,
        /// The directive.
        span: Span,
    },
    /// A handler that answers GET and HEAD itself and refuses other methods (`stub_status`).
    Fixed {
        /// The directive.
        span: Span,
    },
    /// Code or a module that cannot be read.
    Foreign {
        /// The directive.
        span: Span,
    },
}

/// `try_files`.
#[derive(Debug)]
pub(super) struct TryFiles {
    /// Candidates; `true` means a directory.
    pub(super) files: Vec<(Complex, bool)>,
    /// What happens if none exists.
    pub(super) last: Fallback,
    /// The directive.
    pub(super) span: Span,
}

/// The last argument of `try_files`.
#[derive(Debug)]
pub(super) enum Fallback {
    /// `=404`
    Status(u16),
    /// `@name`
    Named(String),
    /// An internal redirect.
    Uri(Complex),
}

/// How a location is chosen.
#[derive(Debug)]
pub(super) enum Matching {
    /// `=`
    Exact,
    /// A prefix; with `^~`, the outer regexes are skipped.
    Prefix {
        /// `^~`
        no_regex: bool,
    },
    /// `~`, `~*`
    Regex(Pattern),
    /// `@name`
    Named,
}

/// A location.
#[derive(Debug)]
pub(super) struct Location {
    /// How it is chosen.
    pub(super) matching: Matching,
    /// The path, pattern or `@name`.
    pub(super) name: String,
    /// Its settings.
    pub(super) level: LevelId,
    /// Its server.
    pub(super) server: ServerId,
    /// The location it is nested in.
    pub(super) parent: Option<LocationId>,
    /// Nested locations.
    pub(super) table: Table,
    /// Rewrite directives, in order.
    pub(super) script: Vec<Op>,
    /// `internal`.
    pub(super) internal: bool,
    /// `limit_except`.
    pub(super) limit_except: Option<LimitExcept>,
    /// The directive's words.
    pub(super) span: Span,
    /// A URI with slash-less form redirects here (`proxy_pass` and its kin under a path ending in `/`).
    pub(super) auto_redirect: bool,
}

/// `limit_except`.
#[derive(Debug)]
pub(super) struct LimitExcept {
    /// Methods that stay in the location (`HEAD` with `GET`), upper case.
    pub(super) methods: Vec<(String, Span)>,
    /// The settings for the others.
    pub(super) level: LevelId,
}

/// An address a server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    /// The address as text; `None` is any.
    pub(super) address: Option<String>,
    /// The port; `None` for a Unix socket or one that is not in view.
    pub(super) port: Option<u16>,
    /// `ssl`
    pub(super) ssl: bool,
    /// `default_server`
    pub(super) default: bool,
}

/// A server's name.
#[derive(Debug)]
pub(super) enum ServerName {
    /// Exactly.
    Exact(String),
    /// `*.example.com`: the rest behind the star, with its dot.
    Suffix(String),
    /// `www.example.*`: the beginning, with its dot.
    Prefix(String),
    /// `~…`
    Regex(Pattern),
}

/// A server.
#[derive(Debug)]
pub(super) struct Server {
    /// Its settings, which hold where no location matches.
    pub(super) level: LevelId,
    /// Names in order.
    pub(super) names: Vec<ServerName>,
    /// Addresses.
    pub(super) listens: Vec<Listen>,
    /// Rewrite directives before a location is chosen.
    pub(super) script: Vec<Op>,
    /// Its locations.
    pub(super) table: Table,
    /// Named locations.
    pub(super) named: HashMap<String, LocationId>,
    /// The directive's word.
    pub(super) span: Span,
    /// Plain http, https?
    pub(super) secure: Known<bool>,
    /// Who can reach it.
    pub(super) exposure: Exposure,
    /// `merge_slashes`.
    pub(super) merge_slashes: bool,
    /// It is implied by a snippet that stands alone: what is around it is not in view.
    pub(super) implied: bool,
}

/// A rewrite directive.
#[derive(Debug)]
pub(super) enum Op {
    /// `if`
    If(Box<If>),
    /// `set`
    Set {
        /// The variable.
        slot: SlotId,
        /// Its value.
        value: Complex,
        /// The value's word.
        span: Span,
    },
    /// `set $args`, which is nginx's own.
    SetArgs(Complex),
    /// `return`
    Return {
        /// The status.
        status: u16,
        /// Body or URL.
        text: Option<Complex>,
        /// The directive.
        span: Span,
    },
    /// `rewrite`
    Rewrite(Box<Rewrite>),
    /// `break`
    Break,
    /// Something that cannot be read gives this variable a value.
    Forget(SlotId),
    /// Something that cannot be read may answer here.
    Foreign(Span),
}

/// `rewrite`.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// What the URI must match.
    pub(super) pattern: Pattern,
    /// What it becomes.
    pub(super) replacement: Complex,
    /// The new query, if the replacement has a `?`.
    pub(super) args: Option<Complex>,
    /// The old query is added.
    pub(super) keep_args: bool,
    /// What happens then.
    pub(super) flag: RewriteFlag,
    /// The directive.
    pub(super) span: Span,
}

/// What a `rewrite` that matched leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RewriteFlag {
    /// Goes on with the next directive; a new location is chosen at the end.
    None,
    /// Stops; a new location is chosen.
    Last,
    /// Stops; the location stays.
    Break,
    /// Answers with this status.
    Redirect(u16),
}

/// `if`.
#[derive(Debug)]
pub(super) struct If {
    /// The condition.
    pub(super) condition: Condition,
    /// The directives inside.
    pub(super) body: Vec<Op>,
    /// The settings inside, for an `if` in a location.
    pub(super) level: Option<LevelId>,
}

/// The condition of an `if`.
#[derive(Debug)]
pub(super) struct Condition {
    /// What is tested.
    pub(super) test: Test,
    /// As written, between the parentheses.
    pub(super) text: String,
    /// Where.
    pub(super) span: Span,
    /// The literal or pattern, for a comparison.
    pub(super) decision: Option<Decision>,
}

/// A test.
#[derive(Debug)]
pub(super) enum Test {
    /// `$v`
    Truthy(Var),
    /// `$v = x`, `$v != x`
    Equal {
        /// Left.
        variable: Var,
        /// Right.
        value: Complex,
        /// `!=`
        negated: bool,
    },
    /// `$v ~ re` and its kin
    Match {
        /// Left.
        variable: Var,
        /// Right.
        pattern: Pattern,
        /// `!~`
        negated: bool,
    },
    /// `-f` and its kin
    File {
        /// The letter.
        kind: u8,
        /// What is tested.
        path: Complex,
        /// `!-f`
        negated: bool,
    },
    /// Not a condition that nginx takes.
    Invalid,
}

/// What a user variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Definition {
    /// Set by `set` or a capture; empty before.
    Set,
    /// Computed by a map: its index in `maps`.
    Map(usize),
    /// Computed by something that cannot be read, or that depends on the client (`geo`).
    Opaque,
}

/// A user variable.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its name, lower case.
    pub(super) name: String,
    /// Where its value comes from.
    pub(super) definition: Definition,
}

/// An entry of a map.
#[derive(Debug)]
pub(super) struct Entry {
    /// The value.
    pub(super) value: Complex,
    /// The value's word.
    pub(super) value_span: Span,
    /// The key: what lets an origin in if it matches.
    pub(super) decision: Decision,
}

/// `map`.
#[derive(Debug)]
pub(super) struct Map {
    /// What is looked up.
    pub(super) source: Complex,
    /// The variable that it defines.
    pub(super) slot: SlotId,
    /// All entries in file order.
    pub(super) entries: Vec<Entry>,
    /// Exact keys, lower case.
    pub(super) exact: HashMap<String, usize>,
    /// `*.x` keys under `hostnames`: `.x`.
    pub(super) head: HashMap<String, usize>,
    /// `x.*` keys under `hostnames`: `x.`.
    pub(super) tail: HashMap<String, usize>,
    /// Regexes in order.
    pub(super) regexes: Vec<(Pattern, usize)>,
    /// `default`.
    pub(super) default: Option<usize>,
    /// `volatile`.
    pub(super) volatile: bool,
    /// `hostnames`.
    pub(super) hostnames: bool,
    /// Entries are in a file that is not in view, or in a template.
    pub(super) unseen: Option<Span>,
    /// `map … $variable`
    pub(super) span: Span,
}

impl Config {
    /// Does the value depend on the request's `Origin`?
    pub(super) fn depends_on_origin(&self, complex: &Complex, depth: usize) -> bool {
        depth < 8
            && complex.variables().any(|variable| match variable {
                Var::Header(name) => name == "origin",
                Var::User(slot) => match self.slots[*slot].definition {
                    Definition::Map(map) => {
                        self.depends_on_origin(&self.maps[map].source, depth + 1)
                    }
                    _ => false,
                },
                _ => false,
            })
    }

    /// The nearest level, from `level` outwards, of which `what` knows something.
    pub(super) fn nearest<'a, T>(
        &'a self,
        level: LevelId,
        what: impl Fn(&'a Level) -> Option<T>,
    ) -> Option<T> {
        self.chain(level).find_map(what)
    }

    /// The levels from `level` outwards.
    pub(super) fn chain(&self, level: LevelId) -> impl Iterator<Item = &Level> {
        std::iter::successors(self.levels.get(level), |level| {
            level.parent.and_then(|parent| self.levels.get(parent))
        })
    }
}

impl Level {
    /// A level without settings of its own.
    pub(super) const fn new(kind: LevelKind, parent: Option<LevelId>, span: Span) -> Self {
        Self {
            kind,
            parent,
            span,
            add_headers: Vec::new(),
            inherit: None,
            more: Vec::new(),
            hide: Vec::new(),
            pass: Vec::new(),
            upstream_headers: Vec::new(),
            error_pages: Vec::new(),
            auth_basic: None,
            auth_request: None,
            access: Vec::new(),
            satisfy_any: None,
            handler: None,
            try_files: None,
            root: None,
            index: None,
            autoindex: None,
            expires: None,
            max_body: None,
            intercept_errors: None,
            recursive_error_pages: None,
            absolute_redirect: None,
            port_in_redirect: None,
            server_name_in_redirect: None,
            dav_methods: None,
            cache: None,
            cache_key: None,
            ignore_vary: None,
            proxy_method: None,
            inherits_nothing: false,
            effective: Effective::None,
            does_cors: false,
            has_more: false,
            unseen_headers: false,
            filter: None,
            unseen: None,
            foreign: None,
        }
    }
}
