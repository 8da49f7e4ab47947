"""Where links may lead to: never to a host that nobody allowed, however the address is written (design 7.4)."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.approvals.redirects import allowed, local_path, page_hosts

HOSTS = frozenset({"good.example.org", "localhost", "127.0.0.1"})
CONFIRMED = [("proca_confirm", "accept")]


@pytest.mark.parametrize(
    ("page_name", "redirect_hosts", "hosts"),
    [
        ("riverwatch.example.org/sign", (), {"riverwatch.example.org"}),
        ("RiverWatch.example.org/sign", ("a.example.org",), {"riverwatch.example.org", "a.example.org"}),
        ("riverwatch/sign", (), set()),
        ("river_watch/sign.html", ("a.example.org",), {"a.example.org"}),
    ],
)
def test_the_hosts_of_a_page_are_that_of_its_name_and_those_the_org_named(page_name, redirect_hosts, hosts):
    assert page_hosts(page_name, redirect_hosts) == hosts


@pytest.mark.parametrize(
    ("url", "parameters", "target"),
    [
        # The example of domain 7.1.3.
        (
            "https://good.example.org/thanks?x=1",
            [("proca_confirm", "accept"), ("proca_doi", "1")],
            "https://good.example.org/thanks?proca_confirm=accept&proca_doi=1&x=1",
        ),
        ("https://good.example.org/", CONFIRMED, "https://good.example.org/?proca_confirm=accept"),
        ("HTTPS://GOOD.example.org/", CONFIRMED, "https://good.example.org/?proca_confirm=accept"),
        ("https://good.example.org:443/", CONFIRMED, "https://good.example.org:443/?proca_confirm=accept"),
        ("https://good.example.org/a?", [], "https://good.example.org/a"),
        ("https://good.example.org/a?b#c", CONFIRMED, "https://good.example.org/a?proca_confirm=accept&b=#c"),
        (
            "https://good.example.org/t?x=å b&y=%26&y=",
            CONFIRMED,
            "https://good.example.org/t?proca_confirm=accept&x=%C3%A5+b&y=%26&y=",
        ),
        ("https://good.example.org/tack/å%20b", [], "https://good.example.org/tack/%C3%A5%20b"),
        ("http://localhost:8080/", CONFIRMED, "http://localhost:8080/?proca_confirm=accept"),
        ("https://localhost:8443/", [], "https://localhost:8443/"),
        ("http://127.0.0.1/x", [], "http://127.0.0.1/x"),
        ("https://good.example.org//evil.example.net/", [], "https://good.example.org//evil.example.net/"),
        ("https://good.example.org/@evil.example.net", [], "https://good.example.org/@evil.example.net"),
        ("https://good.example.org/?@evil.example.net/", [], "https://good.example.org/?%40evil.example.net%2F="),
    ],
)
def test_parameters_stand_before_those_of_an_allowed_address(url, parameters, target):
    assert allowed(url, HOSTS, parameters) == target


HOSTILE = [
    "",
    "/",
    "//evil.example.net/",
    "///evil.example.net/",
    "/\\evil.example.net/",
    "\\\\evil.example.net/",
    "evil.example.net/",
    "https:evil.example.net/",
    "https:/evil.example.net/",
    "https:///evil.example.net/",
    "https:\\\\evil.example.net/",
    "https://evil.example.net/",
    "https://evil.example.net/https://good.example.org/",
    "https://evil.example.net/?good.example.org",
    "https://evil.example.net#good.example.org/",
    "https://good.example.org@evil.example.net/",
    "https://good.example.org:443@evil.example.net/",
    "https://good.example.org:pass@evil.example.net/",
    "https://good.example.org%40evil.example.net/",
    "https://user@good.example.org/",
    "https://:@good.example.org/",
    "https://@good.example.org/",
    "https://evil.example.net\\@good.example.org/",
    "https://good.example.org\\@evil.example.net/",
    "https://good.example.org\\.evil.example.net/",
    "https://evil.example.net\\.good.example.org/",
    "https://good.example.org.evil.example.net/",
    "https://evilgood.example.org/",
    "https://sub.good.example.org/",
    "https://example.org/",
    "https://good.example.org./",
    "https://.good.example.org/",
    "https://good%2eexample.org/",
    "https://g%6fod.example.org/",
    "https://good.example.org%00.evil.example.net/",
    "https://good.example.org%2f.evil.example.net/",
    "https://good.example.org\x00.evil.example.net/",
    "https://good.example.org\t.evil.example.net/",
    "https://good.example.org/\n",
    "https://good.example.org/\r\nSet-Cookie: a=b",
    "https://good.example.org/a b",
    "https://good.example.org/\\evil",
    " https://good.example.org/",
    "\thttps://good.example.org/",
    "https://good.example.org/ ",
    "ht\ntps://good.example.org/",
    # Letters that browsers read as others, or that only look so.
    "https://ｇｏｏｄ.example.org/",  # noqa: RUF001
    "https://good。example.org/",
    "https://good․example.org/",  # noqa: RUF001
    "https://gооd.example.org/",  # noqa: RUF001
    "https://good.example.org⁄evil/",  # noqa: RUF001
    "https://ｇood.example.org/",  # noqa: RUF001
    "https://good.example.org℀.evil.example.net/",
    "https://ɡood.example.org/",  # noqa: RUF001
    "https://xn--god-ulc.example.org/",
    "https://good.example.org\u200b/",
    "https://good.example.or\u212a/",
    "http\u017f://good.example.org/",
    # Other schemes and ports.
    "http://good.example.org/",
    "ftp://good.example.org/",
    "javascript://good.example.org/%0aalert(1)",
    "javascript:alert(1)",
    "data:text/html,good.example.org/",
    "ws://good.example.org/",
    "wss://good.example.org/",
    "https://good.example.org:80/",
    "https://good.example.org:8443/",
    "https://good.example.org:0443/",
    "https://good.example.org:/",
    "https://good.example.org:443:443/",
    "https://good.example.org:443evil/",
    "https://good.example.org:-443/",
    "http://good.example.org:443/",
    # Without a path it is not well-formed (domain 7.1.1).
    "https://good.example.org",
    "https://good.example.org?x=/",
    "https://good.example.org#/",
    # Loopback in other clothes.
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "https://[good.example.org]/",
    "http://localhost.evil.example.net/",
    "http://localhost:8080@evil.example.net/",
    "http://127.0.0.1.evil.example.net/",
    "https://good.example.org/\ud800",
    "https://good.example.org/" + "a" * 3_000,
]


@pytest.mark.parametrize("url", HOSTILE)
def test_no_hostile_address_is_followed(url):
    assert allowed(url, HOSTS, CONFIRMED) is None


@pytest.mark.parametrize("url", ["https://good.example.org/", "http://localhost/"])
def test_without_allowed_hosts_nothing_is_followed(url):
    assert allowed(url, frozenset(), CONFIRMED) is None


def test_a_host_in_other_letters_is_allowed_in_its_ascii_form_alone():
    hosts = frozenset({"xn--bcher-kva.example.org"})
    assert allowed("https://xn--bcher-kva.example.org/", hosts, []) == "https://xn--bcher-kva.example.org/"
    assert allowed("https://bücher.example.org/", hosts, []) is None


PIECES = st.sampled_from(
    [
        *"/\\@:?#%.&= \t",
        "https:",
        "http:",
        "//",
        "good.example.org",
        "evil.example.net",
        "443",
        "x",
        "å",
        "\u3002",
        "%2f",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40).map("https://good.example.org".__add__))
def test_whatever_is_followed_leads_to_an_allowed_host_in_every_reading(url):
    target = allowed(url, HOSTS, CONFIRMED)
    if target is None:
        return
    assert target.isascii()
    assert target.isprintable()
    assert not set(target) & set(' \\"<>')
    parts = urlsplit(target)
    assert parts.hostname in HOSTS
    assert parts.username is None
    assert parse_qsl(parts.query)[0] == ("proca_confirm", "accept")


@pytest.mark.parametrize("path", ["/", "/campaigns/5", "/å?x=1#y", "/a//b"])
def test_a_path_of_our_own_may_be_followed(path):
    target = local_path(path)
    assert target is not None
    assert target.isascii()
    assert target.startswith("/")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "//evil.example.net",
        "/\\evil.example.net",
        "\\/evil",
        "https://evil.example.net/",
        "/\t/evil.example.net",
        "/\n/evil.example.net",
        "/ok\r\nSet-Cookie: a=b",
        " //evil.example.net",
        "/a\\b",
        "/" + "a" * 3_000,
    ],
)
def test_what_may_be_another_host_is_no_path(path):
    assert local_path(path) is None
