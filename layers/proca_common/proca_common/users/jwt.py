"""JWTs of the issuer that the instance believes (domain 12.2), if there is one: off until an operator names it.

Symmetric signatures (HS*) are checked with the issuer's secret, others (RS*, ES*) with the keys that it publishes; the
two never mix, so that a public key is no secret to sign with. Keys are kept by `kid` for an hour, and asked for again
for an unknown one, once a minute at most.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any

import jwt
import urllib3
from jwt.types import Options
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from pydantic import Field

from proca_common.aws import clock
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault
from proca_common.catalog import happenings
from proca_common.catalog.entity import Entity
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotFound, NotKnown, Taken
from proca_common.orgs import instance as instances
from proca_common.users import store
from proca_common.users.passwords import generated, hashed
from proca_common.users.user import Caller, User, email_failures

SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
FRESH_MS, KEYS_FRESH_MS, ASK_AGAIN_MS = 60_000, 3_600_000, 60_000
TIMEOUT = urllib3.Timeout(connect=2, read=5)
MAX_KEYS_BYTES = 256 * 1024
MAX_SUBJECT = 255
MISSING = "JWT is invalid (missing values)"
OPTIONS: Options = {"require": [], "verify_exp": False, "verify_sub": False, "verify_aud": False}
OPTIONS |= {"verify_iat": False, "verify_nbf": False, "verify_iss": False, "verify_jti": False}

Claims = Mapping[str, Any]
Address = Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$", max_length=500)]
Paths = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/.,\[\]-]{1,300}$")]


class JwtSettings(Entity):
    """What is believed. `secret`: as `seal_secret` makes it. `email`, `email_verified`: where the claims are, with dots
    between names, `[]` for the first of a list and commas between alternatives. `issuer`, `audience`: what `iss` and
    `aud` must be, where they are set. `allow_unverified`: the reference's ALLOW_UNVERIFIED_EMAIL; whoever may choose an
    address at the issuer is then whoever has it here.
    """

    secret: Annotated[str, Field(max_length=1000)] | None = None
    jwks_url: Address | None = None
    email: Paths = "email"
    email_verified: Paths = "user_metadata.email_verified"
    allow_unverified: bool = False
    issuer: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    audience: Annotated[str, Field(min_length=1, max_length=500)] | None = None


def seal_secret(plain: str, guard_secret: bytes) -> str:
    """The issuer's secret as it may stand in the catalogue."""
    return base64.urlsafe_b64encode(_box(guard_secret).encrypt(plain.encode())).decode()


def claim(claims: Claims, paths: str) -> Any:
    """The first of the alternatives that is there; None where none is."""
    for path in paths.split(","):
        found: Any = claims
        for step in path.strip().split("."):
            name = step.removesuffix("[]")
            found = found.get(name) if isinstance(found, Mapping) else None
            if step.endswith("[]"):
                found = found[0] if isinstance(found, list) and found else None
        if found not in (None, ""):
            return found
    return None


_settings: Fresh[str, JwtSettings] = Fresh(FRESH_MS)


class ConfiguredIssuer:
    """The issuer that the instance names. `guard_secret` opens its secret."""

    def __init__(self, guard_secret: Callable[[], bytes]) -> None:
        self._guard_secret = guard_secret

    def caller(self, token: str) -> Caller:
        """The user whom the token speaks of, made if need be. Raises `NotKnown`, `Unavailable`."""
        settings = _settings.get("", lambda: JwtSettings.model_validate(instances.get().jwt))
        claims = self._verified(token, settings)
        email, expires_ms = claim(claims, settings.email), _moment(claims, "exp")
        if not isinstance(email, str) or email_failures(email) or expires_ms is None:
            raise NotKnown(MISSING)
        if expires_ms <= clock.now_ms():
            raise NotKnown("JWT expired")
        verified = claim(claims, settings.email_verified) in (True, "true", 1)
        if not (verified or settings.allow_unverified):
            raise NotKnown("Email not verified")
        subject = claims.get("sub")
        return _caller(
            email, subject if isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT else None, verified
        )

    def _verified(self, token: str, settings: JwtSettings) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = str(header.get("alg")), header.get("kid")
            key = self._key(algorithm, kid if isinstance(kid, str) else None, settings)
            claims: Claims = jwt.decode(token, key, algorithms=[algorithm], options=OPTIONS)
            _check(claims, settings)
        except jwt.InvalidSignatureError:
            raise _unverified("signature is wrong") from None
        except jwt.PyJWTError:
            raise _unverified("it is malformed") from None
        return claims

    def _key(self, algorithm: str, kid: str | None, settings: JwtSettings) -> Any:
        if algorithm in SYMMETRIC:
            if settings.secret is None:
                raise NotKnown(f"JWT not enabled for symmetric keys ({algorithm})")
            return _opened(settings.secret, self._guard_secret())
        if algorithm in ASYMMETRIC:
            if settings.jwks_url is None:
                raise NotKnown(f"JWT not enabled for asymmetric keys ({algorithm})")
            return _published(settings.jwks_url, kid, algorithm)
        raise _unverified("its algorithm is not spoken here")


