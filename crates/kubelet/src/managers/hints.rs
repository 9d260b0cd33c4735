//! The topology manager: it makes of what each kind of resource would like one set of NUMA nodes.

use serde::{Deserialize, Serialize};

/// As many NUMA nodes as upstream's topology manager takes.
pub(crate) const MAXIMUM_NUMA_NODES: usize = 8;

/// A set of NUMA nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumaSet(u64);

impl NumaSet {
    pub(crate) fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub(crate) fn contains(self, node: usize) -> bool {
        node < 64 && self.0 & (1 << node) != 0
    }

    pub(crate) fn and(self, other: NumaSet) -> NumaSet {
        NumaSet(self.0 & other.0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |node| self.contains(*node))
    }

    /// Every set of some of these nodes that has a member.
    pub(crate) fn subsets(self) -> impl Iterator<Item = NumaSet> {
        let mut next = self.0;
        std::iter::from_fn(move || {
            let current = next;
            next = next.wrapping_sub(1) & self.0;
            (current != 0).then_some(NumaSet(current))
        })
    }

    /// Of fewer nodes, or of as many that are numbered lower.
    fn is_narrower_than(self, other: NumaSet) -> bool {
        (self.count(), self.0) < (other.count(), other.0)
    }
}

impl FromIterator<usize> for NumaSet {
    fn from_iter<I: IntoIterator<Item = usize>>(nodes: I) -> Self {
        NumaSet(nodes.into_iter().filter(|node| *node < 64).fold(0, |bits, node| bits | 1 << node))
    }
}

/// Where something could be had; `nodes` is absent where it does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) nodes: Option<NumaSet>,
    pub(crate) is_preferred: bool,
}

impl Hint {
    pub(crate) fn new(nodes: NumaSet, is_preferred: bool) -> Hint {
        Hint { nodes: Some(nodes), is_preferred }
    }
}

