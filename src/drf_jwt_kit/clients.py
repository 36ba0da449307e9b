"""What a request says of the client that sent it."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Any

from .conf import kit

MAX_USER_AGENT = 256
MAX_PORT = 65_535

# RFC 7239 6: a port follows an IPv4 address, or an IPv6 one in brackets. IIS and Azure's gateway send it.
_NODE = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[^\[\]]*:[^\[\]]*)\])(?::(?P<port>[0-9]{1,5}))?")


def address(request: Any) -> str | None:
    """Return the client's IP address in its canonical form, ``None`` where there is none.

    It is the peer's, unless ``TRUSTED_PROXIES`` says how many proxies stand in front: each of them
    appended the address that it saw to ``X-Forwarded-For``, so the client's is that many from the
    right. What stands further left is the client's own claim. A request with fewer of them did not
    come through all proxies.
    """
    proxies, forwarded = kit().TRUSTED_PROXIES, request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not proxies or not forwarded:
        return _canonical(request.META.get("REMOTE_ADDR", ""))
    hops = forwarded.split(",")
    return _canonical(_host(hops[-proxies]) if len(hops) >= proxies else request.META.get("REMOTE_ADDR", ""))


def _host(hop: str) -> str:
    """Return ``hop`` without the port that some proxies append, as it is where that is none."""
    node = _NODE.fullmatch(hop.strip())
    if node is None or int(node["port"] or 0) > MAX_PORT:
        return hop
    return str(node["v4"] or node["v6"])


def _canonical(text: str) -> str | None:
    """Return the address in ``text``; an IPv4 address mapped into IPv6 is the IPv4 address."""
    try:
        parsed = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(parsed)


def user_agent(request: Any) -> str:
    """Return the start of the ``User-Agent`` header, printable characters only."""
    header = request.META.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT]
    return "".join(character for character in header if character.isprintable())


def metadata(request: Any) -> dict[str, Any]:
    """Return what a session records of its client; the settings may turn either off."""
    recorded: dict[str, Any] = {}
    if request is not None and kit().RECORD_USER_AGENT:
        recorded["user_agent"] = user_agent(request)
    if request is not None and kit().RECORD_IP_ADDRESS:
        recorded["ip_address"] = address(request)
    return recorded
