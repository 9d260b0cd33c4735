//! The index: a persistent, ordered map of what has a key.
//!
//! A B+ tree whose nodes are shared between clones and copied when written. A clone costs one
//! reference count, so a list, a pinned page and a snapshot read a state of their own while writes
//! go on. Branches count what is beneath them, so "how many keys follow" costs one descent.

mod row;

use std::slice;
use std::sync::Arc;

use crate::Entry;
use row::Row;

/// What can stand in a tree.
pub(crate) trait Keyed: Clone {
    fn key(&self) -> &Arc<str>;
}

impl Keyed for Entry {
    fn key(&self) -> &Arc<str> {
        &self.key
    }
}

/// Entries in a leaf, children in a branch.
const MAX_WIDTH: usize = 32;
/// A node narrower than this is merged with a neighbour.
const MIN_WIDTH: usize = MAX_WIDTH / 4;

#[derive(Clone, Debug)]
pub(crate) struct Tree<T> {
    root: Arc<Node<T>>,
}

#[derive(Clone, Debug)]
enum Node<T> {
    Leaf(Row<T>),
    Branch(Row<Child<T>>),
}

#[derive(Clone, Debug)]
struct Child<T> {
    /// The smallest key beneath.
    first: Arc<str>,
    /// How many entries are beneath.
    count: usize,
    node: Arc<Node<T>>,
}

/// Where an entry was found: its position in each node on the way down, the root's in the lowest
/// bits. What is inserted or removed moves entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u64);

impl Place {
    const POSITION_BITS: u32 = MAX_WIDTH.ilog2() + 1;

    fn noting(self, position: usize, depth: u32) -> Place {
        // What does not fit makes the place a wrong one, and wrong ones are recognised.
        Place(self.0 | (position as u64).checked_shl(depth * Place::POSITION_BITS).unwrap_or(0))
    }

    fn take_position(&mut self) -> usize {
        let position = self.0 & ((1 << Place::POSITION_BITS) - 1);
        self.0 >>= Place::POSITION_BITS;
        position as usize
    }
}

impl<T: Clone> Keyed for Child<T> {
    fn key(&self) -> &Arc<str> {
        &self.first
    }
}

impl<T: Keyed> Tree<T> {
    pub(crate) fn new() -> Self {
        Tree { root: Arc::new(Node::Leaf(Row::new(Vec::new()))) }
    }

    /// What the tree consists of, to be freed step by step.
    pub(crate) fn into_nodes(self) -> Nodes<T> {
        Nodes(vec![self.root])
    }

    pub(crate) fn len(&self) -> usize {
        self.root.count()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.find(key).map(|(_, entry)| entry)
    }

    pub(crate) fn find(&self, key: &str) -> Option<(Place, &T)> {
        let mut node = &*self.root;
        let mut place = Place(0);
        for depth in 0.. {
            match node {
                Node::Leaf(entries) => {
                    let position = entries.find(key).ok()?;
                    return Some((place.noting(position, depth), &entries.items()[position]));
                }
                Node::Branch(children) => {
                    let position = child_of(children, key);
                    place = place.noting(position, depth);
                    node = &children.items()[position].node;
                }
            }
        }
        None
    }

    /// Puts an entry in the place of one that was found there and whose very key it has: that spares
    /// a search. Gives it back if that one is not there any more.
    pub(crate) fn replace(&mut self, mut place: Place, entry: T) -> Result<T, T> {
        let mut node = &mut self.root;
        loop {
            let position = place.take_position();
            match Arc::make_mut(node) {
                Node::Leaf(entries) => {
                    let is_there = |present: &T| Arc::ptr_eq(present.key(), entry.key());
                    if !entries.items().get(position).is_some_and(is_there) {
                        return Err(entry);
                    }
                    return Ok(std::mem::replace(entries.item_mut(position), entry));
                }
                Node::Branch(children) if position < children.items().len() => {
                    node = &mut children.item_mut(position).node;
                }
                Node::Branch(_) => return Err(entry),
            }
        }
    }

    /// Returns what the key held before.
    pub(crate) fn insert(&mut self, entry: T) -> Option<T> {
        let (replaced, split) = Arc::make_mut(&mut self.root).insert(entry);
        if let Some(right) = split {
            let left = Child::over(self.root.clone());
            self.root = Arc::new(Node::Branch(Row::new(vec![left, Child::over(Arc::new(right))])));
        }
        replaced
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        // Looking first spares a shared path from being copied for nothing.
        self.get(key)?;
        let removed = Arc::make_mut(&mut self.root).remove(key);
        while let Node::Branch(children) = &*self.root
            && let [only] = children.items()
        {
            self.root = only.node.clone();
        }
        removed
    }

    /// How many keys, counted from the smallest, satisfy `before`, which must hold for some first
    /// part of the keys and for none after it.
    pub(crate) fn partition_point(&self, before: impl Fn(&str) -> bool) -> usize {
        let mut node = &*self.root;
        let mut passed = 0;
        loop {
            match node {
                Node::Leaf(entries) => return passed + entries.items().partition_point(|entry| before(entry.key())),
                Node::Branch(children) => {
                    let children = children.items();
                    let next = children.partition_point(|child| before(&child.first));
                    let Some(boundary) = next.checked_sub(1) else { return passed };
                    passed += children[..boundary].iter().map(|child| child.count).sum::<usize>();
                    node = &children[boundary].node;
                }
            }
        }
    }

