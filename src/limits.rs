//! Every bound on time and memory, in one place.
//!
//! What would exceed one is unknown, skipped or reported, as the item says; never wrong. Unknown is counted:
//! the summary tells how many endpoints are known in part, JSON how many facts. `docs/limits.md` lists them
//! all; a test keeps it so.

/// The largest file that is read, in bytes. A larger one is skipped and counted, or an error if it was
/// named.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Finding files.
pub mod discover {
    /// The largest file of a language with a grammar of tree-sitter that a walk looks into, in bytes: a
    /// program of this size was made by a tool. A larger one is skipped and counted, unless it was named.
    pub const MAX_PROGRAM_BYTES: u64 = 1024 * 1024;

    /// How much text of walked files is kept, in bytes; what comes later, in order of the paths, is skipped
    /// and counted.
    pub const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;

    /// How much text is held until it is known which projects matter, in bytes; what is beyond is read a
    /// second time.
    pub const MAX_HELD_BYTES: usize = 32 * 1024 * 1024;

    /// The names of a folder are kept while programs ask for modules; of a folder with more names, each is
    /// asked for.
    pub const MAX_LISTED: usize = 4096;

    /// Longer lines of an ignore file, in bytes, are no patterns for paths that can exist.
    pub const MAX_IGNORE_LINE: usize = 4096;

    /// Further lines of an ignore file are not read: every pattern becomes a part of an automaton.
    pub const MAX_IGNORE_LINES: usize = 10_000;
}

/// Parsing.
pub mod syntax {
    /// How deep expressions, statements and blocks of programs may nest; what is deeper is unknown.
    pub const MAX_DEPTH: u32 = 250;

    /// No more compiled patterns of a language are kept by a thread.
    pub const MAX_KEPT: usize = 500;

    /// How often tree-sitter may ask whether to go on (it does after every 100 steps), besides once for
    /// every byte of the text. Then the file is not understood.
    pub const MAX_PARSE_CHECKS: usize = 100_000;

    /// How many parts of a text tree-sitter may ask for, besides one for every 64 bytes of it. It asks
    /// again for what it has left behind, and Kotlin's scanner looks for the end of a text block behind
    /// every token of what it does not understand. Then the file is not understood.
    pub const MAX_PARSE_READS: usize = 25_000;

    /// How many bytes of a text tree-sitter is given at once.
    pub const PARSE_CHUNK: usize = 4096;
}

/// Explaining console messages.
pub mod explain {
    /// Longer texts are cut before they are looked at, in bytes.
    pub const MAX_TEXT: usize = 64 * 1024;
    /// More messages of one text are not looked at.
    pub const MAX_MESSAGES: usize = 20;

    /// In `call.rs`.
    pub mod call {
        /// Through how many calls of libraries a decorated function is followed.
        pub const MAX_WRAPPERS: usize = 8;
    }

    /// In `evidence.rs`.
    pub mod evidence {
        /// More endpoints of one site are not asked.
        pub const MAX_ENDPOINTS: usize = 500;
    }
}

/// Spring Boot: property classes and placeholders.
pub mod boot {
    /// In `build.rs`.
    pub mod build {
        /// More files are not read.
        pub const MAX_FILES: usize = 24;
        /// Placeholders inside placeholders.
        pub const MAX_DEPTH: u32 = 8;
    }

    /// In `inject.rs`.
    pub mod inject {
        /// Property classes inside property classes.
        pub const MAX_DEPTH: u32 = 8;
        /// More elements are not bound.
        pub const MAX_ELEMENTS: usize = 500;
    }

    /// In `settings.rs`.
    pub mod settings {
        /// Placeholders inside placeholders.
        pub const MAX_DEPTH: u32 = 16;
        /// Longer texts are not put together.
        pub const MAX_TEXT: usize = 100_000;
        /// Variables for further elements of a list are not looked for.
        pub const MAX_ELEMENTS: usize = 100;
    }
}

