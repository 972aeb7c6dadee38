//! Which addresses belong to the public internet.
//!
//! The tables follow the IANA special-purpose registries,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry> (RFC 6890, RFC 8190), and the IPv6 address space registry.
//! For IPv4 the exceptions are listed. For IPv6 only what is inside `2000::/3`, the one block from which global unicast
//! addresses are assigned (RFC 4291, section 2.4), can be public at all, so a block that is reserved today and gets a
//! meaning tomorrow is refused without a change here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public: what the range is for, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub what: &'static str,
    pub source: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32, what: &'static str, source: &'static str) -> (u32, u32, Range) {
    (u32::from_be_bytes([a, b, c, d]), prefix, Range { what, source })
}

const V4: &[(u32, u32, Range)] = &[
    v4(0, 0, 0, 0, 8, "an address of \"this network\"", "RFC 791"),
    v4(10, 0, 0, 0, 8, "a private address", "RFC 1918"),
    v4(100, 64, 0, 0, 10, "a shared address of carrier-grade NAT", "RFC 6598"),
    v4(127, 0, 0, 0, 8, "a loopback address", "RFC 1122"),
    v4(
        168,
        63,
        129,
        16,
        32,
        "the platform address of Azure machines",
        "Azure documentation, \"What is IP address 168.63.129.16\"",
    ),
    v4(169, 254, 0, 0, 16, "a link-local address", "RFC 3927"),
    v4(172, 16, 0, 0, 12, "a private address", "RFC 1918"),
    v4(192, 0, 0, 0, 24, "an address for protocol assignments", "RFC 6890"),
    v4(192, 0, 2, 0, 24, "a documentation address", "RFC 5737"),
    v4(192, 88, 99, 0, 24, "a former 6to4 relay address", "RFC 7526"),
    v4(192, 168, 0, 0, 16, "a private address", "RFC 1918"),
    v4(198, 18, 0, 0, 15, "a benchmarking address", "RFC 2544"),
    v4(198, 51, 100, 0, 24, "a documentation address", "RFC 5737"),
    v4(203, 0, 113, 0, 24, "a documentation address", "RFC 5737"),
    v4(224, 0, 0, 0, 4, "a multicast address", "RFC 1112"),
    v4(255, 255, 255, 255, 32, "the broadcast address", "RFC 919"),
    v4(240, 0, 0, 0, 4, "a reserved address", "RFC 1112"),
];

const fn v6(high: [u16; 4], prefix: u32, what: &'static str, source: &'static str) -> (u128, u32, Range) {
    let [a, b, c, d] = high;
    (Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_bits(), prefix, Range { what, source })
}

/// Blocks that are refused as a whole. The first match gives the words.
const V6: &[(u128, u32, Range)] = &[
    (0, 128, Range { what: "the unspecified address", source: "RFC 4291" }),
    (1, 128, Range { what: "the loopback address", source: "RFC 4291" }),
    v6([0x64, 0xff9b, 1, 0], 48, "an address of a local NAT64", "RFC 8215"),
    v6([0x100, 0, 0, 0], 64, "a discard-only address", "RFC 6666"),
    // Teredo, benchmarking, ORCHID and others; the few that are reachable are anycast services nobody calls by HTTP.
    v6([0x2001, 0, 0, 0], 23, "an address for protocol assignments", "RFC 2928"),
    v6([0x2001, 0xdb8, 0, 0], 32, "a documentation address", "RFC 3849"),
    v6([0x3fff, 0, 0, 0], 20, "a documentation address", "RFC 9637"),
    v6([0xfc00, 0, 0, 0], 7, "a unique local address", "RFC 4193"),
    v6([0xfe80, 0, 0, 0], 10, "a link-local address", "RFC 4291"),
    v6([0xfec0, 0, 0, 0], 10, "a site-local address", "RFC 3879"),
    v6([0xff00, 0, 0, 0], 8, "a multicast address", "RFC 4291"),
];

const NOT_GLOBAL: Range = Range { what: "an address outside the global unicast block 2000::/3", source: "RFC 4291" };

/// `None` for a public address, else the range that says why not. An IPv6 address that carries an IPv4 address is
/// judged by what it carries, because that is where its packets go.
pub fn special(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => match carried_v4(address) {
            Some(inner) => special_v4(inner),
            None => special_v6(address),
        },
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Range> {
    let bits = address.to_bits();
    V4.iter().find(|(base, prefix, _)| (bits ^ base).leading_zeros() >= *prefix).map(|(_, _, range)| *range)
}

fn special_v6(address: Ipv6Addr) -> Option<Range> {
    let bits = address.to_bits();
    let listed = V6.iter().find(|(base, prefix, _)| (bits ^ base).leading_zeros() >= *prefix).map(|(_, _, range)| *range);
    listed.or((bits >> 125 != 0b001).then_some(NOT_GLOBAL))
}

/// The IPv4 address inside an IPv4-mapped (`::ffff:0:0/96`, RFC 4291), NAT64 (`64:ff9b::/96`, RFC 6052) or 6to4
/// (`2002::/16`, RFC 3056) address. IPv4-compatible (`::/96`) and IPv4-translated (`::ffff:0:0:0/96`) ones lead nowhere
/// today: they are outside `2000::/3` and so refused whatever they carry. Teredo is refused with its block.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let inner = |high: u16, low: u16| Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inner(high, low),
        _ => None,
    }
}