def forget() -> None:
    """Empty the caches (tests)."""
    _settings.forget()
    _known.clear()


# --- keys


@dataclass(slots=True)
class _Keys:
    """What an issuer publishes: its keys by `kid`. `asked_ms`: when it was asked last, `told_ms`: when it answered."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked_ms: int = -ASK_AGAIN_MS
    told_ms: int = -KEYS_FRESH_MS


_known: dict[str, _Keys] = {}


def _published(url: str, kid: str | None, algorithm: str) -> Any:
    known, now_ms = _known.setdefault(url, _Keys()), clock.now_ms()
    wanted = now_ms - known.told_ms >= KEYS_FRESH_MS or _chosen(known, kid) is None
    if wanted and now_ms - known.asked_ms >= ASK_AGAIN_MS:
        known.asked_ms = now_ms
        told = _fetched(url)
        if told is not None:
            known.keys, known.told_ms = told, now_ms
    found = _chosen(known, kid)
    if found is None and not known.keys:
        raise Unavailable("the keys of the issuer are not known")
    if found is None:
        raise _unverified("its key is not known")
    try:
        return jwt.PyJWK(found, algorithm=algorithm).key
    except jwt.PyJWTError:
        raise _unverified("its key is of another kind") from None


def _chosen(known: _Keys, kid: str | None) -> dict[str, Any] | None:
    if kid is None and len(known.keys) == 1:
        return next(iter(known.keys.values()))
    return None if kid is None else known.keys.get(kid)


def _fetched(url: str) -> dict[str, dict[str, Any]] | None:
    try:
        answer = _pool().request("GET", url, timeout=TIMEOUT, redirect=False, preload_content=False)
        try:
            body = answer.read(MAX_KEYS_BYTES + 1, decode_content=False)
        finally:
            answer.release_conn()
        listed = json.loads(body)["keys"] if answer.status == 200 and len(body) <= MAX_KEYS_BYTES else None
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        log_fault("the issuer's keys cannot be read", error)
        return None
    if not isinstance(listed, list):
        return None
    keys = [key for key in listed if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    return {str(key.get("kid", "")): key for key in keys if key.get("kty") in ("RSA", "EC")}


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False)


def _box(guard_secret: bytes) -> SecretBox:
    return SecretBox(hmac.digest(guard_secret, b"jwt secret", "sha256"))


def _opened(sealed: str, guard_secret: bytes) -> bytes:
    try:
        return _box(guard_secret).decrypt(base64.urlsafe_b64decode(sealed))
    except (CryptoError, binascii.Error, ValueError):
        raise NotKnown("JWT not enabled for symmetric keys (its secret cannot be opened)") from None


def _check(claims: Claims, settings: JwtSettings) -> None:
    if settings.issuer is not None and claims.get("iss") != settings.issuer:
        raise _unverified("it is of another issuer")
    told = claims.get("aud")
    audiences = told if isinstance(told, list) else [told]
    if settings.audience is not None and settings.audience not in audiences:
        raise _unverified("it is for somebody else")
    if (_moment(claims, "nbf") or 0) > clock.now_ms():
        raise _unverified("its time has not come")


def _moment(claims: Claims, name: str) -> float | None:
    """A claim that is a moment, in ms since 1970."""
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return 1000 * seconds


def _unverified(reason: str) -> NotKnown:
    return NotKnown(f"Cannot verify JWT token. {reason}")


# --- users


def _caller(email: str, subject: str | None, verified: bool) -> Caller:
    """By the subject, else by the address, which is then the subject's, else a new user without a password."""
    user = None if subject is None else store.find_external(subject)
    user = user or _of_address(email, subject, verified) or _made(email, subject, verified)
    return store.caller(user.id)[0]


def _of_address(email: str, subject: str | None, verified: bool) -> User | None:
    try:
        user = store.find(email)
    except NotFound:
        return None
    if not verified or (user.confirmed and (subject is None or user.external_id == subject)):
        return user
    linked = replace(user, external_id=subject or user.external_id, confirmed=True)
    if user.confirmed:
        return store.change(linked)
    # Somebody made the account without proving the address: whoever it was must not keep its password.
    return store.change(replace(linked, tokens_since_ms=clock.now_ms()), password=hashed(generated()))


def _made(email: str, subject: str | None, verified: bool) -> User:
    try:
        return store.create(
            email,
            None,
            confirmed=verified,
            external_id=subject,
            along=lambda write, user: happenings.new_user(write, user.email),
        )
    except Taken:  # by another request of the same person
        found = None if subject is None else store.find_external(subject)
        return found or store.find(email)
