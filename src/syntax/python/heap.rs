//! Objects that are shared by reference, in all the forms that conditions give them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Name, SequenceKind};
use super::object::{Id, K, Obj, Tree, Val};
use super::program::{Program, SPENT};
use crate::source::Span;

impl Program {
    /// A name of an object, if it has one value here.
    #[must_use]
    pub fn peek(&self, id: Id, name: &str) -> Option<Val> {
        match self.heap.get(id)?.as_ref() {
            Tree::Leaf(Obj::Names { names, .. }) => names.get(name).cloned(),
            _ => None,
        }
    }

    /// The names of an object with their values, if it has one form here.
    #[must_use]
    pub fn names_of(&self, id: Id) -> Vec<(Name, Val)> {
        match self.heap.get(id).map(AsRef::as_ref) {
            Some(Tree::Leaf(Obj::Names { names, .. })) => {
                let pairs = names.iter();
                pairs
                    .map(|(name, value)| (Arc::clone(name), value.clone()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The object that a value refers to, if it has one form here.
    #[must_use]
    pub fn object(&self, value: &Val) -> Option<Obj> {
        match value.kind {
            K::Ref(id) => self.plain(id),
            _ => None,
        }
    }

    /// The items of a list in all of its forms together, and whether there may be more.
    #[must_use]
    pub fn items_of_all(&self, list: &Val) -> Option<(Vec<Val>, bool)> {
        fn add(tree: &Tree, found: &mut Vec<Val>, open: &mut bool) {
            match tree {
                Tree::Leaf(Obj::List {
                    items, open: more, ..
                }) => {
                    found.extend(items.iter().cloned());
                    *open |= more;
                }
                Tree::Leaf(_) => *open = true,
                Tree::Split(_, yes, no) => {
                    add(yes, found, open);
                    add(no, found, open);
                }
            }
        }
        match &list.kind {
            K::Ref(id) => {
                let (mut found, mut open) = (Vec::new(), false);
                add(self.heap.get(*id)?, &mut found, &mut open);
                let mut items: Vec<Val> = Vec::new();
                for item in found {
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
                Some((items, open))
            }
            K::OneOf(_, yes, no) => {
                let (mut items, open) = self.items_of_all(yes)?;
                let (more, also) = self.items_of_all(no)?;
                items.extend(
                    more.into_iter()
                        .filter(|item| !items.contains(item))
                        .collect::<Vec<_>>(),
                );
                Some((items, open || also))
            }
            _ => None,
        }
    }

    pub(super) fn alloc(&mut self, obj: Obj) -> Id {
        self.heap.push(Arc::new(Tree::Leaf(obj)))
    }

    pub(super) fn names(&mut self) -> Id {
        self.alloc(Obj::Names {
            names: BTreeMap::new(),
            open: false,
        })
    }

    /// A new list.
    pub fn list(&mut self, kind: SequenceKind, items: Vec<Val>, open: bool, span: Span) -> Val {
        let id = self.alloc(Obj::List { kind, items, open });
        Val::new(K::Ref(id), span)
    }

    /// A new dictionary.
    pub fn dict(&mut self, entries: Vec<(Val, Val)>, open: bool, span: Span) -> Val {
        let id = self.alloc(Obj::Dict { entries, open });
        Val::new(K::Ref(id), span)
    }

    /// Sets a name of an object.
    pub fn set_name(&mut self, id: Id, name: &str, value: Val) {
        let name: Name = Arc::from(name);
        if self.branches == 0
            && let Some(tree) = self.heap.get_mut(id)
            && let Tree::Leaf(Obj::Names { names, .. }) = Arc::make_mut(tree)
        {
            names.insert(name, value);
            return;
        }
        self.update(id, &mut |_, obj| {
            let mut obj = obj.clone();
            if let Obj::Names { names, .. } = &mut obj {
                names.insert(Arc::clone(&name), value.clone());
            }
            obj
        });
    }

    /// A name of an object; [`K::Missing`] if it has none.
    pub fn get_name(&mut self, id: Id, name: &str, span: Span) -> Val {
        self.read(id, span, &mut |_, obj| match obj {
            Obj::Names { names, open } => match names.get(name) {
                Some(value) => value.clone(),
                None if *open => Val::unknown("what it is imported from is not in view", span),
                None => Val::new(K::Missing, span),
            },
            _ => Val::new(K::Missing, span),
        })
    }

    /// Changes an object, in all the forms it may have.
    pub(super) fn update(&mut self, id: Id, f: &mut dyn FnMut(&mut Self, &Obj) -> Obj) {
        let Some(tree) = self.heap.get(id).cloned() else {
            return;
        };
        let tree = self.updated(&tree, f);
        self.replace(id, tree);
    }

    /// Puts a tree in the place of another, and remembers the other while a branch is open.
    pub(super) fn replace(&mut self, id: Id, tree: Arc<Tree>) {
        if let Some(before) = self.heap.set(id, tree)
            && self.branches > 0
        {
            self.journal.push((id, before));
        }
    }

    fn updated(
        &mut self,
        tree: &Arc<Tree>,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Obj,
    ) -> Arc<Tree> {
        match tree.as_ref() {
            Tree::Leaf(obj) => Arc::new(Tree::Leaf(f(self, obj))),
            Tree::Split(condition, yes, no) => match self.decided(*condition) {
                Some(true) => self.updated(yes, f),
                Some(false) => self.updated(no, f),
                None => {
                    let (yes, no) = (self.updated(yes, f), self.updated(no, f));
                    Tree::split(*condition, yes, no)
                }
            },
        }
    }

    /// Reads an object, in all the forms it may have.
    pub(super) fn read(
        &mut self,
        id: Id,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Val,
    ) -> Val {
        let Some(tree) = self.heap.get(id).cloned() else {
            return Val::unknown(SPENT, span);
        };
        self.read_tree(&tree, span, f)
    }

    fn read_tree(
        &mut self,
        tree: &Tree,
        span: Span,
        f: &mut dyn FnMut(&mut Self, &Obj) -> Val,
    ) -> Val {
        match tree {
            Tree::Leaf(obj) => f(self, obj),
            Tree::Split(condition, yes, no) => {
                let join = |condition, yes, no| Val::one_of(condition, yes, no, span);
                self.branch(
                    *condition,
                    &mut |program, holds| program.read_tree(if holds { yes } else { no }, span, f),
                    join,
                )
            }
        }
    }
}
