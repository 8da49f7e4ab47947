"""Proof of work with the protocol of ALTCHA, so that its widgets can solve our challenges.

A challenge is a signed set of parameters, kept nowhere. It costs one HMAC to make: the target is a number of leading
zeros, not the result of a computation of ours (deterministic mode would cost us that computation for each challenge
that anybody asks for). Verifying computes one try, 10 ms with the defaults, after every cheaper check.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import altcha
from nacl.bindings import crypto_pwhash_alg, crypto_pwhash_ALG_ARGON2ID13

from proca_common.guards.settings import ProofOfWork
from proca_common.guards.verification import EXPIRED, INVALID, Challenge, bad_captcha

SCRYPT_BLOCK = 8
KIB = 1024
ZEROS = "0000"

DeriveKey = Callable[[altcha.ChallengeParameters, bytes, bytes], bytes]


def signing_key(secret: bytes) -> bytes:
    """The key that signs challenges, made of the guards' secret for nothing but this."""
    return hmac.digest(secret, b"challenge", "sha256")


def argon2id(parameters: altcha.ChallengeParameters, salt: bytes, password: bytes) -> bytes:
    """Argon2id of libsodium, which the layer has already: `cost` passes over `memory_cost` KiB, one lane."""
    memory = int(parameters.memory_cost or 0) * KIB
    derived: bytes = crypto_pwhash_alg(
        parameters.key_length, password, salt, parameters.cost, memory, crypto_pwhash_ALG_ARGON2ID13
    )
    return derived


_DERIVE: dict[str, DeriveKey] = {"SCRYPT": altcha.derive_key_scrypt, "ARGON2ID": argon2id}


def make_challenge(wanted: ProofOfWork, page: int, now_ms: int, key: bytes) -> dict[str, Any]:
    """A challenge for signing on this page, as the widget takes it: `{parameters, signature}`."""
    # scrypt needs 128 x block size x cost bytes: one KiB for each unit of cost.
    kib = wanted.memory_mib * KIB
    cost, memory = (kib, SCRYPT_BLOCK) if wanted.algorithm == "SCRYPT" else (1, kib)
    made: dict[str, Any] = altcha.create_challenge(
        wanted.algorithm,
        cost,
        memory_cost=memory,
        parallelism=1,
        key_prefix=ZEROS[: wanted.digits],
        expires_at=now_ms // 1000 + wanted.valid_s,
        data={"page": page},
        hmac_secret=key,
    ).to_dict()
    return made


class ProofOfWorkVerifier:
    """Verifies solutions of challenges that were signed with this key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def verify(self, solution: str, page: int, now_ms: int) -> Challenge | None:
        """The challenge that was solved, for this page and still valid. Raises `Refused`.

        What a challenge asks for is believed only because it is signed; a solution of less work fails.
        """
        try:
            payload = altcha.Payload.from_base64(solution)
            asked = payload.challenge.parameters
            if asked.data != {"page": page}:
                raise bad_captcha(INVALID)
            if not isinstance(asked.expires_at, int) or asked.expires_at <= now_ms // 1000:
                raise bad_captcha(EXPIRED)
            verified = altcha.verify_solution(payload, self._key, _DERIVE.get(asked.algorithm))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise bad_captcha(INVALID) from None
        if not verified.verified:
            raise bad_captcha(EXPIRED if verified.expired else INVALID)
        return Challenge(asked.nonce, asked.expires_at)
