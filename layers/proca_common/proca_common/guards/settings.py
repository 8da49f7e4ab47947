"""The settings of guards, the same for a campaign and the instance: what a campaign does not say, the instance decides.

A setting is off where it is `false`, so that a campaign can switch off what the instance has on. `true` is a setting
with nothing but defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from proca_common.catalog.entity import Entity
from proca_common.guards.patterns import MAX_PATTERNS, Pattern


def _defaults_if_true(value: object) -> object:
    return {} if value is True else value


class ProofOfWork(Entity):
    """What a browser has to compute before it may sign (ALTCHA, proof of work 2).

    `memory_mib`: memory of one try, which takes the longer the more it needs. `digits`: leading zeros, hexadecimal, so
    that a solution takes 16 ** digits tries on average. `valid_s`: seconds between asking for a challenge and signing.
    """

    algorithm: Literal["SCRYPT", "ARGON2ID"] = "SCRYPT"
    memory_mib: Literal[1, 2, 4, 8, 16, 32] = 4
    digits: Annotated[int, Field(ge=1, le=4)] = 2
    valid_s: Annotated[int, Field(ge=60, le=3600)] = 600


class Captcha(Entity):
    """A service that says whether a solution is good. `secret`: as `guards.external.seal_secret` makes it.

    `fail_open`: whether a signature is taken when the service does not answer within `timeout_ms`.
    """

    service: Literal["hcaptcha", "procaptcha"]
    url: Annotated[str, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])\S+$", max_length=500)]
    secret: Annotated[str, Field(max_length=1000)] | None = None
    fail_open: bool = False
    timeout_ms: Annotated[int, Field(ge=200, le=5_000)] = 3_000


class NetworkCap(Entity):
    """How many signatures, further actions, links and payments one client network may send to one campaign: in 10 s,
    and in 60 s.
    """

    burst: Annotated[int, Field(ge=1, le=1_000_000)]
    sustained: Annotated[int, Field(ge=1, le=1_000_000)]


class AddressCap(Entity):
    """How many mails one address may get: in an hour, and in a day."""

    burst: Annotated[int, Field(ge=1, le=1_000)] = 5
    sustained: Annotated[int, Field(ge=1, le=1_000)] = 20


class OwnGuards(Entity):
    """The guards that an org sets for its campaigns by itself; None: not said here, so the instance decides."""

    proof_of_work: Annotated[ProofOfWork | Literal[False] | None, BeforeValidator(_defaults_if_true)] = None
    network_cap: NetworkCap | Literal[False] | None = None
    address_cap: Annotated[AddressCap | Literal[False] | None, BeforeValidator(_defaults_if_true)] = None


class Guards(OwnGuards):
    """All guards of a campaign or of the instance; None: not said here. Patterns of both hold."""

    captcha: Captcha | Literal[False] | None = None
    patterns: Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)] = ()

    @property
    def services(self) -> list[str]:
        """The names of all ways to show that one is no machine; the first is meant where a request names none."""
        return [*(["altcha"] if self.proof_of_work else []), *([self.captcha.service] if self.captcha else [])]


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored, without what is not said. Raises pydantic's ValidationError."""
    stored = Guards.model_validate(given).model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in stored.items() if value != []}


def effective(campaign: Mapping[str, Any], instance: Mapping[str, Any]) -> Guards | None:
    """What holds for a campaign: its own settings before the instance's. None when every guard is off."""
    own, general = Guards.model_validate(campaign), Guards.model_validate(instance)
    said = {name: value for name, value in own if value is not None}
    guards = general.model_copy(update={**said, "patterns": own.patterns + general.patterns})
    return guards if any(vars(guards).values()) else None
