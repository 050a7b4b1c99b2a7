from ipaddress import ip_network

import pytest

from chatd.live.admission import OPEN, RATE, TOTAL, WINDOW_S, Admission, Bounds


def enter(admission: Admission, *addresses: str, now_s: float = 0.0) -> list[bool]:
    return [admission.enter(address, now_s) for address in addresses]


def test_one_address_has_so_many_and_others_have_theirs() -> None:
    admission = Admission(Bounds(per_address=2))
    assert enter(admission, "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2") == [True, True, False, True]
    assert (admission.open, admission.refused) == (3, {OPEN: 1})
    admission.leave("10.0.0.1")
    assert enter(admission, "10.0.0.1") == [True]


def test_an_ipv6_network_is_one_address() -> None:
    admission = Admission(Bounds(per_address=1))
    assert enter(admission, "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1") == [True, False, True]
    admission.leave("2001:db8::1")
    assert enter(admission, "2001:db8::2") == [True]


def test_one_address_opens_so_many_in_a_window_even_if_they_do_not_last() -> None:
    admission = Admission(Bounds(new_per_address=2))
    for now_s in (0.0, WINDOW_S - 0.1):
        assert enter(admission, "10.0.0.1", now_s=now_s) == [True]
        admission.leave("10.0.0.1")
    assert enter(admission, "10.0.0.1", "10.0.0.2", now_s=WINDOW_S - 0.1) == [False, True]
    assert admission.refused == {RATE: 1}
    assert enter(admission, "10.0.0.1", now_s=WINDOW_S) == [True]


@pytest.mark.parametrize("address", ["127.0.0.5", "::1", "192.0.2.7"])
def test_for_some_addresses_only_the_total_counts(address: str) -> None:
    exempt = [ip_network(it) for it in ("127.0.0.0/8", "::1", "192.0.2.7")]
    admission = Admission(Bounds(total=3, per_address=1, new_per_address=1, exempt=exempt))
    assert enter(admission, address, address, "192.0.2.8", "192.0.2.8", address) == [True, True, True, False, False]
    assert admission.refused == {TOTAL: 2}


def test_a_flood_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(Bounds(total=1))
    enter(admission, *["10.0.0.1"] * 100)
    enter(admission, "10.0.0.1", now_s=60.0)
    assert [record.getMessage() for record in caplog.records] == ["connection refused"] * 2
