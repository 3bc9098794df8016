//! nginx's directives as data: `grammars/nginx/directives.txt`, read on first use.
//!
//! A line format read by hand instead of TOML: 760 lines take about a tenth of a millisecond.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Body, Directive};

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Outside all blocks.
    Main,
    /// `events`.
    Events,
    /// `http`.
    Http,
    /// `server` in `http`.
    Server,
    /// `if` in `server`.
    ServerIf,
    /// `location`.
    Location,
    /// `if` in `location`.
    LocationIf,
    /// `limit_except`.
    LimitExcept,
    /// `upstream` in `http`.
    Upstream,
    /// `stream`.
    Stream,
    /// `server` in `stream`.
    StreamServer,
    /// `upstream` in `stream`.
    StreamUpstream,
    /// `mail`.
    Mail,
    /// `server` in `mail`.
    MailServer,
}

impl Context {
    /// All contexts, outer ones first.
    pub const ALL: [Self; 14] = [
        Self::Main,
        Self::Events,
        Self::Http,
        Self::Server,
        Self::ServerIf,
        Self::Location,
        Self::LocationIf,
        Self::LimitExcept,
        Self::Upstream,
        Self::Stream,
        Self::StreamServer,
        Self::StreamUpstream,
        Self::Mail,
        Self::MailServer,
    ];

    /// The name in the data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Events => "events",
            Self::Http => "http",
            Self::Server => "server",
            Self::ServerIf => "server-if",
            Self::Location => "location",
            Self::LocationIf => "location-if",
            Self::LimitExcept => "limit_except",
            Self::Upstream => "upstream",
            Self::Stream => "stream",
            Self::StreamServer => "stream-server",
            Self::StreamUpstream => "stream-upstream",
            Self::Mail => "mail",
            Self::MailServer => "mail-server",
        }
    }

    /// The context inside a block directive that stands in this one; `None` if its content is no
    /// directives.
    #[must_use]
    pub fn inside(self, name: &str) -> Option<Self> {
        Some(match (self, name) {
            (Self::Main, "events") => Self::Events,
            (Self::Main, "http") => Self::Http,
            (Self::Main, "stream") => Self::Stream,
            (Self::Main, "mail") => Self::Mail,
            (Self::Http, "server") => Self::Server,
            (Self::Http, "upstream") => Self::Upstream,
            (Self::Server | Self::Location, "location") => Self::Location,
            (Self::Server, "if") => Self::ServerIf,
            (Self::Location, "if") => Self::LocationIf,
            (Self::Location, "limit_except") => Self::LimitExcept,
            (Self::Stream, "server") => Self::StreamServer,
            (Self::Stream, "upstream") => Self::StreamUpstream,
            (Self::Mail, "server") => Self::MailServer,
            _ => return None,
        })
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Some contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contexts(u16);

impl Contexts {
    /// Every context.
    pub const ANY: Self = Self(u16::MAX);

    /// Is it one of them?
    #[must_use]
    pub const fn contains(self, context: Context) -> bool {
        self.0 & context.bit() != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in one of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How many arguments a directive takes: bit `n` for `n` arguments; the highest for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity(u16);

impl Arity {
    const MANY: u32 = 15;

    /// May it have that many?
    #[must_use]
    pub fn allows(self, count: usize) -> bool {
        let bit = u32::try_from(count).unwrap_or(Self::MANY).min(Self::MANY);
        self.0 & (1 << bit) != 0
    }
}

/// What a directive's arguments and body look like; see the head of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained in the data")]
pub enum Syntax {
    Block,
    Lines,
    Lua,
    Flag,
    Number { low: u64, high: u64 },
    Size,
    Offset,
    Time,
    Seconds,
    Buffers,
    Enum(&'static str),
    Bits(&'static str),
    Text,
    Value,
    ValueSize,
    Path,
    Access,
    Bind,
    List,
    Values,
    Once,
    Own,
}

impl Syntax {
    /// Does a block follow?
    #[must_use]
    pub const fn is_block(self) -> bool {
        matches!(self, Self::Block | Self::Lines | Self::Lua)
    }

    /// Is a second one in the same block refused?
    #[must_use]
    pub const fn is_single(self) -> bool {
        !self.is_block() && !matches!(self, Self::Bits(_) | Self::List | Self::Values | Self::Own)
    }
}

/// What a block has that does not have the directive itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inheritance {
    /// Nothing.
    None,
    /// Its parent's value.
    Value,
    /// Its parent's whole list.
    List,
    /// Its parent's list, and its own behind it.
    Cumulative,
}

/// A directive in some contexts.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Where.
    pub contexts: Contexts,
    /// How many arguments.
    pub arity: Arity,
    /// What arguments and body look like.
    pub syntax: Syntax,
    /// What inner blocks have of it.
    pub inheritance: Inheritance,
}

type Table = HashMap<&'static str, Vec<Variant>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::with_capacity(800);
    for line in include_str!("../../../grammars/nginx/directives.txt").lines() {
        if let Some((name, variant)) = entry(line) {
            table.entry(name).or_default().push(variant);
        }
    }
    table
});

/// The variants of a directive; empty for one that is not known.
#[must_use]
pub fn variants(name: &str) -> &'static [Variant] {
    TABLE.get(name).map_or(&[], Vec::as_slice)
}

/// A directive in a context; `None` if it is unknown or may not stand there.
#[must_use]
pub fn variant(name: &str, context: Context) -> Option<&'static Variant> {
    variants(name)
        .iter()
        .find(|variant| variant.contexts.contains(context))
}

