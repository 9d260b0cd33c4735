//! Rule sets in the kernel, read back with `nft` where it is installed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};
use netlink::nftables::{
    Data, Family, Field, Hook, HookPoint, Key, Monitor, Rejection, Rule, Ruleset, Set, Transaction, Transport, Type,
    Verdict,
};
use netlink::{Errno, Namespace, Protocol, Socket};

const SERVICE: [Type; 3] = [Type::Ipv4Address, Type::Protocol, Type::Port];

fn service(address: [u8; 4], port: u16) -> Key {
    Key::new().ipv4(Ipv4Addr::from(address)).transport(Transport::Tcp).port(port)
}

fn endpoint(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 244, 0, last], 8080))
}

fn example() -> Ruleset {
    let mut ruleset = Ruleset::default();
    let mut services = Set::verdict_map(SERVICE);
    services.elements.insert(service([10, 96, 0, 1], 443), Data::Verdict(Verdict::Goto("service/api".to_owned())));
    ruleset.sets.insert("service-ips".to_owned(), services);
    ruleset.sets.insert("affinity".to_owned(), Set::dynamic([Type::Ipv4Address], Duration::from_secs(10)));
    ruleset.chain(
        "service/api",
        vec![
            Rule::new()
                .family(Family::Ipv4)
                .is_in(&[Field::Ipv4Source], "affinity")
                .transport(Transport::Tcp)
                .redirect_to(&[endpoint(2)]),
            Rule::new().family(Family::Ipv4).remember_source(Family::Ipv4, "affinity", 10_000),
            Rule::new().transport(Transport::Tcp).redirect_to(&[endpoint(2), endpoint(3)]).comment("default/api"),
        ],
    );
    let fields = [Field::Ipv4Destination, Field::Transport, Field::DestinationPort];
    ruleset.base_chain(
        "prerouting",
        Hook::nat(HookPoint::Prerouting, Hook::PRIORITY_DESTINATION_NAT),
        vec![
            Rule::new().family(Family::Ipv4).verdict_of(&fields, "service-ips"),
            Rule::new().to_local_address().set_mark_bit(0x4000).count(),
        ],
    );
    let outside = IpAddr::from([10, 244, 0, 0]);
    ruleset.base_chain(
        "postrouting",
        Hook::nat(HookPoint::Postrouting, Hook::PRIORITY_SOURCE_NAT),
        vec![
            Rule::new().mark_has(0x4000).clear_mark_bit(0x4000).masquerade(),
            Rule::new().from(outside, 24).to_other_than(outside, 24).output_is_not("pintle0").masquerade(),
        ],
    );
    ruleset.base_chain(
        "forward",
        Hook::filter(HookPoint::Forward, Hook::PRIORITY_FILTER),
        vec![
            Rule::new().connection_is_new().transport(Transport::Tcp).reject(Rejection::TcpReset),
            Rule::new().connection_is_new().reject(Rejection::PortUnreachable),
            Rule::new().input_is_not("lo").to(IpAddr::from([127, 0, 0, 0]), 8).drop(),
        ],
    );
    ruleset
}

/// What `nft` says of the namespace's rules, or nothing where it is not installed.
fn listing(namespace: &Namespace) -> Option<String> {
    let output = namespace.run(|| Command::new("nft").args(["list", "ruleset"]).output()).unwrap();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap().replace('\t', "    "))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

fn check_listing(namespace: &Namespace, expected: Expect) {
    if let Some(listing) = listing(namespace) {
        expected.assert_eq(&listing);
    }
}

fn fresh() -> (Namespace, Socket) {
    let namespace = Namespace::unnamed().unwrap();
    let socket = namespace.socket(Protocol::Netfilter).unwrap();
    (namespace, socket)
}

#[test]
fn a_ruleset_reads_as_nft_would_have_written_it() {
    let (namespace, mut socket) = fresh();
    Transaction::replace("pintle", &example()).commit(&mut socket).unwrap();
    check_listing(
        &namespace,
        expect![[r#"
        table inet pintle {
            set affinity {
                type ipv4_addr
                size 65536
                flags dynamic,timeout
                timeout 10s
            }

            map service-ips {
                type ipv4_addr . inet_proto . inet_service : verdict
                elements = { 10.96.0.1 . tcp . 443 : goto service/api }
            }

            chain forward {
                type filter hook forward priority filter; policy accept;
                ct state new meta l4proto tcp reject with tcp reset
                ct state new reject
                iifname != "lo" ip daddr 127.0.0.0/8 drop
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                meta mark & 0x00004000 != 0x00000000 meta mark set meta mark & 0xffffbfff masquerade fully-random
                ip saddr 10.244.0.0/24 ip daddr != 10.244.0.0/24 oifname != "pintle0" masquerade fully-random
            }

            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                ip daddr . meta l4proto . th dport vmap @service-ips
                fib daddr type local meta mark set meta mark | 0x00004000 counter packets 0 bytes 0
            }

            chain service/api {
                ip saddr @affinity meta l4proto tcp dnat ip to 10.244.0.2:8080
                update @affinity { ip saddr timeout 10s }
                meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.2 . 8080, 1 : 10.244.0.3 . 8080 } comment "default/api"
            }
        }
    "#]],
    );
}

