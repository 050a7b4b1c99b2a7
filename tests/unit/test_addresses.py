"""Which addresses the server may be sent to."""

from ipaddress import ip_address, ip_network

import pytest

from chatd.web.addresses import is_public

# The registries' blocks and others that lead to no host of the public Internet.
REFUSED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32"),
    *("::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
    *("100::/64", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001::/23", "2001:db8::/32"),
    *("2002::/16", "2620:4f:8000::/48", "3fff::/20", "4000::/3", "5f00::/16", "fc00::/7", "fd00::/8", "fe80::/10"),
    *("fec0::/10", "ff00::/8"),
)


@pytest.mark.parametrize("block", REFUSED)
def test_all_of_a_block_is_refused(block: str) -> None:
    network = ip_network(block)
    size = network.num_addresses
    assert not any(is_public(str(network[at])) for at in {0, 1 % size, size // 2, size - 1})


@pytest.mark.parametrize(
    "address",
    [
        # The neighbours of the blocks, on either side.
        *("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
        *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0"),
        *("192.0.3.0", "192.31.195.255", "192.52.194.0", "192.88.98.255", "192.88.100.0", "192.167.255.255"),
        *("192.169.0.0", "192.175.49.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0"),
        *("203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8"),
        *(
            "2000::",
            "2001:200::",
            "2001:db7:ffff::1",
            "2001:db9::",
            "2001:4860:4860::8888",
            "2003::",
            "2620:4f:7fff::1",
        ),
        *("2003::", "2620:4f:7fff::1", "2620:4f:8001::", "2a00:1450::1", "3ffe:ffff::", "3fff:1000::", "3fff:ffff::"),
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)
    assert is_public(ip_address(address).exploded)


@pytest.mark.parametrize("private", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1"])
@pytest.mark.parametrize(
    "form", ["::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "fe80::5efe:{}", "fd00::{}"]
)
def test_an_ipv4_address_inside_of_an_ipv6_one(form: str, private: str) -> None:
    assert not is_public(form.format(private))
    assert not is_public(form.format("8.8.8.8"))


def test_6to4_of_a_private_address() -> None:
    assert not is_public("2002:7f00:1::1")


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "017700000001", "1.2.3.4.5", "[::1]", "2a00::1%1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert not is_public(text)
