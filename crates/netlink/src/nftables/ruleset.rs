//! The wanted contents of one table.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Rule, Set};

/// Chains and sets by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Shared, so that comparing two versions passes over what was not touched.
    pub chains: BTreeMap<String, Arc<Chain>>,
    pub sets: BTreeMap<String, Set>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Where packets enter; a chain without is entered from rules only.
    pub hook: Option<Hook>,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    pub kind: ChainKind,
    pub point: HookPoint,
    /// Lower ones run first.
    pub priority: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    Filter,
    Nat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HookPoint {
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

impl Hook {
    pub const PRIORITY_RAW: i32 = -300;
    pub const PRIORITY_DESTINATION_NAT: i32 = -100;
    /// After destinations are translated: what still goes to a service is for nobody.
    pub const PRIORITY_AFTER_DESTINATION_NAT: i32 = -90;
    /// Before destinations are translated.
    pub const PRIORITY_BEFORE_DESTINATION_NAT: i32 = -110;
    pub const PRIORITY_FILTER: i32 = 0;
    pub const PRIORITY_SOURCE_NAT: i32 = 100;

    pub fn filter(point: HookPoint, priority: i32) -> Self {
        Hook { kind: ChainKind::Filter, point, priority }
    }

    pub fn nat(point: HookPoint, priority: i32) -> Self {
        Hook { kind: ChainKind::Nat, point, priority }
    }
}

impl Ruleset {
    pub fn base_chain(&mut self, name: &str, hook: Hook, rules: Vec<Rule>) {
        self.chains.insert(name.to_owned(), Arc::new(Chain { hook: Some(hook), rules }));
    }

    pub fn chain(&mut self, name: impl Into<String>, rules: Vec<Rule>) {
        self.chains.insert(name.into(), Arc::new(Chain { hook: None, rules }));
    }

    /// Whether the kernel can be led from one to the other by changing rules and elements, all
    /// chains and sets of the same name being of the same kind.
    pub(crate) fn same_shape(&self, other: &Ruleset) -> bool {
        let chains = self
            .chains
            .iter()
            .filter_map(|(name, chain)| Some((chain, other.chains.get(name)?)))
            .all(|(one, two)| one.hook == two.hook);
        let sets = self
            .sets
            .iter()
            .filter_map(|(name, set)| Some((set, other.sets.get(name)?)))
            .all(|(one, two)| one.same_shape(two));
        chains && sets
    }
}