/// Django.
pub mod django {
    /// In `read.rs`.
    pub mod read {
        /// Steps of one module of the project's own middleware.
        pub const MIDDLEWARE_STEPS: u32 = 20_000;
        /// The most views that are looked at.
        pub const MAX_VIEWS: usize = 16;
        /// The most methods of routes that are compared with the allowed ones.
        pub const MAX_ROUTES: usize = 64;
    }

    /// In `methods.rs`.
    pub mod methods {
        /// How many decorators of a view are looked through.
        pub const MAX_DECORATORS: usize = 16;
    }

    /// In `urls.rs`.
    pub mod urls {
        /// The most modules of URLs.
        pub const MAX_MODULES: usize = 200;
        /// How deep modules of URLs may include each other.
        pub const MAX_DEPTH: usize = 12;
        /// Steps of one module of URLs.
        pub const STEPS: u32 = 50_000;
    }
}

/// Express.
pub mod express {
    /// Steps of loading a project once.
    pub const STEPS: u32 = 1_000_000;
    /// Nesting of expressions and calls.
    pub const DEPTH: u32 = 400;
    /// Loading is not repeated more often for deployment conditions.
    pub const MAX_LOADS: usize = 16;
    /// Nor if all loads together took more steps.
    pub const MAX_STEPS: u32 = 1_500_000;

    /// In `cors.rs`.
    pub mod cors {
        /// What lists inside of lists beyond this allow is unknown.
        pub const MAX_NESTING: u32 = 24;
    }

    /// In `dispatch.rs`.
    pub mod dispatch {
        /// Stacks inside of stacks beyond this are not entered.
        pub const MAX_NESTING: u32 = 24;
    }

    /// In `exchange.rs`.
    pub mod exchange {
        /// More ways through one request are not tried.
        pub const MAX_DECISIONS: usize = 12;
    }

    /// In `host.rs`.
    pub mod host {
        /// More layers of one program are not kept.
        pub const MAX_LAYERS: usize = 20_000;
        /// More unknown tests are not told apart while loading.
        pub const MAX_UNKNOWN: usize = 2;
    }

    /// In `five.rs`.
    pub mod five {
        /// A path with more ways through its optional parts is refused, as Express 5 does.
        pub const MAX_COMBINATIONS: usize = 256;
    }

    /// In `respond.rs`.
    pub mod respond {
        /// More ways through the program are not tried for one request.
        pub const MAX_WAYS: usize = 24;
        /// Steps of one way.
        pub const STEPS: u32 = 60_000;
        /// No further way is tried after this many steps of all ways.
        pub const ALL_STEPS: u32 = 120_000;
        /// Nesting of expressions and calls.
        pub const DEPTH: u32 = 300;
    }

    /// In `routes.rs`.
    pub mod routes {
        /// The most paths without routes that are asked for conditions.
        pub const MAX_MOUNTS: usize = 40;
        /// Routers are not looked into more often than this, once for every path that they are mounted at.
        pub const MAX_MOUNTED: usize = 5000;
    }

    /// In `site.rs`.
    pub mod site {
        /// More endpoints of one application are not told apart.
        pub const MAX_ENDPOINTS: usize = 120;
        /// Steps of looking for the conditions that answers depend on.
        pub const LEARNING_STEPS: u32 = 1_500_000;
    }

    /// In `stack.rs`.
    pub mod stack {
        /// Lists of handlers inside of lists beyond this are unknown.
        pub const MAX_NESTING: u32 = 24;
        /// More handlers that lists give to one layer are unknown.
        pub const MAX_HANDLERS: usize = 1000;
    }

    /// In `version.rs`.
    pub mod version {
        /// Folders above a project that are looked into.
        pub const MAX_FOLDERS: usize = 4;
    }
}

/// Flask.
pub mod flask {
    /// In `read.rs`.
    pub mod read {
        /// The most routes that are endpoints of their own.
        pub const MAX_ENDPOINTS: usize = 200;
    }

