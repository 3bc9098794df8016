//! From the evaluator's values to the value that all languages share.

use super::object::{K, Obj, Tree, Val};
use super::program::{MAX_LENGTH, Program, SPENT};
use crate::limits::python::export::MAX_EXPORT;
use crate::source::Span;
use crate::syntax::value::{Conditions, Entry, Kind, List, Map, OneOf, Regex, Value};

impl Program {
    /// The value for a framework. Conditions that it depends on are registered in `conditions`.
    pub fn export(&self, value: &Val, conditions: &mut Conditions) -> Value {
        self.export_at(value, conditions, 0, &mut self.path.clone())
    }

    fn export_at(
        &self,
        value: &Val,
        conditions: &mut Conditions,
        depth: usize,
        path: &mut Vec<(usize, bool)>,
    ) -> Value {
        let span = value.span;
        if depth > MAX_EXPORT {
            return Value::unknown("it is nested too deeply", span);
        }
        let kind = match &value.kind {
            K::Missing => Kind::Undefined,
            K::None => Kind::Null,
            K::Bool(value) => Kind::Bool(*value),
            K::Number(value) => Kind::Number(*value),
            K::Text(text) => Kind::String((**text).to_owned()),
            K::SomeText(_) => Kind::Unknown("a text that is not in view"),
            K::Ref(id) => {
                let Some(tree) = self.heap.get(*id) else {
                    return Value::unknown(SPENT, span);
                };
                return self.export_tree(tree, span, conditions, depth, path);
            }
            K::Function(index) => Kind::Function(*index),
            K::Class(index) => Kind::Object(self.classes[*index].class.name.to_string()),
            K::Instance(index, _) => Kind::Object(self.classes[*index].class.name.to_string()),
            K::Module(_) => Kind::Object("module".into()),
            K::Foreign(_) => Kind::Unknown("it comes from a library"),
            K::Method(..) => Kind::Object("method".into()),
            K::Regex(pattern, flags) => Kind::Regex(Regex {
                pattern: (**pattern).to_owned(),
                flags: (**flags).to_owned(),
                offset: None,
            }),
            K::OneOf(atom, yes, no) => {
                if let Some((_, holds)) = path.iter().find(|(at, _)| at == atom) {
                    let chosen = if *holds { yes } else { no };
                    return self.export_at(chosen, conditions, depth + 1, path);
                }
                return self.split(
                    *atom,
                    span,
                    conditions,
                    path,
                    &mut |conditions, path, holds| {
                        self.export_at(if holds { yes } else { no }, conditions, depth + 1, path)
                    },
                );
            }
            K::Unknown(why) => Kind::Unknown(why),
        };
        Value::new(kind, span)
    }

    fn split(
        &self,
        atom: usize,
        span: Span,
        conditions: &mut Conditions,
        path: &mut Vec<(usize, bool)>,
        side: &mut Side<'_>,
    ) -> Value {
        let mut run = |conditions: &mut Conditions, holds| {
            path.push((atom, holds));
            let value = side(conditions, path, holds);
            path.pop();
            value
        };
        let (yes, no) = (run(conditions, true), run(conditions, false));
        if yes == no {
            return yes;
        }
        match conditions.atom(self.atoms[atom].clone()) {
            Some(condition) => {
                let one_of = OneOf { condition, yes, no };
                Value::new(Kind::OneOf(Box::new(one_of)), span)
            }
            None => Value::unknown("it depends on too many conditions", span),
        }
    }

    fn export_tree(
        &self,
        tree: &Tree,
        span: Span,
        conditions: &mut Conditions,
        depth: usize,
        path: &mut Vec<(usize, bool)>,
    ) -> Value {
        let obj = match tree {
            Tree::Leaf(obj) => obj,
            Tree::Split(atom, yes, no) => {
                if let Some((_, holds)) = path.iter().find(|(at, _)| at == atom) {
                    let chosen = if *holds { yes } else { no };
                    return self.export_tree(chosen, span, conditions, depth, path);
                }
                return self.split(
                    *atom,
                    span,
                    conditions,
                    path,
                    &mut |conditions, path, holds| {
                        let side = if holds { yes } else { no };
                        self.export_tree(side, span, conditions, depth + 1, path)
                    },
                );
            }
        };
        let kind = match obj {
            Obj::List { items, open, .. } => Kind::List(List {
                items: items
                    .iter()
                    .take(MAX_LENGTH)
                    .map(|item| self.export_at(item, conditions, depth + 1, path))
                    .collect(),
                open: *open || items.len() > MAX_LENGTH,
            }),
            Obj::Dict { entries, open } => {
                let mut map = Map {
                    entries: Vec::new(),
                    open: *open,
                };
                for (key, value) in entries {
                    match key.as_text() {
                        Some(text) => map.set(Entry {
                            key: text.to_owned(),
                            key_span: key.span,
                            value: self.export_at(value, conditions, depth + 1, path),
                        }),
                        None => map.open = true,
                    }
                }
                Kind::Map(map)
            }
            Obj::Names { .. } => Kind::Object("object".into()),
            Obj::Unknown(why) => Kind::Unknown(why),
        };
        Value::new(kind, span)
    }
}

/// Exports one side of a condition.
type Side<'s> = dyn FnMut(&mut Conditions, &mut Vec<(usize, bool)>, bool) -> Value + 's;
