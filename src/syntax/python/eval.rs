//! Expressions.

use std::sync::Arc;

use super::ast::{Comprehension, Expr, ExprKind};
use super::object::{Id, K, Obj, Tree, Val};
use super::program::{MAX_LENGTH, Program, SPENT};
use crate::source::Span;

impl Program {
    /// Evaluates an expression.
    pub fn eval(&mut self, expr: &Expr) -> Val {
        if !self.budget.step() || !self.budget.enter() {
            return Val::unknown(SPENT, expr.span);
        }
        let value = self.eval_kind(expr);
        self.budget.leave();
        value
    }

    fn eval_kind(&mut self, expr: &Expr) -> Val {
        let span = expr.span;
        match &expr.kind {
            ExprKind::None => Val::new(K::None, span),
            ExprKind::Bool(value) => Val::new(K::Bool(*value), span),
            ExprKind::Number(value) => Val::new(K::Number(*value), span),
            ExprKind::Text(text) => Val::new(K::Text(Arc::clone(text)), span),
            ExprKind::Name(name) => self.variable(name, span),
            ExprKind::Attribute(object, name) => {
                let object = self.eval(object);
                self.attribute(&object, name, span)
            }
            ExprKind::Item(object, key) => {
                let object = self.eval(object);
                let key = self.eval(key);
                self.item(&object, &key, span)
            }
            ExprKind::Slice(object, bounds) => self.slice(object, bounds, span),
            ExprKind::Call(callee, arguments) => self.call_expression(callee, arguments, span),
            ExprKind::Sequence(kind, items) => {
                let (items, open) = self.elements(items);
                self.list(*kind, items, open, span)
            }
            ExprKind::Dict(entries) => self.dictionary(entries, span),
            ExprKind::Format(parts) => self.format(parts, span),
            ExprKind::Binary(left, operator, right) => {
                let (left, right) = (self.eval(left), self.eval(right));
                self.binary(&left, operator, &right, span)
            }
            ExprKind::Unary(operator, value) => {
                let value = self.eval(value);
                self.each(&value, &mut |_, value| match (&**operator, &value.kind) {
                    ("-", K::Number(number)) => Val::new(K::Number(-number), span),
                    ("+", K::Number(number)) => Val::new(K::Number(*number), span),
                    _ => Val::unknown("an operator on something unknown", span),
                })
            }
            ExprKind::Not(inner) => {
                let value = self.eval(inner);
                let text = self.source(inner.span);
                let truth = self.truth(&value, &text, inner.span);
                self.each(&truth, &mut |_, truth| match truth.kind {
                    K::Bool(known) => Val::new(K::Bool(!known), span),
                    _ => truth.clone(),
                })
            }
            ExprKind::Compare(left, comparison, right) => {
                let (a, b) = (self.eval(left), self.eval(right));
                self.compare(&a, *comparison, &b, span)
            }
            ExprKind::And(left, right) => self.junction(left, right, true, span),
            ExprKind::Or(left, right) => self.junction(left, right, false, span),
            ExprKind::Conditional(test, yes, no) => {
                let value = self.eval(test);
                let text = self.source(test.span);
                let truth = self.truth(&value, &text, test.span);
                self.each(&truth, &mut |program, truth| match truth.kind {
                    K::Bool(true) => program.eval(yes),
                    K::Bool(false) => program.eval(no),
                    _ => Val::unknown("it depends on something unknown", span),
                })
            }
            ExprKind::Lambda(function) => self.define(function, Vec::new(), span),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, span),
            ExprKind::Star(inner) | ExprKind::Await(inner) => self.eval(inner),
            ExprKind::Walrus(name, value) => {
                let value = self.eval(value);
                self.bind(name, value.clone());
                value
            }
            ExprKind::Unknown(why) => Val::unknown(why, span),
        }
    }

    /// The source text of a span, on one line.
    pub(super) fn source(&self, span: Span) -> String {
        let module = self
            .modules
            .iter()
            .find(|module| module.file.id() == span.file);
        let text = module.map_or("", |module| module.file.slice(span));
        let words: Vec<_> = text.split_whitespace().collect();
        let text = words.join(" ");
        text.chars().take(60).collect()
    }

    fn elements(&mut self, items: &[Expr]) -> (Vec<Val>, bool) {
        let (mut values, mut open) = (Vec::new(), false);
        for item in items {
            let ExprKind::Star(inner) = &item.kind else {
                values.push(self.eval(item));
                continue;
            };
            let value = self.eval(inner);
            match self.items(&value) {
                Some((items, more)) => {
                    values.extend(items);
                    open |= more;
                }
                None => open = true,
            }
            if values.len() > MAX_LENGTH {
                return (values, true);
            }
        }
        (values, open)
    }

    /// The items of a list whose form is certain, and whether there may be more.
    pub fn items(&self, value: &Val) -> Option<(Vec<Val>, bool)> {
        match &value.kind {
            K::Ref(id) => match self.plain(*id)? {
                Obj::List { items, open, .. } => Some((items, open)),
                Obj::Dict { entries, open } => {
                    Some((entries.into_iter().map(|(key, _)| key).collect(), open))
                }
                _ => None,
            },
            K::Text(text) => {
                let items = text.chars().map(|c| Val::text(&c.to_string(), value.span));
                Some((items.collect(), false))
            }
            K::OneOf(condition, yes, no) => match self.decided(*condition) {
                Some(true) => self.items(yes),
                Some(false) => self.items(no),
                None => None,
            },
            _ => None,
        }
    }

    /// The object, if it has one form here.
    pub(super) fn plain(&self, id: Id) -> Option<Obj> {
        let mut tree = self.heap.get(id)?.as_ref();
        loop {
            match tree {
                Tree::Leaf(obj) => return Some(obj.clone()),
                Tree::Split(condition, yes, no) => {
                    tree = if self.decided(*condition)? { yes } else { no };
                }
            }
        }
    }

    fn dictionary(&mut self, entries: &[(Option<Expr>, Expr)], span: Span) -> Val {
        let mut known: Vec<(Val, Val)> = Vec::new();
        let mut open = false;
        for (key, value) in entries {
            let value = self.eval(value);
            match key {
                Some(key) => {
                    let key = self.eval(key);
                    insert(&mut known, key, value);
                }
                None => match &value.kind {
                    K::Ref(id) => match self.plain(*id) {
                        Some(Obj::Dict {
                            entries,
                            open: more,
                        }) => {
                            for (key, value) in entries {
                                insert(&mut known, key, value);
                            }
                            open |= more;
                        }
                        _ => open = true,
                    },
                    _ => open = true,
                },
            }
        }
        self.dict(known, open, span)
    }

    fn comprehension(&mut self, comprehension: &Comprehension, span: Span) -> Val {
        let Some((_, items, _)) = comprehension.clauses.first() else {
            return Val::unknown("a comprehension over nothing", span);
        };
        let items = self.eval(items);
        self.each(&items, &mut |program, items| {
            program.comprehended(comprehension, items, span)
        })
    }

    /// A comprehension over one form of its outermost items.
    fn comprehended(&mut self, comprehension: &Comprehension, items: &Val, span: Span) -> Val {
        let scope = self.names();
        self.scopes.insert(0, scope);
        let mut found = Vec::new();
        let mut open = false;
        self.clause(comprehension, 0, Some(items), &mut found, &mut open);
        self.scopes.remove(0);
        if comprehension.value.is_some() {
            let entries = found
                .chunks(2)
                .filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())));
            let entries = entries.collect();
            return self.dict(entries, open, span);
        }
        self.list(comprehension.kind, found, open, span)
    }

    fn clause(
        &mut self,
        comprehension: &Comprehension,
        at: usize,
        outermost: Option<&Val>,
        found: &mut Vec<Val>,
        open: &mut bool,
    ) {
        let Some((target, items, tests)) = comprehension.clauses.get(at) else {
            let element = self.eval(&comprehension.element);
            found.push(element);
            if let Some(value) = &comprehension.value {
                let value = self.eval(value);
                found.push(value);
            }
            return;
        };
        let items = match outermost {
            Some(items) => items.clone(),
            None => self.eval(items),
        };
        let Some((items, more)) = self.items(&items) else {
            *open = true;
            return;
        };
        *open |= more;
        for item in items {
            if !self.budget.step() || found.len() > MAX_LENGTH {
                *open = true;
                return;
            }
            self.assign(target, item);
            let mut keep = true;
            for test in tests {
                let value = self.eval(test);
                let text = self.source(test.span);
                match self.truth(&value, &text, test.span).kind {
                    K::Bool(true) => {}
                    K::Bool(false) => keep = false,
                    _ => {
                        keep = false;
                        *open = true;
                    }
                }
            }
            if keep {
                self.clause(comprehension, at + 1, None, found, open);
            }
        }
    }

    fn slice(&mut self, object: &Expr, bounds: &[Option<Box<Expr>>; 2], span: Span) -> Val {
        let object = self.eval(object);
        let mut at = [None, None];
        for (bound, at) in bounds.iter().zip(&mut at) {
            if let Some(bound) = bound {
                let K::Number(number) = self.eval(bound).kind else {
                    return Val::unknown("a part whose bounds are unknown", span);
                };
                let number = number as i64;
                *at = Some(number);
            }
        }
        let range = |length: usize| {
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            let bound = |at: i64| if at < 0 { at + length } else { at }.clamp(0, length);
            let (start, end) = (at[0].map_or(0, bound), at[1].map_or(length, bound));
            let as_index = |at: i64| usize::try_from(at).unwrap_or_default();
            as_index(start)..as_index(end.max(start))
        };
        self.each(&object, &mut |program, object| match &object.kind {
            K::Text(text) => {
                let chars: Vec<char> = text.chars().collect();
                let part: String = chars[range(chars.len())].iter().collect();
                Val::text(&part, span)
            }
            K::SomeText(_) => Val::new(K::SomeText(None), span),
            K::Ref(id) => program.read(*id, span, &mut |program, obj| match obj {
                Obj::List {
                    kind,
                    items,
                    open: false,
                } => {
                    let part = items[range(items.len())].to_vec();
                    program.list(*kind, part, false, span)
                }
                Obj::List { kind, .. } => program.list(*kind, Vec::new(), true, span),
                _ => Val::unknown("a part of something unknown", span),
            }),
            _ => Val::unknown("a part of something unknown", span),
        })
    }
}

/// Sets a key of a dictionary.
pub(super) fn insert(entries: &mut Vec<(Val, Val)>, key: Val, value: Val) {
    match entries.iter_mut().find(|(known, _)| known.kind == key.kind) {
        Some((_, known)) => *known = value,
        None => entries.push((key, value)),
    }
}

/// A number as `str` writes it.
pub(super) fn number_text(number: f64) -> String {
    format!("{number}")
}