    /// In `respond.rs`.
    pub mod respond {
        /// The most answers of one request that its hooks may come to.
        pub const MAX_OUTCOMES: usize = 16;
    }

    /// In `routes.rs`.
    pub mod routes {
        /// The most blueprints of one application.
        pub const MAX_BLUEPRINTS: usize = 500;
    }
}

/// nginx.
pub mod nginx {
    /// How much work one match may do; nginx itself allows 10,000,000 steps and then answers 500.
    pub const MATCH_LIMITS: &str = "(*LIMIT_MATCH=50000)(*LIMIT_DEPTH=5000)(*LIMIT_HEAP=20000)";
    /// After so many matches that hit the limit, a pattern is not tried again.
    pub const STRIKES: u8 = 3;
    /// Files included one in another deeper than this are not read (nginx stops at the number of files
    /// that it may open).
    pub const MAX_INCLUDE_DEPTH: usize = 24;
    /// Directives that files may add to one configuration by being included more than once.
    pub const MAX_REPEATED: usize = 100_000;
    /// Files that one glob may name.
    pub const MAX_GLOB: usize = 10_000;
    /// A text with more files than this is no dump.
    pub const MAX_SECTIONS: usize = 1000;
    /// Regex attempts that checking the URLs of one configuration may cost.
    pub const MAX_ATTEMPTS: usize = 3_000_000;
    /// Longest path that is sampled from a pattern.
    pub const MAX_PATH: usize = 256;
    /// Longest value that is put together, in bytes; a longer one is unknown. Assignments such as
    /// `set $a $a$a;` double it every time.
    pub const MAX_VALUE: usize = 64 * 1024;
    /// At this many internal redirects nginx gives up (`NGX_HTTP_MAX_URI_CHANGES` and one).
    pub const MAX_CHANGES: u8 = 11;
    /// Proxies in a row that are followed.
    pub const MAX_PROXIES: usize = 4;
    /// More possible responses than this become one in which everything that differs is unknown.
    pub const MAX_RESPONSES: usize = 16;
    /// Maps that are evaluated one for another; more lead back to themselves.
    pub const MAX_MAPS: usize = 16;
    /// Variables set one from another that are followed back to the Origin.
    pub const MAX_COPIES: usize = 4;

    /// In `parser.rs`.
    pub mod parser {
        /// How deep blocks may be nested. What is deeper is not read; no real configuration comes near.
        pub const MAX_DEPTH: usize = 128;
        /// How many errors of one file are kept.
        pub const MAX_ERRORS: usize = 100;
    }
}

/// Python, and what its frameworks share.
pub mod python {
    /// Steps of one file with what it imports.
    pub const STEPS: u32 = 200_000;
    /// The most files that are evaluated for themselves.
    pub const MAX_ENTRIES: usize = 400;

    /// In `call.rs`.
    pub mod call {
        /// Through how many calls of libraries a decorated function is followed.
        pub const MAX_WRAPPERS: usize = 8;
    }

    /// In `evidence.rs`.
    pub mod evidence {
        /// How many functions may lie between a handler and the code that sets its headers.
        pub const MAX_STEPS_APART: usize = 4;
        /// The longest function, in bytes, that is searched for names of such code.
        pub const MAX_FUNCTION: usize = 100_000;
        /// Through how many functions those are followed that decorators wrap.
        pub const MAX_WRAPPED: usize = 16;
    }

    /// In `handler.rs`.
    pub mod handler {
        /// Steps of one handler for one request.
        pub const STEPS: u32 = 20_000;
        /// The most tests that one handler's answer may rest on.
        pub const MAX_TESTS: usize = 3;
        /// The most endpoints whose code is watched for what it compares the origin with.
        pub const MAX_WATCHED: usize = 64;
        /// The longest constant, in bytes, that may be a part of an origin.
        pub const MAX_CONSTANT: usize = 300;
    }

