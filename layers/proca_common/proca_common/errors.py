"""What the rules refuse, in words of the domain; the texts are the reference's where it has one.

DomainError
├── NotFound             there is no such thing
├── NotOffered           this page or org has not set that up
├── Taken                a unique value belongs to another entity
├── InUse                something still needs it
├── NotAllowed           the rules do not allow this now
│   ├── NotMember        whoever asks does not belong to the org
│   └── LacksPermission  whoever asks may not do this
├── NotKnown             nobody says who asks, or not truly
├── Outdated             it was changed by somebody else meanwhile
├── Ended                a link or code is too old or used up
├── TooMany              a limit per person is reached
├── PaymentRefused       who pays is refused by the payment service
└── ProviderUnavailable  a service of the org does not answer, or does not take its credentials
"""

from __future__ import annotations

from collections.abc import Sequence


class DomainError(Exception):
    """Base: refused, with a text for people that repeats no input."""


class NotFound(DomainError):
    """There is no such thing."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} not found")
        self.kind = kind


class NotOffered(DomainError):
    """This page or org has not set that up."""


class Taken(DomainError):
    """A unique value belongs to another entity (domain 0.4)."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} has already been taken")
        self.field = field


class InUse(DomainError):
    """Something still needs it (domain 1.18)."""


class NotAllowed(DomainError):
    """The rules do not allow this now."""


class NotMember(NotAllowed):
    """Whoever asks does not belong to the org; nobody learns whether it exists."""

    def __init__(self) -> None:
        super().__init__("User is not a member of organisation")


class LacksPermission(NotAllowed):
    """Whoever asks has none of the permissions that are `required`; `provided`: those that are there (names), as staff
    of `org` where it is that (id).
    """

    def __init__(self, required: Sequence[str], provided: Sequence[str], org: int | None = None) -> None:
        super().__init__(f"You do not have the required permission: {', '.join(required)}")
        self.required, self.provided, self.org = list(required), list(provided), org


class NotKnown(DomainError):
    """Whoever asks does not say who that is, or does not prove it (domain 12.2)."""


class Outdated(DomainError):
    """It is no longer as whoever changes it has seen it."""

    def __init__(self) -> None:
        super().__init__("was changed meanwhile: read it again")


class Ended(DomainError):
    """A link or code that was good is too old, or was used as often as it may be (domain 7.4)."""

    def __init__(self) -> None:
        super().__init__("expired")


class TooMany(DomainError):
    """A limit per person or network is reached (design 5, 7.7); `retry_after_s`: seconds after which it may be less."""

    def __init__(self, text: str, retry_after_s: int = 3600) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class PaymentRefused(DomainError):
    """Who pays is refused by the payment service, in its own words; `code` is the service's."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class ProviderUnavailable(DomainError):
    """A service of the org does not answer, or does not take the org's credentials."""
