//! The table of facts: every path that a rule may speak of.
//!
//! Rules are checked against this table before they judge anything, so that a misspelt path is an
//! error of the rule and never a silent "unknown".

/// What a fact is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A text, or `null` if known to be absent.
    Text,
    /// One of these texts, or `null`.
    OneOf(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
    /// Named facts, or `null`.
    Map(&'static Shape),
}

/// Named facts.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its name, for documentation.
    pub(crate) name: &'static str,
    /// Name, kind and meaning.
    pub(crate) fields: &'static [(&'static str, Kind, &'static str)],
}

impl Shape {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Kind> {
        let field = self.fields.iter().find(|(field, _, _)| *field == name);
        field.map(|(_, kind, _)| kind)
    }
}

/// What exists when an endpoint is judged.
pub(crate) static ENDPOINT_SCOPE: Shape = Shape {
    name: "an endpoint",
    fields: &[
        (
            "trusted",
            Kind::Map(&TRUSTED),
            "an origin that the settings mean to allow",
        ),
        (
            "foreign",
            Kind::Map(&PROBE),
            "`https://evil.example`, which nobody means to allow",
        ),
        ("foreign_http", Kind::Map(&PROBE), "`http://evil.example`"),
        ("opaque", Kind::Map(&PROBE), "the opaque origin `null`"),
        (
            "none",
            Kind::Map(&PROBE),
            "requests without Origin; they have no preflight",
        ),
        ("same_origin", Kind::Map(&PROBE), "the service's own origin"),
        (
            "lookalikes",
            Kind::List(&Kind::Map(&LOOKALIKE)),
            "look-alikes of what is trusted that are accepted: registrable by a stranger first, then shortest",
        ),
        (
            "insecure",
            Kind::List(&Kind::Map(&VARIANT)),
            "`http:` forms of trusted https origins, and listed http origins, that are accepted",
        ),
        (
            "shared_hosts",
            Kind::List(&Kind::Map(&VARIANT)),
            "names that anyone can get below a public suffix, and that are accepted",
        ),
        (
            "subdomains",
            Kind::List(&Kind::Map(&VARIANT)),
            "names that no list holds below trusted registrable domains that are accepted",
        ),
        (
            "development",
            Kind::List(&Kind::Map(&VARIANT)),
            "loopback, tunnel and playground origins that are accepted",
        ),
        (
            "untrusted",
            Kind::List(&Kind::Map(&VARIANT)),
            "accepted origins that the project's `[policy] origins` does not name, one for each place that lets them in; none without a policy",
        ),
        ("settings", Kind::Map(&SETTINGS), "what was written"),
        (
            "routes",
            Kind::List(&Kind::Map(&ROUTE)),
            "the methods that the endpoint's own routes need",
        ),
        ("endpoint", Kind::Map(&ENDPOINT), "the endpoint itself"),
    ],
};

/// What exists when a site is judged as a whole.
pub(crate) static SITE_SCOPE: Shape = Shape {
    name: "a site",
    fields: &[(
        "observations",
        Kind::List(&Kind::Map(&OBSERVATION)),
        "what was learned while reading and no response shows",
    )],
};

pub(crate) static PROBE: Shape = Shape {
    name: "a probe",
    fields: &[
        (
            "origin",
            Kind::Text,
            "the Origin header; `null` if none is sent",
        ),
        (
            "actual",
            Kind::Map(&EXCHANGE),
            "a GET that the handler answers with 200",
        ),
        (
            "error",
            Kind::Map(&EXCHANGE),
            "a GET that the handler itself answers with 404",
        ),
        (
            "preflight",
            Kind::Map(&EXCHANGE),
            "the CORS-preflight request for a GET",
        ),
    ],
};