    /// In `condition.rs`.
    pub mod condition {
        /// Through how many calls the origin of a request is followed into a condition.
        pub const MAX_MADE: usize = 8;
    }

    /// In `export.rs`.
    pub mod export {
        /// How deep a value may be exported.
        pub const MAX_EXPORT: usize = 12;
    }

    /// In `import.rs`.
    pub mod import {
        /// The most modules of one project.
        pub const MAX_MODULES: usize = 600;
        /// The most files that one module of django-split-settings names.
        pub const MAX_PARTS: usize = 100;
        /// The largest module that is evaluated, in bytes.
        pub const MAX_BYTES: usize = 2 * 1024 * 1024;
    }

    /// In `object.rs`.
    pub mod object {
        /// The most forms of one value or object that are told apart.
        pub const MAX_FORMS: usize = 64;
    }

    /// In `pattern.rs`.
    pub mod pattern {
        /// How often the engine may go back. A pattern that needs more is undecided.
        pub const BACKTRACK_LIMIT: usize = 100_000;
    }

    /// In `program.rs`.
    pub mod program {
        /// Steps of one project.
        pub const STEPS: u32 = 600_000;
        /// How deep expressions, blocks and calls may nest altogether.
        pub const DEPTH: u32 = 160;
        /// The most conditions that are told apart while evaluating.
        pub const MAX_ATOMS: usize = 400;
        /// The most names around a function that are looked at for what it wraps.
        pub const MAX_CAPTURED: usize = 64;
        /// The most comparisons of the watched text that are remembered.
        pub const MAX_WATCHED: usize = 64;
        /// The longest list or text that is built.
        pub const MAX_LENGTH: usize = 4096;
    }
}

/// Spring.
pub mod spring {
    /// In `controllers.rs`.
    pub mod controllers {
        /// More handlers of one application are not told apart.
        pub const MAX_HANDLERS: usize = 4000;
    }

    /// In `cookies.rs`.
    pub mod cookies {
        /// More methods that make cookies are not looked into.
        pub const MAX_METHODS: usize = 100;
    }

    /// In `exchange.rs`.
    pub mod exchange {
        /// More ways through one request are not tried.
        pub const MAX_DECISIONS: usize = 10;
    }

    /// In `functional.rs`.
    pub mod functional {
        /// Routes nested deeper are left out.
        pub const MAX_ROUTES: usize = 1000;
        /// Of a predicate with more paths and methods it is unknown what it matches.
        pub const MAX_PARTS: usize = 100;
    }

    /// In `model.rs`.
    pub mod model {
        /// The handlers of more paths are not remembered.
        pub const MAX_PATHS: usize = 10_000;
    }

    /// In `read.rs`.
    pub mod read {
        /// Steps of loading an application once.
        pub const STEPS: u32 = 400_000;
        /// Nesting of expressions and calls.
        pub const DEPTH: u32 = 300;
        /// Defaults are tried out in no more worlds than these,
        pub const MAX_TRIED_WORLDS: usize = 8;
        /// and in each no more than these.
        pub const MAX_TRIED_DEFAULTS: usize = 40;
    }

    /// In `security.rs`.
    pub mod security {
        /// Of more matchers at once it is unknown what they match.
        pub const MAX_MATCHERS: usize = 200;
    }

    /// In `site.rs`.
    pub mod site {
        /// Steps of one way of one request.
        pub const STEPS: u32 = 40_000;
        /// Nesting of expressions and calls.
        pub const DEPTH: u32 = 200;
        /// More ways through one request are not tried.
        pub const MAX_WAYS: usize = 16;
        /// More endpoints of one application are not told apart.
        pub const MAX_ENDPOINTS: usize = 120;
    }

    /// In `xml.rs`.
    pub mod xml {
        /// Elements nested deeper are not looked into.
        pub const MAX_DEPTH: u32 = 50;
    }
}

