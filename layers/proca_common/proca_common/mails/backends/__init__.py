"""Ways out for mails. A backend takes a `Letter`; what it could not do is one of these.

NotSent            it is certain that this mail did not go out; later it may
├── Busy           nothing goes out for now: a rate or quota of the provider is used up
├── Broken         nothing goes out through this service until somebody looks at it: credentials, sender, network
└── Undeliverable  and it never will: the provider does not take this recipient
Unanswered         the provider got it and did not say whether it took it
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from proca_common.mails.letter import Letter


class NotSent(Exception):
    """It is certain that this mail did not go out. The text holds codes only, never what the provider said."""


class Busy(NotSent):
    """Nothing goes out for now."""


class Broken(NotSent):
    """Nothing goes out through this service until somebody looks at it."""


class Undeliverable(NotSent):
    """The provider will never take a mail for this recipient."""


class Unanswered(Exception):
    """The provider got it and did not say whether it took it."""


class Backend(Protocol):
    """A way out, for one batch; connections it opened are closed at the end."""

    def send(self, letter: Letter) -> None:
        """Hand it over. Raises `NotSent` or `Unanswered`."""
        ...

    def rate(self) -> float | None:
        """Mails that may go out through it in a second, by all senders together; None: as many as there are."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