pub(crate) static TRUSTED: Shape = Shape {
    name: "the trusted probe",
    fields: &[
        ("origin", Kind::Text, "the Origin header"),
        (
            "dropped",
            Kind::List(&Kind::Map(&DROPPED)),
            "the lines that the actual responses, one for each method in use, and the preflight response lose",
        ),
        (
            "symbolic",
            Kind::Bool,
            "it stands for a member of a list whose content is unknown",
        ),
        (
            "actual",
            Kind::Map(&EXCHANGE),
            "a GET that the handler answers with 200",
        ),
        (
            "error",
            Kind::Map(&EXCHANGE),
            "a GET that the handler itself answers with 404",
        ),
        (
            "preflight",
            Kind::Map(&EXCHANGE),
            "the CORS-preflight request for a GET",
        ),
        (
            "preflight_headers",
            Kind::Map(&EXCHANGE),
            "the CORS-preflight request for a POST with Authorization and Content-Type",
        ),
        (
            "uncaught",
            Kind::Map(&EXCHANGE),
            "a GET whose handler throws",
        ),
        (
            "front_error",
            Kind::Map(&EXCHANGE),
            "a GET that the server in front answers itself because nobody behind does",
        ),
    ],
};

pub(crate) static VARIANT: Shape = Shape {
    name: "an accepted variant",
    fields: &[
        ("origin", Kind::Text, "the Origin header"),
        (
            "of",
            Kind::Text,
            "the trusted origin, suffix or domain that it was made from",
        ),
        ("host", Kind::Text, "its host"),
        ("host_kind", Kind::OneOf(HOST_KINDS), "what its host is"),
        ("listed", Kind::Bool, "it stands in the settings as it is"),
        (
            "tunnel",
            Kind::Bool,
            "its host is a tunnel or playground where a stranger can get a page",
        ),
        (
            "affixed",
            Kind::Bool,
            "a fixed prefix or suffix stands inside the label",
        ),
        (
            "written",
            Kind::Text,
            "the entry or pattern that lets it in",
        ),
        (
            "actual",
            Kind::Map(&EXCHANGE),
            "a GET that the handler answers with 200",
        ),
    ],
};

pub(crate) static LOOKALIKE: Shape = Shape {
    name: "an accepted look-alike",
    fields: &[
        ("origin", Kind::Text, "the Origin header"),
        ("of", Kind::Text, "the trusted origin that it resembles"),
        ("host", Kind::Text, "its host"),
        (
            "defect",
            Kind::Text,
            "what the policy lacks, at the place where it lacks it",
        ),
        (
            "written",
            Kind::Text,
            "the entry or pattern that lets it in",
        ),
        (
            "actual",
            Kind::Map(&EXCHANGE),
            "a GET that the handler answers with 200",
        ),
    ],
};

pub(crate) static EXCHANGE: Shape = Shape {
    name: "an exchange",
    fields: &[
        (
            "outcome",
            Kind::OneOf(&["status", "never-answers", "throws"]),
            "how it ends",
        ),
        ("throws", Kind::Text, "the framework's words, if it throws"),
        ("status", Kind::Int, "the status; 0 if there is no response"),
        (
            "allow_origin",
            Kind::Text,
            "Access-Control-Allow-Origin; several lines joined by a comma",
        ),
        ("allow_origin_lines", Kind::Int, "how many lines it has"),
        (
            "allow_origin_second",
            Kind::Text,
            "the value of the second line; `null` if there are fewer",
        ),
        (
            "allow_origin_withheld",
            Kind::Bool,
            "a line is written for it and left out, because its value is empty for this request",
        ),
        (
            "allow_origin_sources",
            Kind::List(&Kind::OneOf(SOURCES)),
            "what of it a stranger can choose",
        ),
        (
            "allow_credentials",
            Kind::Text,
            "Access-Control-Allow-Credentials",
        ),
        ("allow_methods", Kind::Text, "Access-Control-Allow-Methods"),
        (
            "methods",
            Kind::List(&Kind::Text),
            "its members; `null` if absent, unknown if it cannot be parsed",
        ),
        ("methods_valid", Kind::Bool, "it is absent or can be parsed"),
        ("allow_headers", Kind::Text, "Access-Control-Allow-Headers"),
        (
            "headers",
            Kind::List(&Kind::Text),
            "its members, lower case; `null` if absent, unknown if it cannot be parsed",
        ),
        ("headers_valid", Kind::Bool, "it is absent or can be parsed"),
        (
            "expose_headers",
            Kind::Text,
            "Access-Control-Expose-Headers",
        ),
        (
            "exposed",
            Kind::List(&Kind::Text),
            "its members, lower case; `null` if absent, unknown if it cannot be parsed",
        ),
        ("max_age", Kind::Text, "Access-Control-Max-Age"),
        (
            "max_age_seconds",
            Kind::Int,
            "its value; -1 if it is not a number of seconds, unknown if the header is absent",
        ),
        (
            "private_network",
            Kind::Text,
            "Access-Control-Allow-Private-Network",
        ),
        (
            "vary",
            Kind::List(&Kind::Text),
            "the members of Vary, lower case",
        ),
        ("cache_control", Kind::Text, "Cache-Control"),
        ("location", Kind::Text, "Location"),
        ("cacheable", Kind::Bool, "a shared cache may keep it"),
        (
            "stored",
            Kind::Map(&STORED),
            "a shared cache of the same configuration that keeps it",
        ),
        ("answered_by", Kind::Map(&ANSWERED_BY), "what answered"),
        (
            "decided_by",
            Kind::Map(&DECISION),
            "the entry or pattern that decided about the origin",
        ),
        (
            "lines",
            Kind::List(&Kind::Map(&LINE)),
            "all header lines, in order",
        ),
        (
            "dropped",
            Kind::List(&Kind::Map(&DROPPED)),
            "header lines that were written and are not sent",
        ),
        (
            "disabled",
            Kind::List(&Kind::Map(&DISABLED)),
            "what the matched policy switches off",
        ),
        (
            "ok",
            Kind::Bool,
            "a browser lets it pass without credentials",
        ),
        (
            "failure",
            Kind::Text,
            "why a browser blocks it without credentials",
        ),
        (
            "credentialed",
            Kind::Map(&VERDICT),
            "the same with credentials",
        ),
    ],
};

