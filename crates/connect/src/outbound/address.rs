//! Which addresses are the public Internet's, and which are somebody's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(first: u16, second: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), bits)
}

/// What is not globally reachable by the IANA IPv4 Special-Purpose Address Registry, and what a
/// cloud provider answers on from inside.
const OWN_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Link-local, the metadata services of most clouds among it.
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // Azure's platform, reached from inside its machines under a public address.
    v4(168, 63, 129, 16, 32),
    v4(255, 255, 255, 255, 32),
];

/// All that is assigned for global use today.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// What of it is special nevertheless: protocol assignments with Teredo and ORCHID, documentation,
/// 6to4 (which carries any IPv4 address inside).
const OWN_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

/// The well-known prefix of NAT64 (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

/// The address that is meant: the IPv4 address inside an IPv4-mapped one or one of NAT64.
pub(super) fn meant(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical => canonical,
    }
}

/// Whether an address is one of the public Internet.
pub(super) fn public(ip: IpAddr) -> bool {
    match meant(ip) {
        IpAddr::V4(v4) => !OWN_V4.iter().any(|own| own.contains(&v4)),
        IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !OWN_V6.iter().any(|own| own.contains(&v6)),
    }
}
