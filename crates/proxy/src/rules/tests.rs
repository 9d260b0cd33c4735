use std::collections::BTreeSet;

use netlink::nftables::{Destination, Expression};
use proptest::prelude::*;

use super::*;
use crate::backends::Backends;

const LOAD_BALANCER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const CLUSTER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 7);

prop_compose! {
    fn any_port()(
        cluster in prop::collection::btree_set(2u8..9, 0..4),
        local in prop::collection::btree_set(2u8..9, 0..3),
        (node_port, balanced, guarded, sticky) in any::<(bool, bool, bool, bool)>(),
        (internal, external) in any::<(bool, bool)>(),
    ) -> ServicePort {
        let endpoint = |last: &u8| SocketAddr::from(([10, 244, 0, *last], 8080));
        let policy = |local| if local { Policy::Local } else { Policy::Cluster };
        // What serves on this node serves in the cluster.
        let cluster: BTreeSet<u8> = cluster.union(&local).copied().collect();
        ServicePort {
            name: "default/web/tcp/http".to_owned(),
            transport: Transport::Tcp,
            port: 80,
            cluster_address: CLUSTER,
            node_port: node_port.then_some(31001),
            external_addresses: Vec::new(),
            load_balancer_addresses: if balanced { vec![LOAD_BALANCER] } else { Vec::new() },
            source_ranges: if guarded { vec![(Ipv4Addr::new(198, 51, 100, 0), 24)] } else { Vec::new() },
            affinity: sticky.then_some(Duration::from_secs(10)),
            internal_policy: policy(internal),
            external_policy: policy(external),
            backends: Backends {
                cluster: cluster.iter().map(endpoint).collect(),
                local: local.iter().map(endpoint).collect(),
            },
        }
    }
}

/// The chains and sets that a rule names.
fn named(rule: &Rule) -> Vec<String> {
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Jump(chain) | Verdict::Goto(chain) => Some(chain.clone()),
        _ => None,
    };
    let of = |expression: &Expression| match expression {
        Expression::Verdict(reached) => verdict(reached).into_iter().collect(),
        Expression::Lookup { set, .. } | Expression::Remember { set, .. } => vec![set.clone()],
        Expression::LookupIn { set, into: Destination::Verdict, .. } => {
            let verdicts = set.elements.values().map(|data| match data {
                Data::Verdict(reached) => verdict(reached),
                _ => None,
            });
            verdicts.flatten().collect()
        }
        _ => Vec::new(),
    };
    rule.expressions().iter().flat_map(of).collect()
}

fn goes_to(ruleset: &Ruleset, set: &str, key: &Key) -> Option<String> {
    match ruleset.sets[set].elements.get(key)? {
        Data::Verdict(Verdict::Goto(chain)) => Some(chain.clone()),
        Data::Verdict(Verdict::Drop) => Some("drop".to_owned()),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn every_name_in_a_table_is_in_the_table(port in any_port()) {
        let ruleset = assemble([&fragment(&[port])]);
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for chain in ruleset.chains.values() {
            reached.extend(chain.rules.iter().flat_map(named));
        }
        for set in ruleset.sets.values() {
            reached.extend(set.elements.values().filter_map(|data| match data {
                Data::Verdict(Verdict::Goto(chain)) => Some(chain.clone()),
                _ => None,
            }));
        }
        for name in &reached {
            prop_assert!(ruleset.chains.contains_key(name) || ruleset.sets.contains_key(name), "{name}");
        }
        for (name, chain) in &ruleset.chains {
            prop_assert!(chain.hook.is_some() || reached.contains(name), "nothing leads to {name}");
            prop_assert!(!chain.rules.is_empty(), "{name} is empty");
        }
    }

    #[test]
    fn every_address_is_served_or_refused(port in any_port()) {
        let ruleset = assemble([&fragment(std::slice::from_ref(&port))]);
        let key = Key::new().ipv4(CLUSTER).transport(nftables::Transport::Tcp).port(80);
        let served = goes_to(&ruleset, SERVICE_ADDRESSES, &key);
        let refused = goes_to(&ruleset, REFUSED_ADDRESSES, &key);
        match port.fate(port.internal_policy) {
            Fate::Served(_) => prop_assert!(served.is_some() && refused.is_none()),
            Fate::Dropped => prop_assert_eq!((served, refused.as_deref()), (None, Some("drop"))),
            Fate::Rejected => prop_assert_eq!((served, refused.as_deref()), (None, Some(REJECT))),
        }
        let key = Key::new().transport(nftables::Transport::Tcp).port(31001);
        let served = goes_to(&ruleset, NODE_PORTS, &key);
        let refused = goes_to(&ruleset, REFUSED_NODE_PORTS, &key);
        match port.fate(port.external_policy) {
            _ if port.node_port.is_none() => prop_assert!(served.is_none() && refused.is_none()),
            Fate::Served(_) => prop_assert!(served.is_some() && refused.is_none()),
            // The node itself may still use endpoints elsewhere.
            Fate::Dropped => prop_assert!(served.is_some() && refused.as_deref() == Some("drop")),
            Fate::Rejected => prop_assert_eq!((served, refused.as_deref()), (None, Some(REJECT))),
        }
    }
}

#[test]
fn the_first_of_two_that_claim_an_address_has_it() {
    let port = |name: &str, endpoint: &str| ServicePort {
        name: name.to_owned(),
        transport: Transport::Udp,
        port: 53,
        cluster_address: CLUSTER,
        node_port: None,
        external_addresses: Vec::new(),
        load_balancer_addresses: Vec::new(),
        source_ranges: Vec::new(),
        affinity: None,
        internal_policy: Policy::Cluster,
        external_policy: Policy::Cluster,
        backends: Backends { cluster: vec![endpoint.parse().unwrap()], local: Vec::new() },
    };
    let (one, two) = (fragment(&[port("a", "10.0.0.1:1")]), fragment(&[port("b", "10.0.0.2:1")]));
    let key = Key::new().ipv4(CLUSTER).transport(nftables::Transport::Udp).port(53);
    assert_eq!(goes_to(&assemble([&one, &two]), SERVICE_ADDRESSES, &key).as_deref(), Some("service/a"));
}
