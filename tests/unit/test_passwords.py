"""Rules for passwords and tokens: tables of domain 12.5, 16.3; what is verified is remembered, and only that."""

from __future__ import annotations

import time
from statistics import median

import pytest

from proca_common.aws import clock
from proca_common.users import passwords
from proca_common.users.passwords import generated, hashed, is_password, password_failures, was_verified
from proca_common.users.tokens import api_secret, new_api_secret, new_secret, secret_of, text_of, token_hash
from proca_common.users.user import email_failures

GOOD = "correct Horse 1"
SHORT = ("too_short", "should be at least 12 character(s)")
LONG = ("too_long", "should be at most 80 character(s)")
LOWER = ("lower_case", "at least one lower case character")
UPPER = ("upper_case", "at least one upper case character")
OTHER = ("digit_or_punctuation", "at least one digit or punctuation character")


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        (GOOD, []),
        ("Abcdefghij 1", []),
        ("Abcdefghij_k", []),
        ("Aa1" + "x" * 77, []),
        ("Aa1" + "x" * 78, [LONG]),
        ("Abcdefghij1", [SHORT]),
        ("ABCDEFGHIJ 1", [LOWER]),
        ("abcdefghij 1", [UPPER]),
        ("Abcdefghij k", [OTHER]),
        ("Abcdefghij-k", [OTHER]),
        ("éàüßñçøåœæðþ", [LOWER, UPPER, OTHER]),
        ("", [SHORT, LOWER, UPPER, OTHER]),
    ],
)
def test_every_broken_rule_is_told(password: str, broken: list[tuple[str, str]]) -> None:
    failures = password_failures(password)

    assert [(failure.code, failure.message) for failure in failures] == broken
    assert {failure.pointer for failure in failures} <= {"/password"}


def test_generated_passwords_keep_the_rules() -> None:
    made = {generated() for _ in range(200)}

    assert len(made) == 200
    for password in made:
        assert not password_failures(password)
        assert len(password) == 22
        assert sum(sign.isalpha() for sign in password) == 16
        assert sum(sign.isdigit() for sign in password) == 4


def test_hash_is_argon2id_with_a_salt_of_its_own() -> None:
    first, second = hashed(GOOD), hashed(GOOD)

    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert is_password(GOOD, first)
    assert not is_password(GOOD + " ", second)
    assert not is_password("", second)


def test_nobody_has_no_password() -> None:
    assert not is_password(GOOD, None)
    assert not is_password("", None)


def test_an_endless_password_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_password("x" * 100_000, hashed(GOOD))


def test_what_was_verified_is_remembered_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000_000
    monkeypatch.setattr(clock, "now_ms", lambda: now)
    known, other = hashed(GOOD), hashed(GOOD)

    assert not was_verified(GOOD, known)
    assert is_password(GOOD, known)

    assert was_verified(GOOD, known)
    assert not was_verified(GOOD, other)
    assert not was_verified(GOOD + "!", known)
    now += passwords.REMEMBERED_MS
    assert not was_verified(GOOD, known)


def test_a_wrong_password_is_never_remembered() -> None:
    known = hashed(GOOD)

    assert not is_password("wrong Horse 12", known)
    assert not was_verified("wrong Horse 12", known)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_REMEMBERED", 2)
    monkeypatch.setattr(passwords, "_verified", {})
    for _ in range(3):
        assert is_password(GOOD, hashed(GOOD))
    assert len(passwords._verified) == 2


def test_an_unknown_user_takes_as_long_as_a_wrong_password() -> None:
    known = hashed(GOOD)
    is_password("warm up", None)

    def taken(of: str | None) -> float:
        began = time.perf_counter()
        is_password("wrong Horse 12", of)
        return time.perf_counter() - began

    wrong, nobody = (median(taken(of) for _ in range(15)) for of in (known, None))

    assert 0.5 < wrong / nobody < 2


@pytest.mark.parametrize(
    ("email", "codes"),
    [
        ("ida@example.org", []),
        ("ida@localhost", []),
        ("ida", ["format"]),
        ("ida holm@example.org", ["format"]),
        ("@example.org", ["format"]),
        ("ida@example.org\n", ["format"]),
        ("x" * 148 + "@example.org", []),
        ("x" * 149 + "@example.org", ["too_long"]),
        ("x" * 161, ["format", "too_long"]),
    ],
)
def test_addresses_of_users(email: str, codes: list[str]) -> None:
    assert [failure.code for failure in email_failures(email)] == codes


# --- tokens


def test_api_token_of_the_reference() -> None:
    zeros = bytes.fromhex("00F23E") + bytes(32)

    assert text_of(zeros) == "API-" + 43 * "A"
    assert api_secret("API-" + 43 * "A") == zeros


def test_api_tokens_look_like_it_and_differ() -> None:
    texts = {text_of(new_api_secret()) for _ in range(100)}

    assert len(texts) == 100
    assert {(text[:4], len(text)) for text in texts} == {("API-", 47)}
    assert all(api_secret(text) for text in texts)


@pytest.mark.parametrize("text", ["", "API-", "API-" + 42 * "A", "API-" + 44 * "A", "API-" + 42 * "A" + "=", "x" * 47])
def test_what_cannot_be_an_api_token(text: str) -> None:
    assert api_secret(text) is None


def test_tokens_of_mails() -> None:
    secret = new_secret()

    assert secret_of(text_of(secret)) == secret
    assert len(text_of(secret)) == 43
    assert secret_of(text_of(secret)[:-1]) is None
    assert secret_of("ä" * 43) is None


def test_only_a_hash_is_kept() -> None:
    secret = new_secret()
    assert len(token_hash(secret)) == 64
    assert secret.hex() not in token_hash(secret)