/// What one resource of one container asks for: any place will do, or one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Anywhere,
    OneOf(Vec<Hint>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Policy {
    #[default]
    #[serde(rename = "none")]
    None,
    #[serde(rename = "best-effort")]
    BestEffort,
    #[serde(rename = "restricted")]
    Restricted,
    #[serde(rename = "single-numa-node")]
    SingleNumaNode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    #[default]
    Container,
    Pod,
}

/// The best place for all of it; `None` where the policy does not allow it.
pub(crate) fn align(policy: Policy, all: NumaSet, wishes: &[Wish]) -> Option<Hint> {
    match policy {
        Policy::None => Some(Hint { nodes: None, is_preferred: false }),
        Policy::BestEffort => Some(merge(all, &lists(wishes))),
        Policy::Restricted => Some(merge(all, &lists(wishes))).filter(|hint| hint.is_preferred),
        Policy::SingleNumaNode => {
            let mut lists = lists(wishes);
            for hints in &mut lists {
                hints.retain(|hint| match hint.nodes {
                    None => hint.is_preferred,
                    Some(nodes) => nodes.count() == 1 && hint.is_preferred,
                });
            }
            let best = merge(all, &lists);
            let best = if best.nodes == Some(all) { Hint { nodes: None, ..best } } else { best };
            Some(best).filter(|hint| hint.is_preferred)
        }
    }
}

fn lists(wishes: &[Wish]) -> Vec<Vec<Hint>> {
    let list = |wish: &Wish| match wish {
        Wish::Anywhere => vec![Hint { nodes: None, is_preferred: true }],
        // It cannot be had at all: no place is preferred.
        Wish::OneOf(hints) if hints.is_empty() => vec![Hint { nodes: None, is_preferred: false }],
        Wish::OneOf(hints) => hints.clone(),
    };
    wishes.iter().map(list).collect()
}

/// Tries every choice of one hint of each list.
fn merge(all: NumaSet, lists: &[Vec<Hint>]) -> Hint {
    let fewest = |hints: &Vec<Hint>| hints.iter().filter_map(|hint| Some(hint.nodes?.count())).min().unwrap_or(0);
    let widest_need = lists.iter().map(fewest).max().unwrap_or(0);
    let mut best: Option<Hint> = None;
    let mut chosen = vec![0; lists.len()];
    if lists.iter().any(Vec::is_empty) {
        return Hint::new(all, false);
    }
    loop {
        let choice = lists.iter().zip(&chosen).map(|(hints, index)| hints[*index]);
        let candidate = combine(all, choice);
        if candidate.nodes.is_some_and(|nodes| nodes.count() > 0) {
            best = Some(best.map_or(candidate, |best| better(widest_need, best, candidate)));
        }
        // The next choice, counted like a number with a digit for each list.
        let Some(digit) = (0..lists.len()).rev().find(|digit| chosen[*digit] + 1 < lists[*digit].len()) else { break };
        chosen[digit] += 1;
        chosen[digit + 1..].fill(0);
    }
    best.unwrap_or(Hint::new(all, false))
}

fn combine(all: NumaSet, choice: impl Iterator<Item = Hint>) -> Hint {
    let (mut nodes, mut first, mut is_preferred) = (all, None, true);
    for hint in choice {
        is_preferred &= hint.is_preferred;
        if let Some(own) = hint.nodes {
            is_preferred &= *first.get_or_insert(own) == own;
            nodes = nodes.and(own);
        }
    }
    Hint::new(nodes, is_preferred)
}

/// Upstream's order: preferred before not, then narrower, but among the not preferred rather as wide as the need.
fn better(widest_need: u32, best: Hint, candidate: Hint) -> Hint {
    let (Some(old), Some(new)) = (best.nodes, candidate.nodes) else { return best };
    let narrower = if new.is_narrower_than(old) { candidate } else { best };
    match (best.is_preferred, candidate.is_preferred) {
        (false, true) => return candidate,
        (true, false) => return best,
        (true, true) => return narrower,
        (false, false) => {}
    }
    if old.count() > widest_need {
        return narrower;
    }
    if old.count() == widest_need {
        return if new.count() == widest_need { narrower } else { best };
    }
    match new.count() {
        count if count > widest_need => best,
        count if count > old.count() => candidate,
        count if count < old.count() => best,
        _ => narrower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nodes: &[usize]) -> NumaSet {
        nodes.iter().copied().collect()
    }

    fn hint(nodes: &[usize], is_preferred: bool) -> Hint {
        Hint::new(set(nodes), is_preferred)
    }

    fn one_of(hints: &[(&[usize], bool)]) -> Wish {
        Wish::OneOf(hints.iter().map(|(nodes, preferred)| hint(nodes, *preferred)).collect())
    }

    #[test]
    fn subsets_are_all_and_none_twice() {
        let mut subsets: Vec<NumaSet> = set(&[0, 2]).subsets().collect();
        subsets.sort();
        assert_eq!(subsets, [set(&[0]), set(&[2]), set(&[0, 2])]);
        assert_eq!(NumaSet::default().subsets().count(), 0);
    }

    /// A name, what is asked, and the outcome of best-effort, restricted and single-numa-node.
    type Case = (&'static str, Vec<Wish>, [Option<Hint>; 3]);

    /// Two NUMA nodes; the cases of upstream's own table of merges.
    #[test]
    fn policies_decide_on_two_nodes_as_upstream() {
        let all = set(&[0, 1]);
        let both_ways: &[(&[usize], bool)] = &[(&[0], true), (&[1], true), (&[0, 1], false)];
        let cases: &[Case] = &[
            ("nothing is asked", vec![], [Some(hint(&[0, 1], true)), Some(hint(&[0, 1], true)), None]),
            (
                "both fit on either",
                vec![one_of(both_ways), one_of(both_ways)],
                [Some(hint(&[0], true)), Some(hint(&[0], true)), Some(hint(&[0], true))],
            ),
            (
                "one knows its place",
                vec![one_of(both_ways), one_of(&[(&[1], true), (&[0, 1], false)])],
                [Some(hint(&[1], true)), Some(hint(&[1], true)), Some(hint(&[1], true))],
            ),
            (
                "one does not care",
                vec![Wish::Anywhere, one_of(&[(&[1], true)])],
                [Some(hint(&[1], true)), Some(hint(&[1], true)), Some(hint(&[1], true))],
            ),
            (
                "they want different places",
                vec![one_of(&[(&[0], true), (&[0, 1], false)]), one_of(&[(&[1], true), (&[0, 1], false)])],
                [Some(hint(&[0], false)), None, None],
            ),
            (
                "it is wider than a node",
                vec![one_of(&[(&[0, 1], true)])],
                [Some(hint(&[0, 1], true)), Some(hint(&[0, 1], true)), None],
            ),
            ("free in pieces only", vec![one_of(&[(&[0, 1], false)])], [Some(hint(&[0, 1], false)), None, None]),
            ("it cannot be had", vec![Wish::OneOf(Vec::new())], [Some(hint(&[0, 1], false)), None, None]),
        ];
        for (what, wishes, expected) in cases {
            let policies = [Policy::BestEffort, Policy::Restricted, Policy::SingleNumaNode];
            for (policy, expected) in policies.into_iter().zip(expected) {
                // A single node that nobody needs is the whole machine.
                let expected = if what == &"nothing is asked" && policy == Policy::SingleNumaNode {
                    &Some(Hint { nodes: None, is_preferred: true })
                } else {
                    expected
                };
                assert_eq!(align(policy, all, wishes), *expected, "{what}, {policy:?}");
            }
            assert_eq!(align(Policy::None, all, wishes).unwrap().nodes, None);
        }
    }

    #[test]
    fn what_cannot_be_preferred_is_as_wide_as_it_must_be() {
        // Four nodes; one of the two resources needs two of them.
        let all = set(&[0, 1, 2, 3]);
        let wide = one_of(&[(&[0, 1], false), (&[2, 3], false), (&[0, 1, 2, 3], false)]);
        let narrow = one_of(&[(&[2], false), (&[0, 1, 2, 3], false)]);
        assert_eq!(align(Policy::BestEffort, all, &[wide, narrow]), Some(hint(&[0, 1], false)));
    }
}
