//! What stands in one node of the tree: items in key order, found with hardly a look at their keys.

use super::{Keyed, MAX_WIDTH};

/// Items in key order. Keys of one node begin alike, and differ soon after: a few bytes of each, kept
/// side by side, decide nearly every comparison. Following every key to where it lies would cost more
/// than all else that a search does.
#[derive(Clone, Debug)]
pub(super) struct Row<T> {
    items: Vec<T>,
    /// So many bytes all keys have in common; it may be fewer than they do.
    common_bytes: usize,
    /// Of each key, what follows the common bytes.
    heads: [u128; CAPACITY],
}

/// A node splits once it is wider than [`MAX_WIDTH`].
const CAPACITY: usize = MAX_WIDTH + 1;

impl<T: Keyed> Row<T> {
    /// Of up to one item more than a node keeps.
    pub(super) fn new(items: Vec<T>) -> Self {
        let mut row = Row { items, common_bytes: 0, heads: [0; CAPACITY] };
        row.restate();
        row
    }

    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    pub(super) fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Where the key stands, or where it would.
    pub(super) fn find(&self, key: &str) -> Result<usize, usize> {
        let Some(first) = self.items.first() else { return Err(0) };
        if let Some((common, rest)) = key.as_bytes().split_at_checked(self.common_bytes) {
            let head = head(rest);
            let heads = &self.heads[..self.items.len()];
            let start = heads.partition_point(|&other| other < head);
            let alike = heads[start..].iter().take_while(|&&other| other == head).count();
            match self.items[start..start + alike].binary_search_by(|item| (**item.key()).cmp(key)) {
                Ok(index) => return Ok(start + index),
                // Only now does it matter how the key begins.
                Err(index) if *common == first.key().as_bytes()[..self.common_bytes] => return Err(start + index),
                Err(_) => {}
            }
        }
        // It begins otherwise than all keys here: it stands before or behind them.
        Err(if *key < **first.key() { 0 } else { self.items.len() })
    }

    pub(super) fn insert(&mut self, index: usize, item: T) {
        self.heads.copy_within(index..self.items.len(), index + 1);
        self.items.insert(index, item);
        self.rekey(index);
    }

    pub(super) fn remove(&mut self, index: usize) -> T {
        self.heads.copy_within(index + 1..self.items.len(), index);
        self.items.remove(index)
    }

    /// Changes an item but not its key.
    pub(super) fn item_mut(&mut self, index: usize) -> &mut T {
        &mut self.items[index]
    }

    /// Takes note of the key that an item has now.
    pub(super) fn rekey(&mut self, index: usize) {
        let neighbour = if index == 0 { 1 } else { index - 1 };
        let key = self.items[index].key().as_bytes();
        let shared = self.items.get(neighbour).map(|item| &item.key().as_bytes()[..self.common_bytes]);
        match shared.and_then(|common| key.strip_prefix(common)) {
            Some(rest) => self.heads[index] = head(rest),
            None => self.restate(),
        }
    }

    /// Takes the right half out, and leaves the left one; neither has more room than a full node needs.
    pub(super) fn split(&mut self) -> Row<T> {
        let mut right = Vec::with_capacity(CAPACITY);
        right.extend(self.items.drain(self.items.len() / 2..));
        self.items.shrink_to(CAPACITY);
        self.restate();
        Row::new(right)
    }

    fn restate(&mut self) {
        let [Some(first), Some(last)] = [self.items.first(), self.items.last()] else { return };
        let (first, last) = (first.key().as_bytes(), last.key().as_bytes());
        // What lies between the two begins as they do.
        self.common_bytes = first.iter().zip(last).take_while(|(left, right)| left == right).count();
        for (item, place) in self.items.iter().zip(&mut self.heads) {
            *place = head(&item.key().as_bytes()[self.common_bytes..]);
        }
    }
}

/// The first bytes as a number of the same order; a key that ends early is filled up with zeros, so
/// that equal numbers may stand for different keys.
fn head(bytes: &[u8]) -> u128 {
    match bytes.first_chunk() {
        Some(head) => u128::from_be_bytes(*head),
        None => {
            let mut head = [0; 16];
            head[..bytes.len()].copy_from_slice(bytes);
            u128::from_be_bytes(head)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    struct Item(Arc<str>);

    impl Keyed for Item {
        fn key(&self) -> &Arc<str> {
            &self.0
        }
    }

    fn assert_finds(row: &Row<Item>, model: &[String], key: &str) {
        let expected = model.binary_search_by(|other| other.as_str().cmp(key));
        assert_eq!(row.find(key), expected, "{key:?} in {model:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// Keys that share beginnings of all lengths, end early, and differ late.
        #[test]
        fn keys_are_found_however_they_begin(
            steps in prop::collection::vec((any::<bool>(), "(registry/){0,2}(pods/){0,1}[ab]{0,3}(longer-than-a-head)?[ab]{0,2}"), 1..120),
        ) {
            let mut row = Row::new(Vec::new());
            let mut model: Vec<String> = Vec::new();
            for (insert, key) in steps {
                assert_finds(&row, &model, &key);
                match (row.find(&key), insert) {
                    (Ok(index), false) => {
                        prop_assert_eq!(&*row.remove(index).0, key.as_str());
                        model.remove(index);
                    }
                    (Err(index), true) if row.items().len() <= MAX_WIDTH => {
                        row.insert(index, Item(key.as_str().into()));
                        model.insert(index, key);
                    }
                    _ => {}
                }
                model.iter().for_each(|key| assert_finds(&row, &model, key));
                if row.items().len() > MAX_WIDTH {
                    let right = row.split();
                    let after = model.split_off(row.items().len());
                    after.iter().for_each(|key| assert_finds(&right, &after, key));
                    model.iter().for_each(|key| assert_finds(&row, &model, key));
                }
            }
        }
    }
}
