//! A table that grows, and whose copies are cheap.

use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

/// Rows by their number. What was there when it was last frozen is shared by all copies; a copy
/// holds for itself only what was changed or added since.
#[derive(Clone, Debug)]
pub struct Table<T> {
    shared: Arc<Vec<T>>,
    changed: BTreeMap<usize, T>,
    added: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            shared: Arc::default(),
            changed: BTreeMap::new(),
            added: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.len() + self.added.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(self.shared.len()) {
            Some(at) => self.added.get(at),
            None => self.changed.get(&at).or_else(|| self.shared.get(at)),
        }
    }

    /// The rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Adds a row; its number.
    pub(super) fn push(&mut self, row: T) -> usize {
        self.added.push(row);
        self.len() - 1
    }

    /// Replaces a row, if there is one of this number; what stood there.
    pub(super) fn set(&mut self, at: usize, row: T) -> Option<T>
    where
        T: Clone,
    {
        let known = self.get_mut(at)?;
        Some(std::mem::replace(known, row))
    }

    /// A row to change.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T>
    where
        T: Clone,
    {
        match at.checked_sub(self.shared.len()) {
            Some(at) => self.added.get_mut(at),
            None => {
                let row = self.shared.get(at)?;
                Some(self.changed.entry(at).or_insert_with(|| row.clone()))
            }
        }
    }

    /// Shares everything that is there with the copies to come.
    pub(super) fn freeze(&mut self)
    where
        T: Clone,
    {
        if self.changed.is_empty() && self.added.is_empty() {
            return;
        }
        let shared = Arc::make_mut(&mut self.shared);
        for (at, row) in std::mem::take(&mut self.changed) {
            shared[at] = row;
        }
        shared.append(&mut self.added);
    }
}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    #[track_caller]
    fn index(&self, at: usize) -> &T {
        match at.checked_sub(self.shared.len()) {
            Some(at) => &self.added[at],
            None => self.changed.get(&at).unwrap_or(&self.shared[at]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn copies_share_what_is_frozen_and_change_only_themselves() {
        let mut table = Table::default();
        table.push("a");
        table.push("b");
        table.freeze();
        let mut copy = table.clone();
        assert_eq!(copy.set(0, "x"), Some("a"));
        assert_eq!(copy.push("c"), 2);
        assert_eq!(copy.set(3, "y"), None);
        assert_eq!(copy.iter().copied().collect::<Vec<_>>(), ["x", "b", "c"]);
        assert_eq!(table.iter().copied().collect::<Vec<_>>(), ["a", "b"]);
        copy.freeze();
        assert_eq!(copy.iter().copied().collect::<Vec<_>>(), ["x", "b", "c"]);
        assert_eq!((copy.len(), copy[2]), (3, "c"));
    }
}
