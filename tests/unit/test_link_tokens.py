"""Tokens of links: bound to key version, ref, action and purpose (design 7.4)."""

import base64
import hashlib
import hmac

import pytest

from proca_common.aws.settings.widgets import ConfirmLinkSettings
from proca_common.confirms.links import links
from proca_common.confirms.tokens import VALID_DAYS, Purpose, has_ended, is_link_token, link_keys, link_token
from proca_common.ids import new_id

REF = "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo"
KEYS = link_keys(b"a secret of the tests")
DAY_MS = 86_400_000
NOW_MS = 1_760_000_000_000


def test_a_token_is_128_bits_of_hmac_over_version_ref_action_and_purpose():
    key = hmac.digest(b"a secret of the tests", b"link", hashlib.sha256)
    digest = hmac.digest(key, f"1\0{REF}\x0077\0accept".encode(), hashlib.sha256)
    assert link_token(KEYS, REF, 77, Purpose.ACCEPT) == base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_proves_its_own_purpose_ref_and_action_alone(purpose):
    token = link_token(KEYS, REF, 77, purpose)
    assert is_link_token(KEYS, REF, 77, purpose, token)
    assert not any(is_link_token(KEYS, REF, 77, other, token) for other in Purpose if other is not purpose)
    assert not is_link_token(KEYS, REF, 78, purpose, token)
    assert not is_link_token(KEYS, REF[:-1] + "A", 77, purpose, token)
    assert not is_link_token(link_keys(b"another secret"), REF, 77, purpose, token)


@pytest.mark.parametrize("token", ["", "A" * 22, REF, "é" * 22, "\ud800", "\0", "A" * 10_000])
def test_what_is_no_token_proves_nothing(token):
    assert not is_link_token(KEYS, REF, 77, Purpose.ACCEPT, token)


def test_a_token_proves_nothing_when_a_character_is_changed_or_missing():
    token = link_token(KEYS, REF, 77, Purpose.ACCEPT)
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert not is_link_token(KEYS, REF, 77, Purpose.ACCEPT, changed)
    assert not is_link_token(KEYS, REF, 77, Purpose.ACCEPT, token[:-1])
    assert not is_link_token(KEYS, REF, 77, Purpose.ACCEPT, token + "=")


def test_the_newest_key_signs_and_all_verify():
    old = link_keys(b"first")
    rotated = link_keys(b'{"1": "first", "2": "second"}')
    third = link_keys(b'{"10": "tenth", "2": "second"}')
    of_first, of_second = (link_token(keys, REF, 77, Purpose.REJECT) for keys in (old, rotated))
    assert of_first != of_second
    assert is_link_token(rotated, REF, 77, Purpose.REJECT, of_first)
    assert is_link_token(rotated, REF, 77, Purpose.REJECT, of_second)
    assert not is_link_token(old, REF, 77, Purpose.REJECT, of_second)
    assert is_link_token(third, REF, 77, Purpose.REJECT, of_second)
    assert not is_link_token(third, REF, 77, Purpose.REJECT, of_first)
    assert [version for version, _ in third.versions] == [10, 2]


def test_a_key_counts_as_the_key_of_its_version_only():
    moved = link_keys(b'{"2": "first"}')
    assert not is_link_token(moved, REF, 77, Purpose.ACCEPT, link_token(link_keys(b"first"), REF, 77, Purpose.ACCEPT))


@pytest.mark.parametrize(
    "secret",
    [
        b"{}",
        b'{"1": ""}',
        b'{"1": 5}',
        b'{"0": "hidden"}',
        b'{"01": "hidden"}',
        b'{"a": "hidden"}',
        b'{"1": "b", "x": "hidden"}',
    ],
)
def test_keys_of_another_form_are_refused_and_not_repeated(secret):
    with pytest.raises(ValueError, match="by version") as refused:
        link_keys(secret)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("secret", [b"[1]", b"5", b'"text"', b"{not json", b"\xff\xfe"])
def test_any_other_text_is_the_first_key(secret):
    assert [version for version, _ in link_keys(secret).versions] == [1]


@pytest.mark.parametrize(
    ("purpose", "days", "ended"),
    [
        (Purpose.ACCEPT, 179.9, False),
        (Purpose.ACCEPT, 180, True),
        (Purpose.DOUBLE_OPT_IN, 179.9, False),
        (Purpose.DOUBLE_OPT_IN, 180, True),
        (Purpose.REJECT, 3650, False),
        (Purpose.UNSUBSCRIBE, 3650, False),
    ],
)
def test_accept_and_double_opt_in_end_after_180_days(purpose, days, ended):
    action = new_id(NOW_MS, 0)
    assert has_ended(action, purpose, NOW_MS + int(days * DAY_MS)) is ended


def test_how_long_a_link_holds_is_a_setting():
    assert has_ended(new_id(NOW_MS, 0), Purpose.ACCEPT, NOW_MS + 2 * DAY_MS, valid_days=2)


def test_links_are_absolute_and_carry_the_token_of_their_purpose():
    found = links("https://api.example.org/v1/", KEYS, REF, 77)
    base = "https://api.example.org/v1/link"
    assert found.accept == f"{base}/s/77/accept/{link_token(KEYS, REF, 77, Purpose.ACCEPT)}"
    assert found.reject == f"{base}/s/77/reject/{link_token(KEYS, REF, 77, Purpose.REJECT)}"
    assert found.double_opt_in == f"{base}/d/77/{link_token(KEYS, REF, 77, Purpose.DOUBLE_OPT_IN)}"
    assert found.unsubscribe == f"{base}/u/77/{link_token(KEYS, REF, 77, Purpose.UNSUBSCRIBE)}"
    assert REF not in "".join(found)


def test_mails_and_links_agree_on_how_long_a_link_holds():
    assert ConfirmLinkSettings.model_fields["link_days"].default == VALID_DAYS
