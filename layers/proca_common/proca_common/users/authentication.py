"""Who asks: HTTP Basic, API tokens and JWTs in the header `Authorization` (domain 12.2); every management endpoint asks
here.

Whoever tries is slowed by account and network; a wrong answer does not tell what of it was wrong, and takes as long.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Protocol

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.aws import clock
from proca_common.errors import NotFound, NotKnown
from proca_common.failures import Malformed
from proca_common.guards import caps
from proca_common.users import store, tokens
from proca_common.users.passwords import is_password, was_verified
from proca_common.users.tokens import API, API_VALID_MS, USE_EVERY_MS, api_secret
from proca_common.users.user import Caller

NEEDED = "Authentication is required for this API call"
WRONG_BASIC = "Can not authenticate with these Basic HTTP credentials"
MALFORMED_BASIC = "Malformed Basic auth header"
WRONG_TOKEN = "Cannot verify token"  # noqa: S105 - what is said of a wrong one
SCHEME = re.compile(r"(basic|bearer) +(\S+)", re.IGNORECASE)


class Issuer(Protocol):
    """Who issues JWTs that are believed here."""

    def caller(self, token: str) -> Caller:
        """The user whom the token speaks of. Raises `NotKnown`."""


class Authenticator:
    """Tells who asks. `guard_secret` gives the key of the caps; `issuer` is that of JWTs: where none is given, the one
    that the instance names.
    """

    def __init__(self, guard_secret: Callable[[], bytes], issuer: Issuer | None = None) -> None:
        self._guard_secret, self._issuer = guard_secret, issuer

    def caller(self, event: APIGatewayProxyEvent) -> Caller:
        """Who asks, with all that may be done. Raises `NotKnown`, `Malformed`, `TooMany`, `Unavailable`."""
        found = self.caller_if_any(event)
        if found is None:
            raise NotKnown(NEEDED)
        return found

    def caller_if_any(self, event: APIGatewayProxyEvent) -> Caller | None:
        """The same; None when nobody says who asks, or in a way that is not spoken here."""
        match = SCHEME.fullmatch((event.headers.get("authorization") or "").strip())
        if match is None:
            return None
        scheme, given = match[1].lower(), match[2]
        client = event.request_context.identity.source_ip
        if scheme == "basic":
            return self._by_password(given, client)
        if given.startswith("API-"):
            return self._by_token(given, client)
        if given.startswith("ey"):
            return self._issuer_of_jwts().caller(given)
        raise NotKnown(WRONG_TOKEN)

    def _issuer_of_jwts(self) -> Issuer:
        if self._issuer is None:
            from proca_common.users.jwt import ConfiguredIssuer  # noqa: PLC0415 - 150 ms, for who uses it

            self._issuer = ConfiguredIssuer(self._guard_secret)
        return self._issuer

    def check_password(self, email: str, password: str, client: str | None) -> Caller:
        """The user with this address and password. Raises `NotKnown` and `TooMany`."""
        caller, known = store.caller_by_email(email)
        if caller is not None and known is not None and was_verified(password, known):
            return caller
        login = caps.count_login(email, client, self._guard_secret(), clock.now_ms())
        if not is_password(password, known) or caller is None:
            raise NotKnown(WRONG_BASIC)
        login.take_back(clock.now_ms())
        return caller

    def _by_password(self, given: str, client: str | None) -> Caller:
        try:
            email, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise Malformed(MALFORMED_BASIC) from None
        if not (email and colon and password):
            raise Malformed(MALFORMED_BASIC)
        return self.check_password(email, password, client)

    def _by_token(self, given: str, client: str | None) -> Caller:
        secret = api_secret(given)
        token = None if secret is None else tokens.find(API, secret)
        if token is None:
            caps.count_token(client, self._guard_secret(), clock.now_ms())
            raise NotKnown(WRONG_TOKEN)
        try:
            caller, _ = store.caller(token.user)
        except NotFound:
            raise NotKnown(WRONG_TOKEN) from None
        if token.made_ms < caller.user.tokens_since_ms:
            raise NotKnown(WRONG_TOKEN)
        if clock.now_ms() - (token.used_ms or token.made_ms) >= USE_EVERY_MS:
            tokens.use(token, API_VALID_MS)
        return caller
