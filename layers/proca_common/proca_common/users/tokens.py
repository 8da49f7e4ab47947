"""Tokens of users: what they look like, how long they hold (domain 12.4), and how they are kept: by their hashes alone.

pk                  sk
user#<id>           token#<context>#<hash>      a token
token#<hash>        token                       whose it is
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items
from proca_common.catalog.changes import Along, nothing
from proca_common.errors import NotFound
from proca_common.orgs.encryption import from_text, to_text

API = "api"
CONFIRM = "confirm"
RESET = "reset"
CHANGE = "change"

SECRET_BYTES = 32
API_PREFIX = bytes.fromhex("00F23E")
API_LENGTH = 47
DAY_MS = 86_400_000
API_VALID_MS = 30 * DAY_MS
USE_EVERY_MS = 30_000
VALID_MS = {CONFIRM: 7 * DAY_MS, RESET: DAY_MS, CHANGE: 7 * DAY_MS}


def new_secret() -> bytes:
    """What a token is made of: 256 random bits."""
    return secrets.token_bytes(SECRET_BYTES)


def new_api_secret() -> bytes:
    """The same for an API token, with the bytes before that make its text begin with `API-`."""
    return API_PREFIX + new_secret()


def api_secret(text: str) -> bytes | None:
    """The bytes of an API token; None for what cannot be one."""
    try:
        secret = from_text(text)
    except ValueError:
        return None
    return secret if len(text) == API_LENGTH and secret.startswith(API_PREFIX) else None


def secret_of(text: str) -> bytes | None:
    """The bytes of a token that came by mail; None for what cannot be one."""
    try:
        secret = from_text(text)
    except ValueError:
        return None
    return secret if len(secret) == SECRET_BYTES else None


def text_of(secret: bytes) -> str:
    """The token as it is given out, once."""
    return to_text(secret)


class TokenItem(CatalogItem, discriminator="token"):
    """A token, under its user. `sent_to`: the address that it was mailed to. Times in ms since 1970."""

    context = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    sent_to = UnicodeAttribute(null=True)
    made = NumberAttribute()
    used = NumberAttribute(null=True)
    expires = TTLAttribute()


class TokenOwnerItem(CatalogItem, discriminator="token_owner"):
    """Whose token has this hash."""

    user = NumberAttribute()
    context = UnicodeAttribute()
    expires = TTLAttribute()


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its user may see it: never the token itself. `id`: the beginning of its hash. Times in ms."""

    id: str
    hash: str
    user: int
    context: str
    name: str | None
    sent_to: str | None
    made_ms: int
    used_ms: int | None
    expires_ms: int


def token_hash(secret: bytes) -> str:
    """What is stored of a token: its SHA-256, in hex. It has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret).hexdigest()


def add(
    user: int,
    context: str,
    secret: bytes,
    valid_ms: int,
    *,
    name: str | None = None,
    sent_to: str | None = None,
    along: Along = nothing,
) -> Token:
    """Store a new token of the user, by its hash; `along` adds what is written with it."""
    now_ms, digest = clock.now_ms(), token_hash(secret)
    expires_ms = (now_ms + valid_ms) // 1000 * 1000  # the table's own unit
    token = Token(digest[:16], digest, user, context, name, sent_to, now_ms, None, expires_ms)
    transaction = Transaction()
    transaction.put("token", _token_item(token), CatalogItem.pk.does_not_exist())
    owner = TokenOwnerItem(pk=f"token#{digest}", sk="token", user=user, context=context, expires=_time(token))
    transaction.put("owner", owner, CatalogItem.pk.does_not_exist())
    along(transaction)
    items.commit(transaction)
    return token


def find(context: str, secret: bytes) -> Token | None:
    """The token with this secret, if it still holds for this use; two consistent reads, for a known and unknown one."""
    digest = token_hash(secret)
    owner = items.read(TokenOwnerItem, f"token#{digest}", "token")
    user = 0 if owner is None else int(owner.user)
    item = items.read(TokenItem, f"user#{user}", _token_sk(context, digest))
    if item is None or owner is None:
        return None
    token = _token(user, item)
    return token if token.expires_ms > clock.now_ms() else None


def of_user(user: int, context: str) -> list[Token]:
    """The user's tokens for this use that still hold, the newest first."""
    condition = TokenItem.sk.startswith(f"token#{context}#")
    try:
        found = list(TokenItem.query(f"user#{user}", condition, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    now_ms = clock.now_ms()
    tokens = [token for token in (_token(user, item) for item in found) if token.expires_ms > now_ms]
    return sorted(tokens, key=lambda token: token.made_ms, reverse=True)


def use(token: Token, valid_ms: int) -> None:
    """It was used now, and holds so long from now on."""
    now_ms = clock.now_ms()
    used = replace(token, used_ms=now_ms, expires_ms=now_ms + valid_ms)
    item = _token_item(used)
    changes = [TokenItem.used.set(now_ms), TokenItem.expires.set(_time(used))]
    try:
        dynamo.update(TokenItem(item.pk, item.sk), changes, CatalogItem.pk.exists())
        owner = TokenOwnerItem(f"token#{token.hash}", "token")
        dynamo.update(owner, [TokenOwnerItem.expires.set(_time(used))], CatalogItem.pk.exists())
    except Cancelled:
        return  # it was revoked just now


def remove(token: Token, along: Along = nothing) -> None:
    """Make the token void. Raises `NotFound` where somebody else just did."""
    transaction = Transaction()
    use_up(transaction, token)
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotFound("token") from None


def use_up(transaction: Transaction, token: Token) -> None:
    """Make the token void in this transaction; refused where it was before."""
    item = TokenItem(f"user#{token.user}", _token_sk(token.context, token.hash))
    transaction.delete(f"token {token.id}", item, CatalogItem.pk.exists())
    transaction.delete(f"owner {token.id}", TokenOwnerItem(f"token#{token.hash}", "token"))


def _token_sk(context: str, digest: str) -> str:
    return f"token#{context}#{digest}"


def _time(token: Token) -> datetime:
    return datetime.fromtimestamp(token.expires_ms // 1000, UTC)


def _token_item(token: Token) -> TokenItem:
    return TokenItem(
        pk=f"user#{token.user}",
        sk=_token_sk(token.context, token.hash),
        context=token.context,
        name=token.name,
        sent_to=token.sent_to,
        made=token.made_ms,
        used=token.used_ms,
        expires=_time(token),
    )


def _token(user: int, item: TokenItem) -> Token:
    digest = item.sk.rpartition("#")[2]
    used = None if item.used is None else int(item.used)
    expires_ms = int(item.expires.timestamp() * 1000)
    return Token(digest[:16], digest, user, item.context, item.name, item.sent_to, int(item.made), used, expires_ms)
