//! What this machine is called and where it is reached.

use std::net::{IpAddr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// The node's name: the host name, lower-cased, as the kubelet does it.
pub fn name() -> std::io::Result<String> {
    let name = nix::unistd::gethostname()?.to_string_lossy().trim().to_lowercase();
    if name.is_empty() { Err(std::io::Error::other("the machine has no host name")) } else { Ok(name) }
}

/// The address other machines reach this one by: the source address of the default route, else the first
/// global address of a link that is up. `None` on a machine without any network.
pub fn address() -> Option<IpAddr> {
    default_route_source().or_else(first_global_address)
}

fn default_route_source() -> Option<IpAddr> {
    // Connecting a datagram socket sends nothing; it only asks the kernel for a route to an address
    // that is documentation's (RFC 5737) and so takes the default one.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("203.0.113.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

fn first_global_address() -> Option<IpAddr> {
    let up = InterfaceFlags::IFF_UP;
    getifaddrs().ok()?.find_map(|link| {
        if !link.flags.contains(up) || link.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            return None;
        }
        let address = link.address?.as_sockaddr_in()?.ip();
        (!address.is_link_local()).then_some(IpAddr::V4(address))
    })
}
