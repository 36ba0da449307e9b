"""What a request says of its client, and how much of it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from drf_jwt_kit import clients, sessions

LONG = "Mozilla/5.0 " * 50


def request(**meta: Any) -> Any:
    """Return a request with this in its ``META``."""
    made = RequestFactory().get("/")
    made.META.update(meta)
    return made


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", None),
        ("unix:", None),
        ("192.0.2.1:1234", None),
        ("192.0.2.999", None),
        ("0x7f.1", None),
        ("\ud800", None),
        ("1" * 10_000, None),
    ],
)
def test_an_address_has_one_spelling(peer: str, address: str | None) -> None:
    """The same client is the same client in the list, in the log and in a counter."""
    assert clients.address(request(REMOTE_ADDR=peer)) == address


def test_there_may_be_no_peer() -> None:
    """A server behind a socket in the file system has none."""
    made = request()
    del made.META["REMOTE_ADDR"]
    assert clients.address(made) is None


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "10.0.0.1, 198.51.100.1,203.0.113.9", "198.51.100.1"),
        (3, "198.51.100.1, 203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9, garbage", None),
        (1, "203.0.113.9,", None),
    ],
)
def test_forwarded_addresses_count_from_the_right(
    settings: Any, proxies: int, forwarded: str, address: str | None
) -> None:
    """``TRUSTED_PROXIES``: each proxy appends what it saw; with fewer than declared, nothing there is believed."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": proxies}
    made = request(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert clients.address(made) == address


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.7:51234", "203.0.113.7"),
        (" 203.0.113.7:0 ", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("[fe80::1%eth0]:65535", "fe80::1"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::1:443", "2001:db8::1:443"),
        ("203.0.113.7:", None),
        ("203.0.113.7:65536", None),
        ("203.0.113.7:000080", None),
        ("203.0.113.7:-1", None),
        ("203.0.113.7:\u0661", None),
        ("203.0.113.7: 80", None),
        ("203.0.113.7:80:80", None),
        ("203.0.113.999:80", None),
        ("[203.0.113.7]:80", None),
        ("[2001:db8::1]443", None),
        ("[2001:db8::1]:", None),
        ("[[2001:db8::1]]:443", None),
        ("[2001:db8::1", None),
        ("[]:443", None),
        (":443", None),
        ("localhost:443", None),
    ],
    ids=ascii,
)
def test_a_proxy_may_send_the_port_along(settings: Any, hop: str, address: str | None) -> None:
    """IIS and Azure's gateway do: the port is no part of who the client is, and what is malformed is nobody."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}
    assert clients.address(request(HTTP_X_FORWARDED_FOR=f"198.51.100.1, {hop}")) == address


def test_a_request_that_came_past_the_proxy_has_its_peers_address(settings: Any) -> None:
    """Nothing was forwarded: then the peer is the client, not nobody."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}
    assert clients.address(request(REMOTE_ADDR="192.0.2.1")) == "192.0.2.1"


@pytest.mark.parametrize("header", ["HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_CLIENT_IP"])
def test_other_headers_are_never_believed(settings: Any, header: str) -> None:
    """No proxy is declared to set them."""
    for proxies in (0, 1):
        settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": proxies}
        made = request(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="192.0.2.1", **{header: "203.0.113.9"})
        assert clients.address(made) == "192.0.2.1"


@pytest.mark.parametrize(
    ("header", "recorded"),
    [
        ("Firefox/147.0", "Firefox/147.0"),
        ("", ""),
        (LONG, LONG[: clients.MAX_USER_AGENT]),
        ("a\x00b\r\nc\x1b[2J\x7fd", "abc[2Jd"),
        ("caf\xe9 \N{PILE OF POO}", "caf\xe9 \N{PILE OF POO}"),
        ("a\ud800b\u202ec\u2028d", "abcd"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE users; --", "'; DROP TABLE users; --"),
    ],
    ids=["plain", "empty", "long", "controls", "beyond ASCII", "unprintable", "markup", "SQL"],
)
@pytest.mark.django_db
def test_any_user_agent_is_recorded_bounded_and_printable(user: Any, header: str, recorded: str) -> None:
    """Odd clients sign in too, and what they send forges no line and overflows no column."""
    session = sessions.start(user, request(HTTP_USER_AGENT=header)).session
    session.refresh_from_db()
    assert session.user_agent == recorded


def test_a_client_may_send_no_user_agent() -> None:
    """RFC 9110 10.1.5: it should, not must."""
    assert clients.user_agent(request()) == ""


@pytest.mark.parametrize("agent", [True, False])
@pytest.mark.parametrize("address", [True, False])
def test_the_settings_turn_each_record_off(settings: Any, agent: bool, address: bool) -> None:
    """What is not recorded need not be protected."""
    settings.DRF_JWT_KIT = {"RECORD_USER_AGENT": agent, "RECORD_IP_ADDRESS": address}
    recorded = clients.metadata(request(HTTP_USER_AGENT="Firefox", REMOTE_ADDR="192.0.2.1"))
    wanted = {"user_agent": "Firefox"} if agent else {}
    wanted |= {"ip_address": "192.0.2.1"} if address else {}
    assert recorded == wanted


def test_without_a_request_nothing_is_known() -> None:
    """A session that a command starts has no device."""
    assert clients.metadata(None) == {}