pub(crate) static VERDICT: Shape = Shape {
    name: "a browser's verdict",
    fields: &[
        ("ok", Kind::Bool, "it passes"),
        ("failure", Kind::Text, "why it is blocked"),
    ],
};

pub(crate) static STORED: Shape = Shape {
    name: "a shared cache",
    fields: &[
        (
            "keyed_by_origin",
            Kind::Bool,
            "its key holds the request's origin",
        ),
        (
            "honours_vary",
            Kind::Bool,
            "it keeps variants apart by the stored Vary",
        ),
        (
            "stores_origin",
            Kind::Bool,
            "the stored Access-Control-Allow-Origin depends on the request's origin",
        ),
        ("evidence", Kind::Text, "where that shows"),
    ],
};

pub(crate) static ANSWERED_BY: Shape = Shape {
    name: "who answered",
    fields: &[
        (
            "kind",
            Kind::OneOf(&[
                "handler",
                "fixed",
                "upstream",
                "cors",
                "authentication",
                "redirect",
                "static",
                "not-found",
                "method-not-allowed",
                "error-page",
            ]),
            "who",
        ),
        (
            "before_cors",
            Kind::Bool,
            "it stands before CORS headers could be added",
        ),
        (
            "inner",
            Kind::Bool,
            "it stands further inside than the CORS settings, which speak for other endpoints as well",
        ),
    ],
};

pub(crate) static DECISION: Shape = Shape {
    name: "a decision",
    fields: &[
        ("text", Kind::Text, "the entry's text"),
        ("pattern", Kind::Bool, "it is a regular expression"),
    ],
};

pub(crate) static LINE: Shape = Shape {
    name: "a header line",
    fields: &[
        ("name", Kind::Text, "the name, lower case"),
        ("written", Kind::Text, "the name as sent"),
        ("value", Kind::Text, "the value"),
        (
            "sources",
            Kind::List(&Kind::OneOf(SOURCES)),
            "what of it a stranger can choose",
        ),
    ],
};

pub(crate) static DROPPED: Shape = Shape {
    name: "a dropped header line",
    fields: &[
        ("name", Kind::Text, "the name, lower case"),
        ("written", Kind::Text, "the name as written"),
        ("value", Kind::Text, "the value it would have had"),
        (
            "reason",
            Kind::OneOf(&["status", "inner-block", "hidden", "overwritten"]),
            "why it is not sent",
        ),
        ("by", Kind::Text, "what drops it, at its place"),
        (
            "response",
            Kind::OneOf(&["actual", "preflight"]),
            "the response that loses it",
        ),
        ("method", Kind::Text, "the method of the request"),
        (
            "sent",
            Kind::Bool,
            "a line of that name is sent in that response after all",
        ),
        (
            "by_cors",
            Kind::Bool,
            "the dropping block sets CORS headers itself or answers OPTIONS",
        ),
    ],
};

