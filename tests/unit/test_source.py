"""Source of an action: tracking values and a location that the Referer proves (domain 1.8, 3.4)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.input import TrackingInput
from proca_common.actions.source import Source, location_of, source_of, stripped

REFERER = "https://a.example.org/act/bees?x=1"


def tracking(**fields: str | None) -> TrackingInput:
    return TrackingInput.model_validate(fields)


def test_neither_tracking_nor_referer_is_no_source() -> None:
    assert source_of(None, None) is None


def test_a_referer_alone_gives_defaults_and_a_location() -> None:
    assert source_of(None, REFERER) == Source("unknown", "unknown", "unknown", "", REFERER)
    assert source_of(None, "nonsense") == Source("unknown", "unknown", "unknown", "", "")


def test_tracking_without_referer_keeps_its_values_and_loses_its_location() -> None:
    sent = tracking(
        source="newsletter", medium="email", campaign="spring", content="b", location="https://a.example.org/act"
    )
    assert source_of(sent, None) == Source("newsletter", "email", "spring", "b", "")
    assert source_of(sent, "https://a.example.org/") == Source(
        "newsletter", "email", "spring", "b", "https://a.example.org/act"
    )


@pytest.mark.parametrize(
    ("location", "referer", "result"),
    [
        # any, absent
        (None, None, ""),
        ("https://a.example.org/act", None, ""),
        ("", None, ""),
        # absent, well-formed: as it is
        (None, "https://a.example.org/act?utm=1#top", "https://a.example.org/act?utm=1#top"),
        # absent or a text, malformed
        (None, "https://a.example.org", ""),
        (None, "whatever", ""),
        ("https://a.example.org/act", "https://a.example.org", ""),
        ("https://a.example.org/act", "", ""),
        # well-formed and below
        ("https://a.example.org/act/bees", "https://a.example.org/", "https://a.example.org/act/bees"),
        ("https://a.example.org/act/bees?y=2#z", "https://a.example.org/act", "https://a.example.org/act/bees"),
        ("https://user:secret@a.example.org:443/act", "https://a.example.org/", "https://a.example.org/act"),
        # well-formed and elsewhere
        ("https://a.example.org/act/bees", "https://a.example.org/act/bees?x=1", "https://a.example.org/act/bees"),
        ("https://www.a.example.org/other", "https://a.example.org/", "https://a.example.org/"),
        ("https://a.example.org.evil.example.org/", "https://a.example.org/", "https://a.example.org/"),
        ("http://a.example.org/act", "https://a.example.org/", "https://a.example.org/"),
        ("https://a.example.org:8443/act", "https://a.example.org/", "https://a.example.org/"),
        ("https://a.example.org/", "https://a.example.org/act?x=1", "https://a.example.org/act"),
        # malformed, well-formed
        ("whatever", "https://a.example.org/act?x=1", "https://a.example.org/act"),
        ("", "https://a.example.org/act?x=1", "https://a.example.org/act"),
        ("https://a.example.org", "https://a.example.org/act?x=1", "https://a.example.org/act"),
        ("javascript:alert(1)", "https://a.example.org/", "https://a.example.org/"),
    ],
)
def test_location(location: str | None, referer: str | None, result: str) -> None:
    assert location_of(location, referer) == result


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://example.org/", "https://example.org/"),
        ("HTTPS://example.org/a", "https://example.org/a"),
        ("http://example.org/a?b#c", "http://example.org/a"),
        ("ws://example.org/a", "ws://example.org/a"),
        ("wss://example.org:443/a", "wss://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org:/a", "https://example.org/a"),
        ("https://u:p@example.org/a", "https://example.org/a"),
        ("https://u@v@example.org/a", "https://example.org/a"),
        ("http://[::1]:3000/a", "http://[::1]:3000/a"),
        ("https://example.org/a//b", "https://example.org/a//b"),
        ("https://example.org", None),
        ("https://example.org?x=/", None),
        ("https:///a", None),
        ("https://:443/a", None),
        ("https://u@/a", None),
        ("//example.org/a", None),
        ("ftp://example.org/a", None),
        ("http\u017f://example.org:1/a", None),
        ("https://example.org:port/a", None),
        ("https://example.org/a b", None),
        ("https://example.org/a\n", None),
        ("https://example.org/\ud800", None),
        (" https://example.org/a", None),
        ("", None),
    ],
)
def test_address_stripped_to_its_page(url: str, result: str | None) -> None:
    assert stripped(url) == result


def test_absent_and_empty_values_take_the_defaults() -> None:
    assert source_of(tracking(), None) == Source("unknown", "unknown", "unknown", "", "")
    assert source_of(tracking(source="", medium="", campaign="", content="", location=""), None) == Source()
    assert source_of(tracking(source="newsletter", content=None, location=None), None) == Source("newsletter")


@pytest.mark.parametrize("field", ["source", "medium", "campaign"])
@pytest.mark.parametrize("value", [None, " ", "\t"])
def test_a_required_value_that_is_null_or_blank_is_no_source_at_all(field: str, value: str | None) -> None:
    assert source_of(tracking(**{field: value, "content": "b"}), REFERER) is None


@pytest.mark.parametrize("field", ["source", "medium", "campaign", "content"])
def test_values_are_cut_to_255_characters(field: str) -> None:
    source = source_of(tracking(**{field: "ø" * 300}), None)
    assert source is not None
    assert getattr(source, field) == "ø" * 255


def test_a_location_is_cut_to_255_characters() -> None:
    source = source_of(None, "https://a.example.org/" + "x" * 300)
    assert source is not None
    assert len(source.location) == 255


def test_characters_that_no_message_carries_are_left_out() -> None:
    assert source_of(tracking(source="a\x00b", medium="\x00", content="\ufffe"), None) == Source("ab", "unknown")


ADDRESSES = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTPS", "ws", "ftp"]),
    st.sampled_from(["a.example.org", "b.example.org", "a.example.org:8080", "u@a.example.org", "", "a.example.org.b"]),
    st.sampled_from(["", "/", "/act", "/act/bees"]),
    st.sampled_from(["", "?x=1", "#y"]),
)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=300)


@settings(deadline=None)
@given(st.none() | ADDRESSES | TEXTS, ADDRESSES | TEXTS)
def test_a_location_never_leaves_the_site_of_the_referer(location: str | None, referer: str) -> None:
    found = location_of(location, referer)
    proven = stripped(referer)
    if proven is None:
        assert found == ""
    else:
        page = stripped(found)
        assert page is not None
        assert page.startswith(proven)


@settings(deadline=None)
@given(
    st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(TrackingInput.model_fields, st.none() | st.text())),
    st.none() | TEXTS | ADDRESSES,
)
def test_every_source_can_be_stored(fields: dict[str, str | None] | None, referer: str | None) -> None:
    source = source_of(None if fields is None else tracking(**fields), referer)
    if source is not None:
        for value in (source.source, source.medium, source.campaign, source.content, source.location):
            assert len(value) <= 255
            value.encode()
            assert "\x00" not in value
        assert "" not in (source.source, source.medium, source.campaign)
