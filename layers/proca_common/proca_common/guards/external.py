"""Verification by somebody else's service: hCaptcha, Procaptcha, and what speaks like them (domain 3.8).

The service sees the solution and nothing else: no address of the client, nothing of the signature.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from functools import cache
from typing import Any

import urllib3
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from proca_common.aws.logs import logger
from proca_common.guards.settings import Captcha
from proca_common.guards.verification import Challenge, bad_captcha

CONNECT_S = 2
MAX_ANSWER = 64 * 1024
MAX_CODES = 5
REASONS = {
    f"challenge {what}": f"captcha: challenge {what}" for what in ("expired", "already solved", "solution invalid")
}
OTHER_REASON = "captcha: challenge solution validation error"

_CODE = re.compile(r"[a-z0-9-]{1,40}")


class Unverifiable(Exception):
    """The service did not say yes or no; the text is for whoever signs."""


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False)


def _box(guard_secret: bytes) -> SecretBox:
    return SecretBox(hmac.digest(guard_secret, b"captcha secret", "sha256"))


def seal_secret(plain: str, guard_secret: bytes) -> str:
    """The service's secret as it may stand in the catalogue, for `Captcha.secret`."""
    return base64.urlsafe_b64encode(_box(guard_secret).encrypt(plain.encode())).decode()


class ExternalVerifier:
    """Asks the service of these settings about each solution; the service sees to it that none is used twice."""

    def __init__(self, asked: Captcha, guard_secret: bytes) -> None:
        self._asked = asked
        self._guard_secret = guard_secret

    def verify(self, solution: str, page: int, now_ms: int) -> Challenge | None:  # noqa: ARG002 - the service knows
        """None when the service says yes, or says nothing and the settings let that pass. Raises `Refused`."""
        try:
            said = self._said(solution)
        except Unverifiable as silence:
            logger.warning("captcha service does not answer", extra={"service": self._asked.service})
            if self._asked.fail_open:
                return None
            raise bad_captcha(str(silence)) from None
        if said.get("success") is True:
            return None
        raise bad_captcha(_invalid_hcaptcha(said) if self._asked.service == "hcaptcha" else _invalid_procaptcha(said))

    def _said(self, solution: str) -> dict[str, Any]:
        form = {"response": solution}
        if self._asked.secret is not None:
            form["secret"] = self._secret(self._asked.secret)
        timeout = urllib3.Timeout(connect=CONNECT_S, read=self._asked.timeout_ms / 1000)
        try:
            answer = _pool().request(
                "POST",
                self._asked.url,
                fields=form,
                encode_multipart=False,
                timeout=timeout,
                redirect=False,
                preload_content=False,
            )
            with answer:
                status, body = answer.status, answer.read(MAX_ANSWER)
        except (urllib3.exceptions.HTTPError, OSError):
            raise Unverifiable(self._silence("HTTP error")) from None
        if status != 200:
            raise Unverifiable(self._silence(f"returned status {status}"))
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise Unverifiable(self._silence("HTTP error"))
        return said

    def _secret(self, sealed: str) -> str:
        try:
            return _box(self._guard_secret).decrypt(base64.urlsafe_b64decode(sealed)).decode()
        except (CryptoError, ValueError):
            raise Unverifiable(self._silence("HTTP error")) from None

    def _silence(self, what: str) -> str:
        return f"{self._asked.service.capitalize()} {what}"


def _invalid_hcaptcha(said: dict[str, Any]) -> str:
    codes = said.get("error-codes")
    known = (
        [code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)] if isinstance(codes, list) else []
    )
    return f"Captcha code invalid ({', '.join(known[:MAX_CODES])})"


def _invalid_procaptcha(said: dict[str, Any]) -> str:
    reason = said.get("reason")
    return REASONS.get(reason, OTHER_REASON) if isinstance(reason, str) else OTHER_REASON
