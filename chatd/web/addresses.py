"""Which addresses may be fetched from on a user's word: those of the public Internet, and no others.

A link is a way to make the server ask its own network (SSRF). So IPv4 has everything refused that the registry of
special-purpose addresses sets apart, and of IPv6 only global unicast is left, without what stands for an IPv4 address
or for a place that is no host's. Registries: iana.org, "IANA IPv4 Special-Purpose Address Registry" and
"IANA IPv6 Special-Purpose Address Registry".
"""

from ipaddress import IPv4Network, IPv6Network, ip_address

_SPECIAL_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # "this network"; Linux takes 0.0.0.0 for this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared behind carriers' NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, where clouds keep credentials
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112, answered by whoever is near
            "192.52.193.0/24",  # multicast relays (AMT)
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)

# Outside of it: loopback, IPv4-mapped and -compatible, NAT64, discard, unique local, link-local, multicast.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, AMT
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether this is a host's address on the public Internet. What is no address at all is not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if parsed.version == 4:
        return not any(parsed in network for network in _SPECIAL_IPV4)
    # 2001:db8::1%eth0 names an interface; no public address needs that.
    if parsed.scope_id is not None:
        return False
    return parsed in _GLOBAL_IPV6 and not any(parsed in network for network in _SPECIAL_IPV6)