    /// The entries in key order, beginning with the one at `position`.
    pub(crate) fn iter_from(&self, position: usize) -> Iter<'_, T> {
        let mut iter = Iter { branches: Vec::new(), leaf: [].iter() };
        let mut node = &*self.root;
        let mut skip = position;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let entries = entries.items();
                    iter.leaf = entries[skip.min(entries.len())..].iter();
                    return iter;
                }
                Node::Branch(children) => {
                    let children = children.items();
                    let mut index = 0;
                    while index < children.len() && skip >= children[index].count {
                        skip -= children[index].count;
                        index += 1;
                    }
                    let Some(child) = children.get(index) else { return iter };
                    iter.branches.push(children[index + 1..].iter());
                    node = &child.node;
                }
            }
        }
    }
}

/// Nodes on their way out. Dropping a large tree at once takes a while; this does it in steps.
#[derive(Debug)]
pub(crate) struct Nodes<T>(Vec<Arc<Node<T>>>);

impl<T: Keyed> Nodes<T> {
    /// Frees up to `count` nodes; true while there are more.
    pub(crate) fn free_some(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(node) = self.0.pop() else { return false };
            // What others hold as well stays, and so does all beneath it.
            if let Some(Node::Branch(children)) = Arc::into_inner(node) {
                self.0.extend(children.into_items().into_iter().map(|child| child.node));
            }
        }
        !self.0.is_empty()
    }
}

/// Entries in key order.
#[derive(Debug)]
pub(crate) struct Iter<'a, T> {
    /// The children still to visit, the deepest branch last.
    branches: Vec<slice::Iter<'a, Child<T>>>,
    leaf: slice::Iter<'a, T>,
}

impl<'a, T: Keyed> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(entry) = self.leaf.next() {
                return Some(entry);
            }
            match self.branches.last_mut()?.next() {
                None => {
                    self.branches.pop();
                }
                Some(child) => match &*child.node {
                    Node::Leaf(entries) => self.leaf = entries.items().iter(),
                    Node::Branch(children) => self.branches.push(children.items().iter()),
                },
            }
        }
    }
}

impl<T: Keyed> Node<T> {
    fn count(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.items().len(),
            Node::Branch(children) => children.items().iter().map(|child| child.count).sum(),
        }
    }

    fn width(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.items().len(),
            Node::Branch(children) => children.items().len(),
        }
    }

    /// The smallest key; a node beneath a branch is never empty.
    fn first(&self) -> &Arc<str> {
        match self {
            Node::Leaf(entries) => entries.items()[0].key(),
            Node::Branch(children) => &children.items()[0].first,
        }
    }

    /// Returns the replaced entry, and the right half where the node had to split.
    fn insert(&mut self, entry: T) -> (Option<T>, Option<Node<T>>) {
        match self {
            Node::Leaf(entries) => match entries.find(entry.key()) {
                Ok(position) => return (Some(std::mem::replace(entries.item_mut(position), entry)), None),
                Err(position) => entries.insert(position, entry),
            },
            Node::Branch(children) => {
                let index = child_of(children, entry.key());
                let (replaced, split) = Arc::make_mut(&mut children.item_mut(index).node).insert(entry);
                if replaced.is_some() {
                    return (replaced, None);
                }
                refresh(children, index);
                if let Some(right) = split {
                    children.insert(index + 1, Child::over(Arc::new(right)));
                }
            }
        }
        (None, self.split_if_wide())
    }

    fn remove(&mut self, key: &str) -> Option<T> {
        match self {
            Node::Leaf(entries) => entries.find(key).ok().map(|position| entries.remove(position)),
            Node::Branch(children) => {
                let index = child_of(children, key);
                let child = children.item_mut(index);
                let removed = Arc::make_mut(&mut child.node).remove(key);
                let width = child.node.width();
                if width == 0 {
                    children.remove(index);
                } else {
                    refresh(children, index);
                    if width < MIN_WIDTH && children.items().len() > 1 {
                        merge_with_neighbour(children, index);
                    }
                }
                removed
            }
        }
    }

    fn split_if_wide(&mut self) -> Option<Node<T>> {
        if self.width() <= MAX_WIDTH {
            return None;
        }
        Some(match self {
            Node::Leaf(entries) => Node::Leaf(entries.split()),
            Node::Branch(children) => Node::Branch(children.split()),
        })
    }
}

impl<T: Keyed> Child<T> {
    fn over(node: Arc<Node<T>>) -> Self {
        Child { first: node.first().clone(), count: node.count(), node }
    }
}

/// Restates the summary of a child after a change beneath.
fn refresh<T: Keyed>(children: &mut Row<Child<T>>, index: usize) {
    let child = children.item_mut(index);
    child.count = child.node.count();
    if child.first != *child.node.first() {
        child.first = child.node.first().clone();
        children.rekey(index);
    }
}

