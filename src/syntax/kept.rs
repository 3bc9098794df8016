//! What was made of a text and is asked for again: a program tests the same few patterns for every
//! request.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::limits::syntax::MAX_KEPT;

/// Values by the texts that they were made of. A thread's own, so that no thread waits.
#[derive(Debug)]
pub(crate) struct Kept<V>(RefCell<HashMap<String, V>>);

impl<V> Default for Kept<V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<V: Clone> Kept<V> {
    /// The value of a text, made the first time. All are forgotten when there are too many.
    pub(crate) fn get(&self, text: String, make: impl FnOnce(&str) -> V) -> V {
        let mut known = self.0.borrow_mut();
        if let Some(value) = known.get(&text) {
            return value.clone();
        }
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        let value = make(&text);
        known.insert(text, value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_few_are_kept() {
        let kept = Kept::default();
        let mut made = 0;
        for _ in 0..3 {
            for text in ["a", "b"] {
                let length = kept.get(text.to_owned(), |text| {
                    made += 1;
                    text.len()
                });
                assert_eq!(length, 1);
            }
        }
        assert_eq!(made, 2);
        for number in 0..=MAX_KEPT {
            kept.get(number.to_string(), str::len);
        }
        assert!(kept.0.borrow().len() <= MAX_KEPT);
    }
}
