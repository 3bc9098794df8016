//! What a framework gets: run-time values as [`Value`]s.

use super::heap::{ObjectKind, V, Val};
use super::{Host, Machine};
use crate::limits::javascript::values::MAX_DEPTH;
use crate::syntax::value::{Entry, Kind, List, Map, Regex, Value};

impl<H: Host> Machine<'_, H> {
    /// The value without its identity, in this run's world. Functions are named by their object.
    pub fn value(&mut self, val: &Val) -> Value {
        self.value_at(val, MAX_DEPTH)
    }

    fn value_at(&mut self, val: &Val, depth: u32) -> Value {
        let val = self.force(val.clone());
        let span = val.span;
        let kind = match &val.v {
            V::Undefined => Kind::Undefined,
            V::Null => Kind::Null,
            V::Bool(value) => Kind::Bool(*value),
            V::Number(number) => Kind::Number(*number),
            V::String(text) => Kind::String(text.to_string()),
            V::Object(_) if depth == 0 => Kind::Unknown("it is nested too deeply"),
            V::Object(id) => {
                let object = self.objects.get(*id).clone();
                match object.kind {
                    ObjectKind::Array(items, open) => Kind::List(List {
                        items: items
                            .iter()
                            .map(|item| self.value_at(item, depth - 1))
                            .collect(),
                        open,
                    }),
                    ObjectKind::Function(..) | ObjectKind::Bound(..) | ObjectKind::Class(..) => {
                        Kind::Function(*id as usize)
                    }
                    ObjectKind::Regex(pattern, flags, _) => {
                        let literal = self
                            .text(span)
                            .strip_prefix('/')
                            .is_some_and(|text| text.starts_with(&*pattern));
                        Kind::Regex(Regex {
                            pattern: pattern.to_string(),
                            flags: flags.to_string(),
                            offset: literal.then_some(1),
                        })
                    }
                    ObjectKind::Plain => {
                        let entries = object.properties.iter().map(|slot| Entry {
                            key: slot.name.to_string(),
                            key_span: slot.key_span,
                            value: self.value_at(&slot.value, depth - 1),
                        });
                        Kind::Map(Map {
                            entries: entries.collect(),
                            open: object.open,
                        })
                    }
                    ObjectKind::Set(..) => Kind::Object("Set".into()),
                    ObjectKind::Map(..) => Kind::Object("Map".into()),
                    ObjectKind::Rejected(_) => Kind::Object("Promise".into()),
                    ObjectKind::Host(..) => Kind::Object("object".into()),
                }
            }
            V::Native(name) => Kind::Object(name.to_string()),
            V::Host(..) => Kind::Object("function".into()),
            V::Foreign(_) => Kind::Unknown("it comes from code that is not in view"),
            V::Env(_) => Kind::Unknown("the environment gives it"),
            V::Unknown(unknown) => Kind::Unknown(unknown.why),
            V::Test(..) | V::Choice(_) => Kind::Unknown("it depends on a condition"),
        };
        Value::new(kind, span)
    }
}
