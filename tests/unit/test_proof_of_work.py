"""Proof of work: what solves a challenge, and what does not (ALTCHA, proof of work 2)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import altcha
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.failures import Refused
from proca_common.guards.proof_of_work import ProofOfWorkVerifier, argon2id, make_challenge, signing_key
from proca_common.guards.settings import ProofOfWork
from proca_common.guards.verification import EXPIRED, INVALID

KEY = signing_key(b"a guard key")
PAGE = 7
EASY = ProofOfWork(memory_mib=1, digits=1)
NOW_MS = time.time_ns() // 1_000_000 + 3_600_000  # ahead: the library looks at the real time, and a suite takes long
DERIVE = {"SCRYPT": altcha.derive_key_scrypt, "ARGON2ID": argon2id}

Document = dict[str, Any]


def solved(wanted: ProofOfWork = EASY, page: int = PAGE, key: bytes = KEY, now_ms: int = NOW_MS) -> Document:
    """A challenge and its solution, as a widget puts them together."""
    challenge = altcha.Challenge.from_dict(make_challenge(wanted, page, now_ms, key))
    solution = altcha.solve_challenge(challenge, DERIVE[wanted.algorithm])
    assert solution is not None
    return altcha.Payload(challenge, solution).to_dict()


def sent(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def said(text: str, page: int = PAGE, now_ms: int = NOW_MS) -> str:
    with pytest.raises(Refused) as refused:
        ProofOfWorkVerifier(KEY).verify(text, page, now_ms)
    [failure] = refused.value.failures
    assert (failure.pointer, failure.code) == ("/captcha", "bad_captcha")
    return failure.message


@pytest.mark.parametrize("algorithm", ["SCRYPT", "ARGON2ID"])
def test_a_solution_is_verified_and_names_the_challenge_it_uses_up(algorithm: Any) -> None:
    document = solved(ProofOfWork(algorithm=algorithm, memory_mib=1, digits=1))

    challenge = ProofOfWorkVerifier(KEY).verify(sent(document), PAGE, NOW_MS)

    assert challenge is not None
    assert challenge.nonce == document["challenge"]["parameters"]["nonce"]
    assert challenge.expires_s == NOW_MS // 1000 + EASY.valid_s


def test_argon2id_is_that_of_the_reference_implementation() -> None:
    parameters = altcha.ChallengeParameters("ARGON2ID", "", "", 1, memory_cost=4096, parallelism=1)

    # phc-winner-argon2 by argon2-cffi: t=1, m=4096, p=1
    expected = "d9e085e4bc2df83b9af50a3713053b48784905adcee1b7b564cc1b2a119a0515"
    assert argon2id(parameters, b"s" * 16, b"p" * 20).hex() == expected


@pytest.mark.parametrize(("algorithm", "cost", "memory"), [("SCRYPT", 4096, 8), ("ARGON2ID", 1, 4096)])
def test_a_challenge_asks_for_what_is_set(algorithm: Any, cost: int, memory: int) -> None:
    made = make_challenge(ProofOfWork(algorithm=algorithm, digits=3, valid_s=60), PAGE, NOW_MS, KEY)["parameters"]

    assert (made["algorithm"], made["cost"], made["memoryCost"]) == (algorithm, cost, memory)
    assert (made["keyPrefix"], made["expiresAt"], made["data"]) == ("000", NOW_MS // 1000 + 60, {"page": PAGE})


def test_no_challenge_is_made_twice() -> None:
    assert len({make_challenge(EASY, PAGE, NOW_MS, KEY)["signature"] for _ in range(50)}) == 50


def test_a_solution_for_another_page_is_refused() -> None:
    assert said(sent(solved(page=PAGE + 1))) == INVALID


@pytest.mark.parametrize("late_ms", [0, 1_000, 86_400_000])
def test_an_expired_solution_is_refused(late_ms: int) -> None:
    assert said(sent(solved()), now_ms=NOW_MS + EASY.valid_s * 1000 + late_ms) == EXPIRED


def test_a_challenge_of_somebody_else_is_refused() -> None:
    assert said(sent(solved(key=signing_key(b"another key")))) == INVALID


def changed_parameter(name: str, value: object) -> Callable[[Document], None]:
    return lambda document: document["challenge"]["parameters"].update({name: value})


def changed_solution(**values: object) -> Callable[[Document], None]:
    return lambda document: document["solution"].update(values)


@pytest.mark.parametrize(
    "change",
    [
        changed_parameter("keyPrefix", ""),
        changed_parameter("cost", 2),
        changed_parameter("memoryCost", 1),
        changed_parameter("algorithm", "SHA-256"),
        changed_parameter("algorithm", ["SCRYPT"]),
        changed_parameter("nonce", "00" * 16),
        changed_parameter("expiresAt", NOW_MS // 1000 + 86_400),
        changed_parameter("data", {"page": PAGE, "more": 1}),
        changed_solution(counter=-1),
        changed_solution(counter=2**32),
        changed_solution(counter="1"),
        changed_solution(counter=None),
        changed_solution(derivedKey="00" * 32),
        changed_solution(derivedKey=None),
        lambda document: document["challenge"].pop("signature"),
        lambda document: document["challenge"].update(signature=None),
        lambda document: document.pop("solution"),
    ],
)
def test_a_changed_payload_is_refused(change: Callable[[Document], None]) -> None:
    document = solved()
    change(document)

    assert said(sent(document)) == INVALID


def test_a_try_that_misses_the_target_is_refused() -> None:
    document = solved()
    asked = altcha.ChallengeParameters.from_dict(document["challenge"]["parameters"])
    nonce, salt = bytes.fromhex(asked.nonce), bytes.fromhex(asked.salt)
    for counter in range(1000, 1100):
        derived = altcha.derive_key_scrypt(asked, salt, nonce + counter.to_bytes(4, "big"))
        if not derived.hex().startswith("0"):
            break
    document["solution"] = {"counter": counter, "derivedKey": derived.hex()}

    assert said(sent(document)) == INVALID


@pytest.mark.parametrize(
    "text", ["", "=", "é", "bm8=", sent([]), sent("x"), sent(None), sent({"challenge": 1, "solution": 2}), "[" * 8000]
)
def test_what_is_no_payload_is_refused(text: str) -> None:
    assert said(text) == INVALID


def test_a_payload_that_is_nested_too_deeply_is_refused() -> None:
    assert said(base64.b64encode(b'{"challenge":' * 4000).decode()) == INVALID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
DOCUMENT = solved()


@settings(max_examples=200, deadline=None)
@given(
    place=st.sampled_from(
        [("challenge",), ("solution",), ("challenge", "parameters"), ("challenge", "signature")]
        + [("challenge", "parameters", name) for name in DOCUMENT["challenge"]["parameters"]]
    ),
    value=JSON,
)
def test_whatever_else_is_sent_is_refused_and_nothing_worse(place: tuple[str, ...], value: object) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    target = document
    for name in place[:-1]:
        target = target[name]
    if target[place[-1]] == value:
        return
    target[place[-1]] = value

    assert said(sent(document)) in (INVALID, EXPIRED)
