"""Which URLs may be called for an org: every way to say "this machine" or "that network" is refused."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address
from typing import Any

import pytest

from proca_common.pipes.address_rules import Forbidden, Target, Unresolved, addresses_of, is_public, target_of

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2a00:1450:4001:81b::200e"


def answers(*addresses: str) -> Any:
    """A name server that gives these addresses for every name."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(None, None, None, "", (address, port)) for address in addresses]

    return resolve


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://crm.example.org", Target("https", "crm.example.org", 443, "/")),
        ("https://crm.example.org/in?key=1&b=%20", Target("https", "crm.example.org", 443, "/in?key=1&b=%20")),
        ("https://crm.example.org?key=1", Target("https", "crm.example.org", 443, "/?key=1")),
        ("HTTPS://CRM.Example.ORG/In", Target("https", "crm.example.org", 443, "/In")),
        ("https://crm.example.org:8443/in", Target("https", "crm.example.org", 8443, "/in")),
        ("https://xn--bcher-kva.example/in", Target("https", "xn--bcher-kva.example", 443, "/in")),
        ("https://1.crm.example.org/in", Target("https", "1.crm.example.org", 443, "/in")),
    ],
)
def test_urls_of_an_allowed_form(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.org/in",
        "ftp://crm.example.org/in",
        "file:///etc/passwd",
        "gopher://crm.example.org/",
        "//crm.example.org/in",
        "crm.example.org/in",
        "",
        "https://",
        "https:///in",
        "https:crm.example.org",
        # who says what the host is
        "https://user@crm.example.org/in",
        "https://user:password@crm.example.org/in",
        "https://crm.example.org@127.0.0.1/",
        "https://127.0.0.1#@crm.example.org/",
        "https://crm.example.org#/in",
        "https://crm.example.org\\@127.0.0.1/",
        "https://127.0.0.1\\.crm.example.org/",
        "https://crm.example.org/in\r\nX-Evil: 1",
        "https://crm.example.org/in\n",
        "https://crm.example.org/a b",
        " https://crm.example.org/",
        "https://crm.example.org/\tin",
        "https://crm.example.org/\x00",
        # addresses, in every notation
        "https://127.0.0.1/",
        "https://93.184.216.34/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0/",
        "https://10.0.0.1.0x1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1%25eth0]/",
        "https://[2a00:1450:4001:81b::200e]/",
        "https://[::]:443/",
        # names that are not full ones, or that parsers read differently
        "https://localhost/",
        "https://metadata/",
        "https://crm.example.org./in",
        "https://.example.org/",
        "https://crm..example.org/",
        "https://-crm.example.org/",
        "https://crm_1.example.org/",
        "https://b\u00fccher.example/",
        "https://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54.example/",
        "https://crm.example\u3002org/",
        "https://1\u20e3.example.org/",
        "https://%6c%6f%63%61%6c.example.org/",
        f"https://{'a' * 64}.example.org/",
        f"https://{'a.' * 130}org/",
        f"https://crm.example.org/{'a' * 2000}",
        # ports
        "https://crm.example.org:22/",
        "https://crm.example.org:80/",
        "https://crm.example.org:25/",
        "https://crm.example.org:6379/",
        "https://crm.example.org:0/",
        "https://crm.example.org:65979/",
        "https://crm.example.org:-1/",
        "https://crm.example.org:/",
        "https://crm.example.org:443:443/",
        "https://crm.example.org:\u0664\u0664\u0663/",
    ],
)
def test_urls_that_may_not_be_called(url: str) -> None:
    with pytest.raises(Forbidden) as refused:
        target_of(url)

    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://127.0.0.1:8080/in", "127.0.0.1", 8080),
        ("http://localhost:8080/in", "localhost", 8080),
        ("https://localhost:9443/in", "localhost", 9443),
        ("http://[::1]:8080/in", "[::1]", 8080),
        ("http://localhost/in", "localhost", 80),
    ],
)
def test_a_developers_own_machine_may_be_called_when_it_says_so(url: str, host: str, port: int) -> None:
    target = target_of(url, this_machine=True)

    assert (target.host, target.port) == (host, port)
    with pytest.raises(Forbidden):
        target_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.org/in",
        "http://10.0.0.1/",
        "http://127.0.0.2/",
        "http://2130706433/",
        "http://169.254.169.254/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0:80/",
        "http://localhost:0/",
    ],
)
def test_nothing_else_of_a_private_network_may_be_called_even_then(url: str) -> None:
    with pytest.raises(Forbidden):
        target_of(url, this_machine=True)


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "223.255.255.254", "52.94.236.248", PUBLIC_V6, "2606:4700::1111"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "224.0.1.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        f"::ffff:{PUBLIC}",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "3ffe::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        f"{PUBLIC_V6}%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


TARGET = target_of("https://crm.example.org/in")


def test_a_name_is_resolved_with_ipv4_first() -> None:
    found = addresses_of(TARGET, resolve=answers(PUBLIC_V6, PUBLIC, PUBLIC))

    assert found == [PUBLIC, PUBLIC_V6]


@pytest.mark.parametrize("hidden", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "fe80::1%2"])
def test_one_address_that_is_not_public_is_one_too_many(hidden: str) -> None:
    with pytest.raises(Forbidden, match="not public"):
        addresses_of(TARGET, resolve=answers(PUBLIC, hidden))
    with pytest.raises(Forbidden, match="not public"):
        addresses_of(TARGET, this_machine=True, resolve=answers(hidden))


def test_localhost_that_leads_elsewhere_is_refused() -> None:
    own = target_of("http://localhost:8080/", this_machine=True)

    assert addresses_of(own, this_machine=True, resolve=answers("::1", "127.0.0.1")) == ["127.0.0.1", "::1"]
    with pytest.raises(Forbidden):
        addresses_of(own, this_machine=True, resolve=answers("192.168.1.1"))
    with pytest.raises(Forbidden):
        addresses_of(own, resolve=answers("127.0.0.1"))


def test_a_name_without_an_address_may_have_one_later() -> None:
    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    for resolve in (unknown, answers()):
        with pytest.raises(Unresolved):
            addresses_of(TARGET, resolve=resolve)


def test_a_name_server_that_does_not_say_is_not_waited_for() -> None:
    def slow(*_: Any, **__: Any) -> list[Any]:
        time.sleep(0.5)
        return []

    started = time.monotonic()
    with pytest.raises(Unresolved):
        addresses_of(TARGET, timeout_s=0.05, resolve=slow)
    assert time.monotonic() - started < 0.4


def test_an_answer_that_is_no_address_is_refused() -> None:
    with pytest.raises(Forbidden):
        addresses_of(TARGET, resolve=answers("not an address"))