/// Starlette and FastAPI.
pub mod starlette {
    /// In `read.rs`.
    pub mod read {
        /// The most endpoints of one application and of those mounted below it.
        pub const MAX_ENDPOINTS: usize = 200;
        /// The most applications, the mounted ones among them.
        pub const MAX_AREAS: usize = 50;
    }

    /// In `routes.rs`.
    pub mod routes {
        /// How deep routers may include routers.
        pub const MAX_DEPTH: usize = 8;
        /// The most routes of one application.
        pub const MAX_ROUTES: usize = 2000;
    }
}

/// Origins and patterns.
pub mod model {
    /// In `probe.rs`.
    pub mod probe {
        /// Look-alikes of one trusted origin.
        pub const MAX_PER_TRUSTED: usize = 64;
        /// Look-alikes of all trusted origins of one policy.
        pub const MAX_LOOKALIKES: usize = 256;
        /// Probes of hosts that strangers share.
        pub const MAX_PROBES: usize = 64;
    }

    /// In `sample.rs`.
    pub mod sample {
        /// Longest pattern that is looked at, in bytes.
        pub const MAX_PATTERN: usize = 8192;
        /// Variants kept for each part of a pattern.
        pub const MAX_VARIANTS: usize = 512;
        /// Longest variant: scheme, host and port fit.
        pub const MAX_LENGTH: usize = 300;
        /// Concatenations made for one pattern.
        pub const MAX_STEPS: usize = 200_000;
    }
}

/// Rules and worlds.
pub mod rules {
    /// In `ask.rs`.
    pub mod ask {
        /// The most request conditions that are told apart in one world.
        pub const MAX_ASSUMPTIONS: usize = 4;
    }

    /// In `judge.rs`.
    pub mod judge {
        /// The most deployment conditions whose worlds are told apart: 64 worlds.
        pub const MAX_CONDITIONS: usize = 6;
    }

    /// In `origins.rs`.
    pub mod origins {
        /// The most listed origins that are asked about one by one.
        pub const MAX_LISTED: usize = 256;
    }

    /// In `trusted.rs`.
    pub mod trusted {
        /// The most origins of one policy that look-alikes are made from.
        pub const MAX_TRUSTED: usize = 32;
        /// The most origins of one policy among which those are chosen.
        pub const MAX_CANDIDATES: usize = 512;
    }
}

/// Following exchanges.
pub mod simulate {
    /// The most deployment conditions whose worlds are told apart.
    pub const MAX_CONDITIONS: usize = 6;
    /// The most ways that one exchange may go in one world.
    pub const MAX_WAYS: usize = 64;

    /// In `policy.rs`.
    pub mod policy {
        /// More listed origins of one policy are not asked about.
        pub const MAX_LISTED: usize = 256;
    }
}

/// JavaScript and TypeScript.
pub mod javascript {
    /// Items that a list may get from others; a longer one has items that are unknown.
    pub const MAX_ITEMS: usize = 100_000;
    /// Longer texts are not put together, in bytes.
    pub const MAX_TEXT: usize = 100_000;
    /// Elements of lists and properties of objects that are gone through for the price of one step.
    pub const ITEMS_PER_STEP: usize = 4;
    /// Names of an object's properties that are compared for the price of one step.
    pub const NAMES_PER_STEP: usize = 64;

    /// In `heap.rs`.
    pub mod heap {
        /// A value with more forms, by deployment conditions, is unknown.
        pub const MAX_LEAVES: usize = 256;
    }

    /// In `modules.rs`.
    pub mod modules {
        /// Files of compiler settings are not followed further than this.
        pub const MAX_EXTENDS: u32 = 8;
        /// Folders above a project in which compiler settings are looked for.
        pub const MAX_FOLDERS: usize = 4;
        /// More files of one project are not loaded.
        pub const MAX_FILES: usize = 4000;
        /// Larger files are not parsed, in bytes.
        pub const MAX_BYTES: usize = 2 * 1024 * 1024;
    }

