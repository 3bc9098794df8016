//! Facts: what rules see of exchanges, settings and observations, computed when first read.
//!
//! A fact that is unknown is left out of its map, so that reading it is an evaluation error, which
//! CEL's `&&` and `||` absorb when the other side decides. Known absence is `null`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer};
use cel::common::types::{CelBool, CelInt, CelNull, CelString, LIST_TYPE, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};

use super::exchange::Exchange;
use super::schema::Shape;
use crate::source::Span;

/// A fact, with the place in the source that it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) fact: Fact,
    /// The exact token.
    pub(crate) span: Option<Span>,
    /// The whole directive, call or entry, for related labels.
    pub(crate) wide: Option<Span>,
}

/// How many facts of endpoints the rules needed. Endpoints that are alike count once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactsRead {
    /// All that were read.
    pub all: usize,
    /// Those of them that could not be told.
    pub unknown: usize,
}

impl std::ops::AddAssign for FactsRead {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.unknown += other.unknown;
    }
}

/// A fact's value.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Null(CelNull),
    Bool(CelBool),
    Int(CelInt),
    Text(CelString<'static>),
    List(FactList),
    Map(FactMap),
}

impl Node {
    pub(crate) fn null() -> Self {
        Fact::Null(CelNull).into()
    }

    pub(crate) fn bool(value: bool) -> Self {
        Fact::Bool(CelBool::from(value)).into()
    }

    pub(crate) fn int(value: i64) -> Self {
        Fact::Int(CelInt::from(value)).into()
    }

    pub(crate) fn text(value: impl Into<String>) -> Self {
        Fact::Text(CelString::from(value.into())).into()
    }

    pub(crate) fn optional_text(value: Option<impl Into<String>>) -> Self {
        value.map_or_else(Self::null, Self::text)
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Fact::List(FactList(Arc::new(items))).into()
    }

    pub(crate) fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::list(items.into_iter().map(Self::text).collect())
    }

    /// A map whose facts `source` computes on first reading.
    pub(crate) fn map(shape: &'static Shape, source: impl FactSource + 'static) -> Self {
        Fact::Map(FactMap::new(shape, Arc::new(source))).into()
    }

    pub(crate) fn at(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    pub(crate) fn within(mut self, wide: Option<Span>) -> Self {
        self.wide = wide;
        self
    }

    /// The fact as CEL sees it.
    pub(crate) fn value(&self) -> &(dyn Val + 'static) {
        match &self.fact {
            Fact::Null(value) => value,
            Fact::Bool(value) => value,
            Fact::Int(value) => value,
            Fact::Text(value) => value,
            Fact::List(value) => value,
            Fact::Map(value) => value,
        }
    }

    /// The fact as text for a message; `None` for `null`, lists of nothing, and maps.
    pub(crate) fn display(&self) -> Option<String> {
        match &self.fact {
            Fact::Null(_) | Fact::Map(_) => None,
            Fact::Bool(value) => Some(value.inner().to_string()),
            Fact::Int(value) => Some(value.inner().to_string()),
            Fact::Text(value) => Some(value.inner().to_owned()),
            Fact::List(list) => {
                let items: Vec<_> = list.0.iter().filter_map(Self::display).collect();
                (!items.is_empty()).then(|| items.join(", "))
            }
        }
    }

    /// Follows one step of a path: a field name, or an index in digits.
    pub(crate) fn step(&self, step: &str) -> Option<&Self> {
        match &self.fact {
            Fact::Map(map) => map.field(step),
            Fact::List(list) => list.0.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Counts what was read of it so far.
    pub(crate) fn count(&self, read: &mut FactsRead) {
        match &self.fact {
            Fact::Map(map) => {
                for fact in map.inner.known.iter().filter_map(OnceLock::get) {
                    match fact {
                        Some(fact) => fact.count(read),
                        None => {
                            read.all += 1;
                            read.unknown += 1;
                        }
                    }
                }
            }
            Fact::List(list) => {
                read.all += 1;
                let maps = list
                    .0
                    .iter()
                    .filter(|node| matches!(node.fact, Fact::Map(_)));
                maps.for_each(|map| map.count(read));
            }
            _ => read.all += 1,
        }
    }

    /// The exchange that this tells of, if it is one.
    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        match &self.fact {
            Fact::Map(map) => map.inner.source.exchange(),
            _ => None,
        }
    }
}

impl From<Fact> for Node {
    fn from(fact: Fact) -> Self {
        Self {
            fact,
            span: None,
            wide: None,
        }
    }
}

/// Computes the facts of one map.
pub(crate) trait FactSource: Send + Sync {
    /// The fact of this name; `None` if it is unknown.
    fn fact(&self, name: &str) -> Option<Node>;

    /// The exchange that the map tells of.
    fn exchange(&self) -> Option<&Exchange> {
        None
    }
}

/// A map of facts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FactMap {
    inner: Arc<MapInner>,
}

struct MapInner {
    shape: &'static Shape,
    source: Arc<dyn FactSource>,
    known: Box<[OnceLock<Option<Node>>]>,
}

impl FactMap {
    fn new(shape: &'static Shape, source: Arc<dyn FactSource>) -> Self {
        let known = shape.fields.iter().map(|_| OnceLock::new()).collect();
        Self {
            inner: Arc::new(MapInner {
                shape,
                source,
                known,
            }),
        }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Node> {
        let fields = self.inner.shape.fields;
        let index = fields.iter().position(|(field, _, _)| *field == name)?;
        let cell = self.inner.known.get(index)?;
        cell.get_or_init(|| self.inner.source.fact(name)).as_ref()
    }
}

impl fmt::Debug for FactMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "facts of {}", self.inner.shape.name)
    }
}

impl Val for FactMap {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
}

impl Indexer for FactMap {
    fn get<'b, 'v>(&'b self, field: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = field.downcast_ref::<CelString>().map(CelString::inner);
        match name.and_then(|name| self.field(name)) {
            Some(node) => Ok(CowVal::Borrowed(node.value())),
            None => Err(ExecutionError::no_such_key(name.unwrap_or_default())),
        }
    }

    fn steal<'v>(self: Box<Self>, field: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(field).map(CowVal::into_owned)
    }
}

/// A list of facts. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FactList(pub(crate) Arc<Vec<Node>>);

impl Val for FactList {
    fn get_type(&self) -> &Type {
        &LIST_TYPE
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
}

impl Container for FactList {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.0.iter().any(|node| node.value().equals(value)))
    }
}

impl Sizer for FactList {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.len()).unwrap_or(i64::MAX))
    }
}

impl Iterable for FactList {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Nodes(self.0.iter()))
    }
}

struct Nodes<'b>(std::slice::Iter<'b, Node>);

impl<'b, 'v> CelIterator<'b, 'v> for Nodes<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|node| node.value() as &'b (dyn Val + 'v))
    }
}

impl Indexer for FactList {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let index = index.downcast_ref::<CelInt>().map(|index| *index.inner());
        let node = index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| self.0.get(index));
        match node {
            Some(node) => Ok(CowVal::Borrowed(node.value())),
            None => Err(ExecutionError::no_such_key("index")),
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
