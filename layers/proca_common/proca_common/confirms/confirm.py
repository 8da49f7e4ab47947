"""A Confirm: an operation that waits for a second person, who has its code (domain 1.16, 7.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

CODE_DIGITS = 8
CODE = re.compile(r"[0-9]{8}")
VALID_DAYS = 30

CONFIRM_ACTION = "confirm_action"
ADD_STAFFER = "add_staffer"
ADD_PARTNER = "add_partner"
JOIN_CAMPAIGN = "join_campaign"
LAUNCH_PAGE = "launch_page"


@dataclass(frozen=True, slots=True)
class Confirm:
    """`subject` and `object` are ids of what the operation is about. Whoever has the code must also tell `email`, where
    there is one, else the object. `charges`: how often it may still be accepted; `expires`: seconds since 1970.

    `org`: in whose list it stands while it is open, under `id`, which is no secret.
    """

    code: str
    operation: str
    subject: int
    object: int | None = None
    email: str | None = None
    message: str | None = None
    creator: int | None = None
    charges: int = 1
    expires: int | None = None
    org: int | None = None
    id: int | None = None

    def is_met_by(self, email: str | None, object_id: int | None) -> bool:
        """Whether this is who or what it was made for: an e-mail address that is told must be that of the Confirm, else
        an object that is told must be; with neither it must be an open code, which has none (domain 7.4).

        The object of an invitation is its role, which anybody can guess: it takes the address.
        """
        if email is not None:
            return self.email is not None and self.email.casefold() == email.strip().casefold()
        if object_id is not None:
            return self.object == object_id and self.operation != ADD_STAFFER
        return self.email is None and self.object is None

    def has_ended(self, now_ms: int) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now_ms >= self.expires * 1000

    def is_open(self, now_ms: int) -> bool:
        """Whether it may still be accepted."""
        return self.charges > 0 and not self.has_ended(now_ms)
