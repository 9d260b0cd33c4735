//! Which of a plugin's devices a container gets. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::managers::hints::{Hint, NumaSet, Wish};

/// A device's NUMA nodes by its id; none where its place does not matter.
pub(crate) type Places = BTreeMap<String, Option<NumaSet>>;

/// What there is of one resource when a container asks for some.
#[derive(Debug)]
pub(crate) struct Supply {
    pub(crate) resource: String,
    /// All devices, whoever has them.
    pub(crate) all: Places,
    /// Healthy and nobody's.
    pub(crate) free: BTreeSet<String>,
    /// Of init containers of the pod that have run to their end.
    pub(crate) reusable: BTreeSet<String>,
}

/// The devices from which to choose, best first, and those that are given in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidates {
    pub(crate) given: Vec<String>,
    /// Enough of them, in the order in which they are taken where the plugin prefers none.
    pub(crate) others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requested number of devices unavailable for {resource}. Requested: {requested}, Available: {available}")]
pub(crate) struct Unavailable {
    pub(crate) resource: String,
    pub(crate) requested: usize,
    pub(crate) available: usize,
}

impl Supply {
    /// Where `count` devices could be had.
    pub(crate) fn wish(&self, machine: NumaSet, count: usize) -> Wish {
        if self.all.values().all(Option::is_none) {
            return Wish::Anywhere;
        }
        if self.free.union(&self.reusable).count() < count {
            return Wish::OneOf(Vec::new());
        }
        let lies_in = |id: &String, nodes: NumaSet| {
            let place = self.all.get(id).copied().flatten();
            place.is_some_and(|place| place.and(nodes).count() > 0)
        };
        let (mut found, mut fewest) = (Vec::new(), machine.count());
        for nodes in machine.subsets() {
            if self.all.keys().filter(|id| lies_in(id, nodes)).count() >= count {
                fewest = fewest.min(nodes.count());
            }
            let usable = self.free.union(&self.reusable).filter(|id| lies_in(id, nodes)).count();
            if usable >= count && self.reusable.iter().all(|id| lies_in(id, nodes)) {
                found.push(nodes);
            }
        }
        found.sort_unstable();
        Wish::OneOf(found.into_iter().map(|nodes| Hint::new(nodes, nodes.count() == fewest)).collect())
    }

    /// Those near the hinted nodes only, where they are enough; else all, the near ones first.
    pub(crate) fn candidates(&self, count: usize, hint: Hint) -> Result<Candidates, Unavailable> {
        let given: Vec<String> = self.reusable.iter().take(count).cloned().collect();
        let needed = count - given.len();
        let free: Vec<&String> = self.free.difference(&self.reusable).collect();
        if free.len() < needed {
            return Err(Unavailable { resource: self.resource.clone(), requested: needed, available: free.len() });
        }
        let distance = |id: &&String| match (hint.nodes, self.all.get(*id).copied().flatten()) {
            (Some(nodes), Some(place)) if place.and(nodes).count() > 0 => 0,
            (Some(_), Some(_)) => 1,
            _ => 2,
        };
        let mut others: Vec<&String> = free.clone();
        others.sort_by_key(|id| (distance(id), *id));
        let near = others.iter().filter(|id| distance(id) == 0).count();
        if hint.nodes.is_some() && near >= needed {
            others.truncate(near);
        }
        Ok(Candidates { given, others: others.into_iter().cloned().collect() })
    }
}

impl Candidates {
    /// What is taken: what is given, what the plugin prefers, and the best of the others.
    pub(crate) fn settle(self, count: usize, preferred: &[String]) -> BTreeSet<String> {
        let allowed = |id: &&String| self.others.contains(id);
        let mut chosen: BTreeSet<String> = self.given.iter().cloned().collect();
        for id in preferred.iter().filter(allowed).chain(&self.others) {
            if chosen.len() >= count {
                break;
            }
            chosen.insert(id.clone());
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nodes: &[usize]) -> NumaSet {
        nodes.iter().copied().collect()
    }

    fn ids(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn supply(free: &[&str], reusable: &[&str]) -> Supply {
        let places = [("a0", Some(0)), ("b0", Some(0)), ("c1", Some(1)), ("d1", Some(1)), ("e", None)];
        let all = places.into_iter().map(|(id, node)| (id.to_owned(), node.map(|node| set(&[node])))).collect();
        Supply { resource: "example.com/x".to_owned(), all, free: ids(free), reusable: ids(reusable) }
    }

    const ANYWHERE: Hint = Hint { nodes: None, is_preferred: true };
    const ALL: [&str; 5] = ["a0", "b0", "c1", "d1", "e"];

    #[test]
    fn wishes_name_the_nodes_that_have_enough() {
        let hint = |nodes: &[usize], preferred| Hint::new(set(nodes), preferred);
        let machine = set(&[0, 1]);
        let two = Wish::OneOf(vec![hint(&[0], true), hint(&[1], true), hint(&[0, 1], false)]);
        assert_eq!(supply(&ALL, &[]).wish(machine, 2), two);
        assert_eq!(
            supply(&["a0", "c1", "d1"], &[]).wish(machine, 2),
            Wish::OneOf(vec![hint(&[1], true), hint(&[0, 1], false)])
        );
        assert_eq!(supply(&ALL, &[]).wish(machine, 4), Wish::OneOf(vec![hint(&[0, 1], true)]));
        assert_eq!(supply(&["a0"], &[]).wish(machine, 2), Wish::OneOf(vec![]));
        assert_eq!(
            supply(&["b0", "c1", "d1"], &["a0"]).wish(machine, 2),
            Wish::OneOf(vec![hint(&[0], true), hint(&[0, 1], false)]),
            "what is used again stays where it is"
        );
        let mut placeless = supply(&["e"], &[]);
        placeless.all.retain(|id, _| id == "e");
        assert_eq!(placeless.wish(machine, 1), Wish::Anywhere);
    }

    #[test]
    fn near_devices_go_first_and_the_plugin_chooses_among_them() {
        let near = Hint::new(set(&[1]), true);
        let chosen = |supply: Supply, count, hint, preferred: &[&str]| {
            let preferred: Vec<String> = preferred.iter().map(|id| (*id).to_owned()).collect();
            supply.candidates(count, hint).map(|candidates| candidates.settle(count, &preferred))
        };
        assert_eq!(chosen(supply(&ALL, &[]), 2, ANYWHERE, &[]), Ok(ids(&["a0", "b0"])));
        assert_eq!(chosen(supply(&ALL, &[]), 2, ANYWHERE, &["e", "c1", "a0"]), Ok(ids(&["e", "c1"])));
        assert_eq!(chosen(supply(&ALL, &[]), 1, near, &[]), Ok(ids(&["c1"])));
        assert_eq!(chosen(supply(&ALL, &[]), 1, near, &["a0", "d1"]), Ok(ids(&["d1"])), "but only of the near ones");
        assert_eq!(chosen(supply(&ALL, &[]), 3, near, &[]), Ok(ids(&["c1", "d1", "a0"])));
        assert_eq!(chosen(supply(&["b0"], &["a0"]), 2, ANYWHERE, &[]), Ok(ids(&["a0", "b0"])));
        let error = chosen(supply(&["b0"], &[]), 2, ANYWHERE, &[]).unwrap_err().to_string();
        assert_eq!(error, "requested number of devices unavailable for example.com/x. Requested: 2, Available: 1");
    }
}
