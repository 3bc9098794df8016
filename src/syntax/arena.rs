//! A heap that can be frozen.
//!
//! A program is loaded once and then asked many times: a request works on an overlay and leaves no
//! trace for the next one.

use std::collections::HashMap;
use std::sync::Arc;

/// Names something in an [`Arena`].
pub type Id = u32;

/// Things that are never moved, with a frozen part that many share.
#[derive(Debug)]
pub struct Arena<T> {
    base: Arc<Vec<T>>,
    changed: HashMap<Id, T>,
    own: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            base: Arc::default(),
            changed: HashMap::new(),
            own: Vec::new(),
        }
    }
}

impl<T: Clone> Arena<T> {
    /// Adds a thing.
    pub fn add(&mut self, thing: T) -> Id {
        self.own.push(thing);
        u32::try_from(self.base.len() + self.own.len() - 1).unwrap_or(u32::MAX)
    }

    /// A thing by its name, which this arena gave out.
    #[must_use]
    pub fn get(&self, id: Id) -> &T {
        let at = id as usize;
        if at < self.base.len() {
            self.changed.get(&id).unwrap_or(&self.base[at])
        } else {
            &self.own[at - self.base.len()]
        }
    }

    /// The same to change.
    pub fn get_mut(&mut self, id: Id) -> &mut T {
        let at = id as usize;
        if at < self.base.len() {
            let base = &self.base;
            self.changed.entry(id).or_insert_with(|| base[at].clone())
        } else {
            &mut self.own[at - self.base.len()]
        }
    }

    /// How many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.len() + self.own.len()
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives up changing: what is there now is the base of every overlay.
    #[must_use]
    pub fn freeze(self) -> Arc<Vec<T>> {
        let mut things = Arc::try_unwrap(self.base).unwrap_or_else(|shared| shared.to_vec());
        for (id, thing) in self.changed {
            things[id as usize] = thing;
        }
        things.extend(self.own);
        Arc::new(things)
    }

    /// An overlay.
    #[must_use]
    pub fn over(base: &Arc<Vec<T>>) -> Self {
        Self {
            base: Arc::clone(base),
            ..Self::default()
        }
    }
}
