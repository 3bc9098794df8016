//! Values for those who do not know the machine.

use super::heap::{ObjectKind, V, Val};
use super::{Host, Machine};
use crate::limits::jvm::values::{MAX_DEPTH, MAX_PARTS};
use crate::syntax::value::{Entry, Kind, List, Map, Value};

impl<H: Host> Machine<'_, H> {
    /// The value with all that it holds, apart from the machine.
    #[must_use]
    pub fn value(&self, val: &Val) -> Value {
        let mut room = MAX_PARTS;
        self.value_at(val, MAX_DEPTH, &mut room)
    }

    fn value_at(&self, val: &Val, depth: u32, room: &mut usize) -> Value {
        *room = room.saturating_sub(1);
        if depth == 0 || *room == 0 {
            return Value::unknown("it holds too much", val.span);
        }
        let kind = match &val.v {
            V::Null => Kind::Null,
            V::Void => Kind::Undefined,
            V::Bool(value) => Kind::Bool(*value),
            V::Number(value) => Kind::Number(*value),
            V::String(text) => Kind::String(text.to_string()),
            V::Class(class) => Kind::Object(class.path.to_string()),
            V::Foreign(path) => Kind::Object(path.to_string()),
            V::Unknown(why) => Kind::Unknown(why),
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::List { items, open, .. } => Kind::List(List {
                    items: items
                        .iter()
                        .map(|item| self.value_at(item, depth - 1, room))
                        .collect(),
                    open: *open,
                }),
                ObjectKind::Map { entries, open } => {
                    let mut map = Map {
                        entries: Vec::new(),
                        open: *open,
                    };
                    for (key, value) in entries {
                        match self.shown(key) {
                            Some(text) => map.set(Entry {
                                key: text,
                                key_span: key.span,
                                value: self.value_at(value, depth - 1, room),
                            }),
                            None => map.open = true,
                        }
                    }
                    Kind::Map(map)
                }
                ObjectKind::Builder(text) => Kind::String(text.clone()),
                ObjectKind::Optional(Some(inner)) => return self.value_at(inner, depth - 1, room),
                ObjectKind::Optional(None) => Kind::Null,
                ObjectKind::Instance(class, _) => Kind::Object(class.path.to_string()),
                _ => Kind::Object("an object".to_owned()),
            },
        };
        Value::new(kind, val.span)
    }

    /// What `toString` gives, if that can be told.
    #[must_use]
    pub fn shown(&self, val: &Val) -> Option<String> {
        Some(match &val.v {
            V::Null => "null".to_owned(),
            V::Bool(value) => value.to_string(),
            V::Number(value) => value.to_string(),
            V::String(text) => text.to_string(),
            V::Foreign(path) => constant(path)?.to_owned(),
            V::Object(id) => match &self.objects.get(*id).kind {
                ObjectKind::Builder(text) => text.clone(),
                ObjectKind::Regex(pattern) => pattern.to_string(),
                ObjectKind::Instance(class, _) if self.is_constant(*id) => {
                    let own = class.method("toString").is_some();
                    let name = self.objects.get(*id).field("name()")?;
                    return name.as_str().filter(|_| !own).map(ToOwned::to_owned);
                }
                _ => return None,
            },
            V::Void | V::Class(_) | V::Unknown(_) => return None,
        })
    }

    /// Is it a constant of an enumeration of the project?
    pub(super) fn is_constant(&self, id: super::heap::Id) -> bool {
        self.objects.get(id).field("name()").is_some()
    }
}

/// The name of a library's constant.
#[must_use]
pub(super) fn constant(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once('.')?;
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (name.chars().all(upper) && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some(name)
}