/// All names, in no order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.keys().copied()
}

/// The contexts in which all these directives could stand: what a file implies that is included
/// from somewhere. Unknown directives may stand anywhere; all contexts of a template's or broken
/// file's directives may be impossible together.
#[must_use]
pub fn implied(directives: &[Directive]) -> Contexts {
    directives
        .iter()
        .fold(Contexts::ANY, |possible, directive| {
            let has_block = !matches!(directive.body, Body::None);
            let fitting = variants(&directive.name.text)
                .iter()
                .filter(|variant| variant.syntax.is_block() == has_block)
                .map(|variant| variant.contexts)
                .reduce(Contexts::or);
            possible.and(fitting.unwrap_or(Contexts::ANY))
        })
}

fn entry(line: &'static str) -> Option<(&'static str, Variant)> {
    let mut fields = line.split(' ');
    let name = fields.next().filter(|name| !name.starts_with('#'))?;
    let variant = Variant {
        contexts: contexts(fields.next()?)?,
        arity: arity(fields.next()?)?,
        syntax: syntax(fields.next()?)?,
        inheritance: match fields.next()? {
            "-" => Inheritance::None,
            "value" => Inheritance::Value,
            "list" => Inheritance::List,
            "cumulative" => Inheritance::Cumulative,
            _ => return None,
        },
    };
    Some((name, variant))
}

fn contexts(field: &str) -> Option<Contexts> {
    if field == "any" {
        return Some(Contexts::ANY);
    }
    field.split(',').try_fold(Contexts(0), |all, name| {
        let context = Context::ALL.into_iter().find(|c| c.name() == name)?;
        Some(all.or(Contexts(context.bit())))
    })
}

fn arity(field: &str) -> Option<Arity> {
    if field == "any" {
        return Some(Arity(u16::MAX));
    }
    if let Some(low) = field.strip_suffix('+') {
        let low: u32 = low.parse().ok()?;
        return Some(Arity(u16::MAX << low));
    }
    field.split(',').try_fold(Arity(0), |all, part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
        let bits = (low..=high).fold(0, |bits, n| bits | 1 << n);
        Some(Arity(all.0 | bits))
    })
}

fn syntax(field: &'static str) -> Option<Syntax> {
    let (kind, detail) = field.split_once(':').unwrap_or((field, ""));
    Some(match kind {
        "block" => Syntax::Block,
        "lines" => Syntax::Lines,
        "lua" => Syntax::Lua,
        "flag" => Syntax::Flag,
        "number" => {
            let (low, high) = detail.split_once("..").unwrap_or_default();
            Syntax::Number {
                low: low.parse().unwrap_or(0),
                high: high.parse().unwrap_or(u64::MAX),
            }
        }
        "size" => Syntax::Size,
        "offset" => Syntax::Offset,
        "time" => Syntax::Time,
        "seconds" => Syntax::Seconds,
        "buffers" => Syntax::Buffers,
        "enum" => Syntax::Enum(detail),
        "bits" => Syntax::Bits(detail),
        "text" => Syntax::Text,
        "value" => Syntax::Value,
        "value-size" => Syntax::ValueSize,
        "path" => Syntax::Path,
        "access" => Syntax::Access,
        "bind" => Syntax::Bind,
        "list" => Syntax::List,
        "values" => Syntax::Values,
        "once" => Syntax::Once,
        "own" => Syntax::Own,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let text = include_str!("../../../grammars/nginx/directives.txt");
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &lines {
            assert!(entry(line).is_some(), "{line}");
            assert_eq!(line.split(' ').count(), 5, "{line}");
        }
        assert!(lines.len() > 700);
        assert!(lines.is_sorted());
        assert_eq!(TABLE.values().map(Vec::len).sum::<usize>(), lines.len());
    }

    #[test]
    fn contexts_of_one_name_do_not_overlap() {
        for name in names() {
            let mut seen = Contexts(0);
            for variant in variants(name) {
                assert_eq!(seen.and(variant.contexts), Contexts(0), "{name}");
                seen = seen.or(variant.contexts);
            }
        }
    }

    #[test]
    fn every_block_of_directives_has_an_inside() {
        for name in names() {
            for variant in variants(name).iter().filter(|v| v.syntax == Syntax::Block) {
                for context in Context::ALL {
                    let is_here = variant.contexts.contains(context);
                    assert_eq!(
                        is_here,
                        context.inside(name).is_some(),
                        "{name} {context:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn known_directives() {
        let add_header = variant("add_header", Context::Location).unwrap();
        assert!(!add_header.arity.allows(1) && add_header.arity.allows(3));
        assert_eq!(add_header.inheritance, Inheritance::List);
        assert!(variant("add_header", Context::LimitExcept).is_none());
        assert!(variant("if", Context::LocationIf).is_none());
        let more = variant("more_set_headers", Context::Http).unwrap();
        assert_eq!(more.inheritance, Inheritance::Cumulative);
        assert!(more.arity.allows(1000) && !more.arity.allows(0));
        assert_eq!(
            variant("server", Context::Upstream).unwrap().syntax,
            Syntax::Own
        );
        assert_eq!(
            variant("server", Context::Http).unwrap().syntax,
            Syntax::Block
        );
        assert!(variants("no_such_directive").is_empty());
        assert!(variant("add_header_inherit", Context::LocationIf).is_some());
    }
}
