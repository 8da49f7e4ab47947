"""Shape of a challenge as ALTCHA's widgets take it: for the API's document, imported by no function."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class ChallengeParameters(TypedDict):
    """What has to be computed: a counter for which the derived key begins with the prefix."""

    algorithm: str
    """How keys are derived: `SCRYPT` or `ARGON2ID`."""
    cost: int
    memoryCost: int
    parallelism: int
    keyLength: int
    keyPrefix: str
    """Leading hexadecimal digits of the key that is looked for."""
    nonce: str
    salt: str
    expiresAt: int
    """Until when the signature must be there, in seconds since 1970."""
    data: dict[str, Any]
    """The page that it is for."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class PageChallenge(TypedDict):
    """A challenge (ALTCHA, proof of work 2); its solution is sent as `captcha` with the signature."""

    parameters: ChallengeParameters
    signature: str
    """Ours, to be sent back with the solution."""
