"""Stripe's API over plain HTTPS: one POST for each object, and what its answers mean (docs/decisions).

Neither the key nor what is sent or answered is ever logged.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

import urllib3

from proca_common.aws import clock
from proca_common.aws.clients import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TRIES
from proca_common.aws.logs import logger
from proca_common.errors import PaymentRefused, ProviderUnavailable

API = "https://api.stripe.com"
VERSION = "2024-06-20"
PATHS = {
    "customer": "/v1/customers",
    "price": "/v1/prices",
    "payment_intent": "/v1/payment_intents",
    "subscription": "/v1/subscriptions",
}
MAX_ANSWER = 1024 * 1024
MAX_MESSAGE = 500
RESERVE_MS = 1_000
SILENT = "the payment service does not answer, try again later"
UNUSABLE = "the payment service does not take the org's key"

_KEY = re.compile(r"[\x21-\x7e]+")
_CODE = re.compile(r"[a-z0-9_]{1,80}")
_PARAM = re.compile(r"[A-Za-z0-9_\[\]]{1,200}")


class StripeRefused(Exception):
    """Stripe did not take an object: `code` is Stripe's, `param` its name for what is wrong, `message` for people."""

    def __init__(self, code: str, param: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.param = param
        self.message = message


@dataclass(frozen=True, slots=True)
class Created:
    """An object of Stripe. `replayed`: it had been created before, under the same key."""

    made: Mapping[str, Any]
    replayed: bool


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False)


@dataclass(frozen=True, slots=True)
class Stripe:
    """An account of Stripe. `host`: "" is Stripe itself; `remaining_ms`: how long the caller may still take."""

    key: str
    host: str
    remaining_ms: Callable[[], int]

    def create(self, kind: str, params: Mapping[str, Any], idempotency_key: str) -> Created:
        """Create an object, with three tries; a repetition under the same key creates nothing more.

        Raises `StripeRefused`, `PaymentRefused`, and `ProviderUnavailable` when Stripe does not answer in time.
        """
        if not _KEY.fullmatch(self.key):
            raise ProviderUnavailable(UNUSABLE)
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": idempotency_key,
            "Stripe-Version": VERSION,
        }
        url = (self.host.rstrip("/") or API) + PATHS[kind]
        body = urlencode(list(flattened(params)))
        for attempt in range(TRIES):
            if attempt:
                clock.sleep_ms(random.uniform(100, 250 * 2**attempt))
            answer = self._answer(url, body, headers)
            if answer is None or _may_be_repeated(*answer[:2]):
                continue
            return _understood(*answer)
        logger.warning("stripe does not answer", extra={"kind": kind})
        raise ProviderUnavailable(SILENT)

    def _answer(self, url: str, body: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes] | None:
        """Status, headers and body; None when there was no answer. Raises `ProviderUnavailable` when time is up."""
        left_s = (self.remaining_ms() - RESERVE_MS) / 1000
        if left_s <= 0:
            logger.warning("no time left for stripe")
            raise ProviderUnavailable(SILENT)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S, total=left_s)
        try:
            answer = _pool().request(
                "POST", url, body=body, headers=headers, timeout=timeout, redirect=False, preload_content=False
            )
            with answer:
                return answer.status, answer.headers, answer.read(MAX_ANSWER)
        except (urllib3.exceptions.HTTPError, OSError):
            return None


def flattened(params: Mapping[str, Any] | Sequence[Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Parameters as Stripe takes them in a form: `items[0][price]`."""
    entries = params.items() if isinstance(params, Mapping) else enumerate(params)
    for name, value in entries:
        path = f"{within}[{name}]" if within else str(name)
        if isinstance(value, dict | list | tuple):
            yield from flattened(value, path)
        else:
            yield path, str(value).lower() if isinstance(value, bool) else str(value)


def _may_be_repeated(status: int, headers: Mapping[str, str]) -> bool:
    """Whether trying again may help; Stripe says so where it knows."""
    said = headers.get("Stripe-Should-Retry")
    if said in ("true", "false"):
        return said == "true"
    return status in (409, 429) or status >= 500


def _understood(status: int, headers: Mapping[str, str], body: bytes) -> Created:
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    if status == 200 and isinstance(said.get("id"), str):
        return Created(said, headers.get("Idempotent-Replayed") == "true")
    error = said.get("error")
    raise _refusal(status, error if isinstance(error, dict) else {})


def _refusal(status: int, error: Mapping[str, Any]) -> Exception:
    """What an error of Stripe means for whoever pays. The words of 401 and 403 are about the key, so they stay here."""
    kind = _matched(_CODE, error.get("type"))
    code = _matched(_CODE, error.get("decline_code")) or _matched(_CODE, error.get("code")) or kind
    message = error.get("message")
    logger.warning("stripe refused", extra={"stripe_status": status, "stripe_code": code})
    if not isinstance(message, str) or not code or status not in (400, 402, 404):
        return ProviderUnavailable(UNUSABLE if status in (401, 403) else SILENT)
    if status == 402:
        return PaymentRefused(message[:MAX_MESSAGE], code)
    return StripeRefused(code, _matched(_PARAM, error.get("param")), message[:MAX_MESSAGE])


def _matched(form: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""