#[test]
fn a_change_leads_to_the_same_table_as_a_replacement() {
    let (namespace, mut socket) = fresh();
    let before = example();
    let mut after = before.clone();
    after.chains.remove("service/api");
    after.chain("service/web", vec![Rule::new().transport(Transport::Tcp).redirect_to(&[endpoint(4)])]);
    let services = after.sets.get_mut("service-ips").unwrap();
    services.elements.remove(&service([10, 96, 0, 1], 443));
    services.elements.insert(service([10, 96, 0, 9], 80), Data::Verdict(Verdict::Goto("service/web".to_owned())));
    after.sets.remove("affinity");
    after.sets.insert("sources".to_owned(), Set::new([Type::Ipv4Address]));

    Transaction::replace("pintle", &before).commit(&mut socket).unwrap();
    Transaction::change("pintle", &before, &after).unwrap().commit(&mut socket).unwrap();
    let changed = listing(&namespace);
    Transaction::replace("pintle", &after).commit(&mut socket).unwrap();
    let mut lines = [changed, listing(&namespace)].map(|listing| {
        let mut lines: Vec<String> = listing.unwrap_or_default().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    assert_eq!(lines[0], lines[1]);
    lines[0].retain(|line| line.contains("service/"));
    assert!(lines[0].iter().all(|line| !line.contains("service/api")));
    assert!(Transaction::change("pintle", &after, &after.clone()).is_none());

    Transaction::destroy("pintle").commit(&mut socket).unwrap();
    Transaction::destroy("pintle").commit(&mut socket).unwrap();
    check_listing(&namespace, expect![[""]]);
}

#[test]
fn a_refused_message_is_named_and_undoes_the_whole() {
    let (namespace, mut socket) = fresh();
    let mut ruleset = example();
    ruleset.chain("lost", vec![Rule::new().jump("nowhere")]);
    let error = Transaction::replace("pintle", &ruleset).commit(&mut socket).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT));
    assert_eq!(error.to_string(), "cannot add a rule to the firewall chain pintle lost");
    check_listing(&namespace, expect![[""]]);
}

#[test]
fn thousands_of_elements_pass_in_one_transaction() {
    let (namespace, mut socket) = fresh();
    let mut ruleset = Ruleset::default();
    let mut services = Set::verdict_map(SERVICE);
    for number in 0..5_000u16 {
        let [high, low] = number.to_be_bytes();
        let chain = format!("service/{number}");
        let targets: Vec<SocketAddr> =
            (1..=10).map(|last| SocketAddr::from(([10, 244, low, last], 1 + number))).collect();
        ruleset.chain(chain.clone(), vec![Rule::new().transport(Transport::Tcp).redirect_to(&targets)]);
        services.elements.insert(service([10, 96, high, low], 80), Data::Verdict(Verdict::Goto(chain)));
    }
    ruleset.sets.insert("service-ips".to_owned(), services);
    Transaction::replace("pintle", &ruleset).commit(&mut socket).unwrap();
    if let Some(listing) = listing(&namespace) {
        assert_eq!(listing.matches("dnat ip to numgen random mod 10 map").count(), 5_000);
        assert_eq!(listing.matches(": goto service/").count(), 5_000);
    }
}

#[test]
fn the_monitor_tells_a_removal_from_a_replacement() {
    let namespace = Namespace::unnamed().unwrap();
    let scenario = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let monitor = Monitor::open().unwrap();
            let mut socket = Socket::open(Protocol::Netfilter).unwrap();
            let mut commit = |transaction: Transaction| transaction.commit(&mut socket).unwrap();
            commit(Transaction::replace("pintle", &example()));
            commit(Transaction::replace("pintle", &example()));
            commit(Transaction::replace("other", &example()));
            commit(Transaction::destroy("other"));
            let mut removed = std::pin::pin!(monitor.removed("pintle"));
            // One pass hears all of that: the kernel has told it before it answered.
            tokio::select! {
                biased;
                result = &mut removed => panic!("{result:?}"),
                () = tokio::task::yield_now() => {}
            }
            commit(Transaction::destroy("pintle"));
            removed.await.unwrap();
        });
    };
    namespace.run(scenario).unwrap();
}
