"""A contact that passed the rules of its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contact:
    """What a schema makes of a contact input; it never shows itself in a repr, as all of it is personal data.

    `payload` is the JSON object each receiving org gets (domain 2.11): camelCase keys, no null at the top level.
    `fingerprint_text` is what makes two contacts the same person (domain 2.9), `area` the statistics area (domain
    2.10). `first_name` and `email` are the copies that a mail to the supporter needs (domain 3.7); `email` is None in
    schemas that do not keep it.
    """

    payload: Mapping[str, object] = field(repr=False)
    fingerprint_text: str = field(repr=False)
    area: str | None = field(repr=False)
    first_name: str = field(repr=False)
    email: str | None = field(repr=False)