    /// In `operators.rs`.
    pub mod operators {
        /// The text of lists inside of lists beyond this is unknown.
        pub const MAX_DEPTH: u32 = 32;
    }

    /// In `statements.rs`.
    pub mod statements {
        /// More rounds of a loop are not made.
        pub const MAX_ROUNDS: usize = 2000;
    }

    /// In `values.rs`.
    pub mod values {
        /// Deeper parts are unknown.
        pub const MAX_DEPTH: u32 = 8;
    }

    /// In `regex.rs`.
    pub mod regex {
        /// More backtracking than this is given up.
        pub const BACKTRACK_LIMIT: usize = 100_000;
        /// Longer patterns are not compiled, in bytes.
        pub const MAX_PATTERN: usize = 8192;
        /// Longer texts are not searched, in bytes.
        pub const MAX_TEXT: usize = 4096;
    }
}

/// Java and Kotlin.
pub mod jvm {
    /// In `collections.rs`.
    pub mod collections {
        /// Longer lists are not known to their end.
        pub const MAX_ITEMS: usize = 5000;
    }

    /// In `operators.rs`.
    pub mod operators {
        /// Longer texts are unknown.
        pub const MAX_TEXT: usize = 100_000;
    }

    /// In `regex.rs`.
    pub mod regex {
        /// More steps of one match are not made.
        pub const MAX_STEPS: usize = 100_000;
    }

    /// In `statements.rs`.
    pub mod statements {
        /// More rounds of a loop are not made.
        pub const MAX_ROUNDS: usize = 2000;
    }

    /// In `text.rs`.
    pub mod text {
        /// More parts are not made of one text.
        pub const MAX_PARTS: usize = 1000;
    }

    /// In `values.rs`.
    pub mod values {
        /// Deeper values are unknown.
        pub const MAX_DEPTH: u32 = 24;
        /// What more a value holds is unknown.
        pub const MAX_PARTS: usize = 10_000;
    }

    /// In `program.rs`.
    pub mod program {
        /// More files are not read for the sake of names.
        pub const MAX_LOADED: usize = 600;
        /// More folders are not looked at for the sake of names.
        pub const MAX_FOLDERS: usize = 4000;
        /// Superclasses further up are not asked.
        pub const MAX_ANCESTORS: usize = 16;
    }
}

/// XML.
pub mod xml {
    /// More elements are not read.
    pub const MAX_NODES: u32 = 200_000;
    /// Deeper elements are left out.
    pub const MAX_DEPTH: u32 = 200;
}

/// YAML.
pub mod yaml {
    /// Deeper nesting is refused.
    pub const MAX_DEPTH: usize = 50;
    /// More nodes, aliases expanded, are refused.
    pub const MAX_NODES: usize = 100_000;
}

/// Names of findings, from run to run.
pub mod check {
    /// Lines further away from a finding's are no part of its name.
    pub const MAX_HEADING_LINES: usize = 2000;
}

/// Repairs.
pub mod fixes {
    /// The most endpoints, once per deployment world, of which it is asked what a repair does to them; in
    /// larger projects only comments are repaired.
    pub const MAX_ENDPOINTS: usize = 4096;

    /// The most trusted origins of an endpoint that strangers are made of.
    pub const MAX_TRUSTED: usize = 3;

    /// The most edited copies of a project that are read at a time. What is not graded by then is not
    /// offered.
    pub const MAX_COPIES: usize = 64;

    /// The most files, counted once per copy, that are read to say which repairs there are when none is
    /// asked for: whoever only wants to see findings does not wait for them.
    pub const MAX_FILES_OFFERING: usize = 2048;

    /// The most times that repairs are made in what came of the last ones.
    pub const MAX_ROUNDS: usize = 10;

    /// The most `if`s around a statement in front of which something is put.
    pub const MAX_IFS: usize = 4;
}