/// The child whose keys the key belongs among.
fn child_of<T: Keyed>(children: &Row<Child<T>>, key: &str) -> usize {
    children.find(key).unwrap_or_else(|after| after.saturating_sub(1))
}

/// Puts a narrow child and the one beside it together, in one node or in two of the same width.
fn merge_with_neighbour<T: Keyed>(children: &mut Row<Child<T>>, index: usize) {
    let left = if index + 1 < children.items().len() { index } else { index - 1 };
    let taken = [children.remove(left), children.remove(left)].map(|child| Arc::unwrap_or_clone(child.node));
    let (merged, split) = match taken {
        [Node::Leaf(left), Node::Leaf(right)] => {
            let (merged, split) = merged(left, right);
            (Node::Leaf(merged), split.map(Node::Leaf))
        }
        [Node::Branch(left), Node::Branch(right)] => {
            let (merged, split) = merged(left, right);
            (Node::Branch(merged), split.map(Node::Branch))
        }
        _ => unreachable!("all leaves of a tree are at one depth"),
    };
    for (place, node) in [Some(merged), split].into_iter().flatten().enumerate() {
        children.insert(left + place, Child::over(Arc::new(node)));
    }
}

/// The items of two rows, those of the right one behind those of the left, and what is too much for one.
fn merged<T: Keyed>(left: Row<T>, right: Row<T>) -> (Row<T>, Option<Row<T>>) {
    let mut items = left.into_items();
    items.extend(right.into_items());
    let behind = (items.len() > MAX_WIDTH).then(|| items.split_off(items.len() / 2));
    (Row::new(items), behind.map(Row::new))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::Revision;

    fn entry(key: &str, revision: u64) -> Entry {
        Entry { key: key.into(), value: Bytes::new(), created: Revision(1), modified: Revision(revision) }
    }

    fn contents(tree: &Tree<Entry>) -> Vec<(String, u64)> {
        tree.iter_from(0).map(|entry| (entry.key.to_string(), entry.modified.0)).collect()
    }

    /// No node beneath the root is empty or too wide, and every summary tells the truth.
    fn assert_sound(node: &Node<Entry>) -> usize {
        assert!(node.width() <= MAX_WIDTH);
        let Node::Branch(children) = node else { return 1 };
        let depths: Vec<usize> = children
            .items()
            .iter()
            .map(|child| {
                assert!(child.node.width() > 0);
                assert_eq!(child.count, child.node.count());
                assert_eq!(&child.first, child.node.first());
                assert_sound(&child.node)
            })
            .collect();
        assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "leaves at one depth");
        depths[0] + 1
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn behaves_as_an_ordered_map(operations in prop::collection::vec((any::<bool>(), 0u32..400), 1..1500), probe in 0u32..400) {
            let mut tree = Tree::new();
            let mut model = BTreeMap::new();
            let mut kept = Vec::new();
            for (step, (insert, number)) in operations.into_iter().enumerate() {
                let key = format!("k{number:03}");
                let revision = step as u64;
                if insert {
                    let replaced = tree.insert(entry(&key, revision)).map(|old| old.modified.0);
                    prop_assert_eq!(replaced, model.insert(key, revision));
                } else {
                    prop_assert_eq!(tree.remove(&key).map(|old| old.modified.0), model.remove(&key));
                }
                if step % 200 == 0 {
                    kept.push((tree.clone(), model.clone()));
                }
            }
            kept.push((tree, model));
            for (tree, model) in kept {
                assert_sound(&tree.root);
                prop_assert_eq!(tree.len(), model.len());
                let expected: Vec<(String, u64)> = model.clone().into_iter().collect();
                prop_assert_eq!(&contents(&tree), &expected);
                let key = format!("k{probe:03}");
                prop_assert_eq!(tree.get(&key).map(|entry| entry.modified.0), model.get(&key).copied());
                let found: Vec<_> = model.keys().map(|key| tree.find(key).expect("it is there")).collect();
                for (place, present) in found {
                    let mut changed = tree.clone();
                    let entry = Entry { modified: Revision(9999), ..present.clone() };
                    prop_assert_eq!(changed.replace(place, entry.clone()), Ok(present.clone()));
                    prop_assert_eq!(changed.get(&present.key), Some(&entry));
                    assert_sound(&changed.root);
                    // What was removed since is not there, whatever stands in its place.
                    changed.remove(&present.key);
                    prop_assert_eq!(changed.replace(place, entry.clone()), Err(entry));
                    prop_assert_eq!(changed.len(), tree.len() - 1);
                }
                let position = tree.partition_point(|other| other < key.as_str());
                prop_assert_eq!(position, model.range(..key.clone()).count());
                let tail: Vec<String> = tree.iter_from(position).map(|entry| entry.key.to_string()).collect();
                prop_assert_eq!(tail, model.range(key..).map(|(key, _)| key.clone()).collect::<Vec<_>>());
            }
        }
    }
}
