//! Links, addresses and routes in namespaces that only the test sees.

use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};

use netlink::address::LinkAddress;
use netlink::link::{self, VethPair};
use netlink::{Errno, Namespace, Protocol, Socket, address, route, sysctl};

const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const POD: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));

#[test]
fn two_namespaces_talk_over_a_veth_pair() {
    let (host, pod) = (Namespace::unnamed().unwrap(), Namespace::unnamed().unwrap());
    let mut socket = host.socket(Protocol::Route).unwrap();
    socket.execute(&[link::add_bridge("br0", [2, 0, 0, 0, 0, 1])]).unwrap();
    let bridge = link::find(&mut socket, "br0").unwrap().unwrap();
    let gateway = LinkAddress { link_index: bridge.index, address: GATEWAY, prefix_length: 24 };
    let pair = VethPair {
        name: "pv0",
        bridge_index: bridge.index,
        mtu: 1400,
        peer_name: "eth0",
        peer_address: [2, 0, 0, 0, 0, 2],
        peer_namespace: &pod,
    };
    socket
        .execute(&[link::set_up(bridge.index), address::add(&gateway), link::add_veth(&pair), link::set_hairpin("pv0")])
        .unwrap();
    // What is there already is no error where that is harmless, and one where it is not.
    socket.execute(&[link::add_bridge("br0", [2, 0, 0, 0, 0, 1]), address::add(&gateway)]).unwrap();
    assert_eq!(socket.execute(&[link::add_veth(&pair)]).unwrap_err().errno(), Some(Errno::EEXIST));
    let port = link::find(&mut socket, "pv0").unwrap().unwrap();
    assert_eq!((port.mtu, port.controller), (1400, Some(bridge.index)));

    let mut inside = pod.socket(Protocol::Route).unwrap();
    let eth0 = link::find(&mut inside, "eth0").unwrap().unwrap();
    inside
        .execute(&[
            link::set_up(eth0.index),
            address::add(&LinkAddress { link_index: eth0.index, address: POD, prefix_length: 32 }),
            route::add_host(GATEWAY, eth0.index),
            route::add_default(GATEWAY, eth0.index),
        ])
        .unwrap();
    assert_eq!(route::default_links(&mut inside).unwrap(), [eth0.index]);
    let listener = pod.run(|| TcpListener::bind((POD, 80))).unwrap().unwrap();
    let stream = host.run(|| TcpStream::connect((POD, 80))).unwrap().unwrap();
    assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
    assert_eq!(stream.local_addr().unwrap().ip(), GATEWAY);

    socket.execute(&[link::delete("pv0"), link::delete("pv0"), address::delete(&gateway)]).unwrap();
    assert_eq!(link::find(&mut inside, "eth0").unwrap(), None);
    assert!(address::list(&mut socket).unwrap().iter().all(|found| found.address != GATEWAY));
}

#[test]
fn a_group_of_links_goes_at_once() {
    const GROUP: u32 = 77;
    let (host, pod) = (Namespace::unnamed().unwrap(), Namespace::unnamed().unwrap());
    let mut socket = host.socket(Protocol::Route).unwrap();
    socket.execute(&[link::add_bridge("br0", [2, 0, 0, 0, 0, 1])]).unwrap();
    let bridge = link::find(&mut socket, "br0").unwrap().unwrap();
    for (name, peer_name) in [("pv0", "eth0"), ("pv1", "eth1"), ("pv2", "eth2")] {
        let peer_address = [2, 0, 0, 0, 0, 2];
        let pair =
            VethPair { name, bridge_index: bridge.index, mtu: 1400, peer_name, peer_address, peer_namespace: &pod };
        socket.execute(&[link::add_veth(&pair)]).unwrap();
    }
    socket.execute(&["pv0", "pv2", "missing"].map(|name| link::set_group(name, GROUP))).unwrap();
    socket.execute(&[link::delete_group(GROUP), link::delete_group(GROUP)]).unwrap();
    let left = |socket: &mut Socket, prefix: &str| {
        let names = link::list(socket).unwrap().into_iter().map(|link| link.name);
        names.filter(|name| name.starts_with(prefix)).collect::<Vec<_>>()
    };
    assert_eq!(left(&mut socket, "pv"), ["pv1"]);
    assert_eq!(left(&mut pod.socket(Protocol::Route).unwrap(), "eth"), ["eth1"]);
    // What cannot be deleted keeps the whole group.
    socket.execute(&["lo", "pv1"].map(|name| link::set_group(name, GROUP))).unwrap();
    assert_eq!(socket.execute(&[link::delete_group(GROUP)]).unwrap_err().errno(), Some(Errno::EOPNOTSUPP));
    assert_eq!(left(&mut socket, "pv"), ["pv1"]);
}

#[test]
fn settings_are_those_of_the_namespace() {
    let namespace = Namespace::unnamed().unwrap();
    let read = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    let outside = read();
    namespace.run(|| sysctl::set("net/ipv4/ip_unprivileged_port_start", "77")).unwrap().unwrap();
    assert_eq!(namespace.run(read).unwrap().trim(), "77");
    assert_eq!(read(), outside);
    let error = namespace.run(|| sysctl::set("net/ipv4/no_such_setting", "1")).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "cannot set /proc/sys/net/ipv4/no_such_setting");
}
