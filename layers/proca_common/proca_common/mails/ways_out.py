"""Which service a mail of an org goes out through, and how fast (domain 8.6, 8.7)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from proca_common.aws import clock
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotAllowed
from proca_common.mails import counts
from proca_common.mails.backends import Backend, Broken, Busy
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import Service, ServiceName

SYSTEM = "system"
FRESH_MS = 30_000
REST_MS = 60_000
LONGEST_REST_MS = 30 * 60_000

_services: Fresh[tuple[int, int, str, bool], Service] = Fresh(FRESH_MS)


def forget() -> None:
    """Empty the cache (tests)."""
    _services.forget()


@dataclass(frozen=True, slots=True)
class Way:
    """A service, and whether the mail was counted for the org's budget."""

    service: Service
    counted: bool = False


def way(org: Org, instance_org: int, *, transactional: bool) -> Way:
    """The way of a mail: where it is `transactional` that backend as far as its budget goes, else the email backend.

    The budget counts the mails of the org, whichever service takes them. Raises `Broken` when there is no such
    service, `Unavailable`.
    """
    if transactional and org.transactional_email_backend is not None:
        service = _service(org, instance_org, transactional=True)
        if service.transactional_email_budget is None:
            return Way(service)
        if counts.charge(org.id, 1) <= service.transactional_email_budget:
            return Way(service, counted=True)
        return Way(_service(org, instance_org, transactional=False), counted=True)
    return Way(_service(org, instance_org, transactional=False))


def _service(org: Org, instance_org: int, *, transactional: bool) -> Service:
    name = org.transactional_email_backend if transactional else org.email_backend

    def fetch() -> Service:
        owner, wanted = org.id, name
        if wanted == SYSTEM:
            lender = orgs.get(instance_org)
            owner = lender.id
            wanted = lender.transactional_email_backend if transactional else lender.email_backend
        if wanted is None or wanted == SYSTEM:
            raise Broken("the instance org has no such backend")
        found = services.latest(owner, ServiceName(wanted))
        if found is None:
            raise Broken("no such service")
        if found.name is ServiceName.SES and not found.user and owner != instance_org:
            raise Broken("only the instance's org sends with the instance's own account")
        return found

    return _services.get((org.id, instance_org, str(name), transactional), fetch)


@dataclass(frozen=True, slots=True)
class _Rest:
    """A service that did not answer so often in a row; nothing goes through it until then (ms since 1970)."""

    unanswered: int
    until_ms: int


class Pace:
    """Lets mails go at equal distances, one environment's share of the rate."""

    def __init__(self) -> None:
        self._free_ms = 0.0

    def take(self, rate: float | None, latest_ms: int) -> bool:
        """Wait until the next mail may go, `rate` in a second; False, and no waiting, where that is after
        `latest_ms`.
        """
        if rate is None:
            return True
        now_ms = clock.now_ms()
        at_ms = max(float(now_ms), self._free_ms)
        if at_ms > latest_ms:
            return False
        self._free_ms = at_ms + 1000 / rate
        if at_ms > now_ms:
            clock.sleep_ms(at_ms - now_ms)
        return True


class WaysOut:
    """The backends of one environment, opened when they are needed and closed after each batch.

    `concurrency`: how many environments send at once at most; each takes its share of a rate. `this_machine`: see
    `pipes.address_rules`.
    """

    def __init__(
        self,
        passwords_secret: Callable[[], bytes],
        configuration_set: str | None,
        concurrency: int,
        *,
        this_machine: bool = False,
    ) -> None:
        self._secret, self._configuration_set, self._concurrency = passwords_secret, configuration_set, concurrency
        self._this_machine = this_machine
        self._backends: dict[tuple[int, float], Backend] = {}
        self._paces: dict[int, Pace] = {}
        self._open: set[tuple[int, float]] = set()
        self._closed: set[int] = set()
        self._rests: dict[int, _Rest] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._open.clear()
        self._closed.clear()

    def backend(self, service: Service) -> Backend:
        """The backend of a service, open until the end of the batch. Raises `Busy` after `give_up` and while it rests,
        and `Broken`.
        """
        if service.id in self._closed:
            raise Busy("given up for now")
        rest = self._rests.get(service.id)
        if rest is not None and clock.now_ms() < rest.until_ms:
            raise Busy("it did not answer lately")
        key = service.id, service.updated.timestamp()
        if key not in self._backends:
            self._backends = {known: old for known, old in self._backends.items() if known[0] != service.id}
            self._backends[key] = self._made(service)
        if key not in self._open:
            self._stack.enter_context(self._backends[key])
            self._open.add(key)
        return self._backends[key]

    def give_up(self, service: Service) -> None:
        """Nothing more goes through it in this batch."""
        self._closed.add(service.id)

    def did_answer(self, service: Service, *, answered: bool) -> None:
        """Whether it said that it took a mail. One that does not rests for a minute, each time in a row twice as long,
        up to half an hour: of each mail that it is given meanwhile nobody would know whether it went out.
        """
        if answered:
            self._rests.pop(service.id, None)
            return
        known = self._rests.get(service.id)
        before = 0 if known is None else known.unanswered
        rest_ms = min(LONGEST_REST_MS, REST_MS << min(before, 10))
        self._rests[service.id] = _Rest(before + 1, clock.now_ms() + rest_ms)

    def wait_for_turn(self, service: Service, latest_ms: int) -> bool:
        """Wait as the rate of the service says; False where the turn comes after `latest_ms`."""
        rate = self.backend(service).rate()
        pace = self._paces.setdefault(service.id, Pace())
        return pace.take(None if rate is None else rate / self._concurrency, latest_ms)

    def _made(self, service: Service) -> Backend:
        password = self._password(service)
        match service.name:
            case ServiceName.SES:
                from proca_common.mails.backends.ses import Ses  # noqa: PLC0415 - not for who never uses it

                if service.user:  # another account, which has no such configuration set
                    return Ses(service.host or None, (service.user, password))
                return Ses(service.host or None, configuration_set=self._configuration_set)
            case ServiceName.SMTP:
                from proca_common.mails.backends.smtp import Smtp  # noqa: PLC0415 - not for who never uses it

                return Smtp(service.host, service.user, password, service.rate, this_machine=self._this_machine)
            case _:
                raise Broken(f"{service.name} sends no mails")

    def _password(self, service: Service) -> str:
        if service.sealed_password is None:
            return ""
        try:
            return services.opened(service, self._secret())
        except NotAllowed:
            raise Broken("the password of a service cannot be opened") from None