pub(crate) static DISABLED: Shape = Shape {
    name: "what is switched off",
    fields: &[
        ("name", Kind::Text, "its name"),
        ("by", Kind::Text, "what switches it off, at its place"),
    ],
};

pub(crate) static SETTINGS: Shape = Shape {
    name: "settings",
    fields: &[
        (
            "origins",
            Kind::List(&Kind::Map(&ORIGIN)),
            "the allowed origins",
        ),
        ("credentials", Kind::Map(&SETTING), "credentials"),
        ("methods", Kind::Map(&SETTING), "methods"),
        ("headers", Kind::Map(&SETTING), "request headers"),
        ("exposed_headers", Kind::Map(&SETTING), "exposed headers"),
        ("max_age", Kind::Map(&SETTING), "max age"),
        (
            "private_network",
            Kind::Map(&SETTING),
            "private network access",
        ),
        (
            "inherited",
            Kind::Bool,
            "all of it stands in an outer block, which speaks for other endpoints as well",
        ),
    ],
};

pub(crate) static SETTING: Shape = Shape {
    name: "a setting",
    fields: &[
        ("values", Kind::List(&Kind::Text), "its values as written"),
        ("text", Kind::Text, "its values joined by a comma"),
        (
            "written",
            Kind::Bool,
            "it is written, not the framework's default",
        ),
    ],
};

pub(crate) static ORIGIN: Shape = Shape {
    name: "an allowed origin",
    fields: &[
        (
            "kind",
            Kind::OneOf(&["exact", "any", "pattern", "predicate", "unknown"]),
            "what it lets in",
        ),
        ("text", Kind::Text, "its text"),
        (
            "problem",
            Kind::Text,
            "why it can never equal a browser's Origin; `null` if it can",
        ),
        ("suggestion", Kind::Text, "the certain repair"),
        ("negated", Kind::Bool, "it is named to be refused"),
        ("fixed", Kind::Bool, "it is sent as it stands, whoever asks"),
    ],
};

pub(crate) static ROUTE: Shape = Shape {
    name: "a route",
    fields: &[
        ("method", Kind::Text, "the method"),
        (
            "preflight",
            Kind::Map(&EXCHANGE),
            "the trusted preflight for this method",
        ),
    ],
};

pub(crate) static ENDPOINT: Shape = Shape {
    name: "an endpoint",
    fields: &[
        ("name", Kind::Text, "for people"),
        ("path", Kind::Text, "the path of its URL"),
        (
            "ending",
            Kind::Text,
            "what stands behind the last dot of the path's last segment, lower case; empty without one",
        ),
        ("host", Kind::Text, "the host of its URL"),
        ("secure", Kind::Bool, "it is reached over https"),
        (
            "exposure",
            Kind::OneOf(&["public", "loopback", "private", "application"]),
            "who can reach it",
        ),
        ("management", Kind::Bool, "it manages the service"),
        (
            "reads_headers",
            Kind::List(&Kind::Text),
            "request headers that the same application evidently reads, lower case",
        ),
        (
            "methods",
            Kind::List(&Kind::Text),
            "the methods of its routes",
        ),
    ],
};

pub(crate) static OBSERVATION: Shape = Shape {
    name: "an observation",
    fields: &[
        ("kind", Kind::OneOf(OBSERVATIONS), "what kind"),
        ("name", Kind::Text, "what it is about"),
        ("text", Kind::Text, "what is wrong with it"),
        ("suggestion", Kind::Text, "the correct spelling or value"),
        (
            "severe",
            Kind::Bool,
            "what is left in force is open, or breaks",
        ),
    ],
};

const HOST_KINDS: &[&str] = &["public", "loopback", "private", "application"];
const SOURCES: &[&str] = &[
    "origin",
    "query",
    "cookie",
    "referer",
    "header",
    "host",
    "encoded-path",
    "decoded-path",
    "upstream",
];
const OBSERVATIONS: &[&str] = &[
    "rejected",
    "renamed",
    "ignored",
    "overridden",
    "unattached",
    "wrong-type",
    "unknown-option",
    "literal-wildcard",
    "malformed-header",
    "request-header",
    "forged-origin",
    "path-scope",
    "stateful-pattern",
    "websocket",
    "csrf",
    "cookie",
    "opaque-response",
    "order",
    "syntax",
    "unused-suppression",
    "unknown-rule",
];
