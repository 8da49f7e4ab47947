"""Caps: how many signatures a client network may send to a campaign, how many mails an address may get, how many codes
may be guessed.

What is counted stands in one item for each subject and day, in slices of time: `s<slice>` counts, `w<slice>` says how
often it was written, that is by about how many environments. A count is that of all slices which reach into the window,
so it is never too low. Each environment counts by itself and writes its sum once a second; sooner only when what is not
written yet, in all environments together, could go beyond a tenth of the cap. A subject that is at its cap is refused
without a write until a slice leaves the window.

A subject is an HMAC with a key that changes each day (UTC), its item expires after two days: nobody can tell from it
who came, or that the same one came again on another day.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault
from proca_common.errors import TooMany
from proca_common.guards.settings import AddressCap, NetworkCap

DAY_MS = 86_400_000
KEPT_S = 2 * 86_400
WRITE_EVERY_MS = 1_000
TOLERANCE = 0.1
UNKNOWN_WRITERS = 64
MAX_SUBJECTS = 10_000
MAX_REMOVED = 50
BITS_V4, BITS_V6 = 24, 48


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted how: slices of `slice_ms`, and for each window (ms) how many may be in it. `ask_again_ms`: after
    how long a subject at its cap is looked up again, because others may take back what they counted.
    """

    slice_ms: int
    windows: tuple[tuple[int, int], ...]
    ask_again_ms: int = DAY_MS

    @property
    def slices(self) -> int:
        """How many slices matter at any moment."""
        return max(window for window, _ in self.windows) // self.slice_ms + 1

    def count(self, counts: Mapping[int, int], window_ms: int, now_ms: int) -> int:
        """All in the slices that reach into the window which ends now."""
        first = (now_ms - window_ms) // self.slice_ms
        return sum(number for at, number in counts.items() if at >= first)

    def room(self, counts: Mapping[int, int], now_ms: int) -> int:
        """How many more there may be now; negative when there were too many."""
        return min(cap - self.count(counts, window, now_ms) for window, cap in self.windows)

    def free_at_ms(self, counts: Mapping[int, int], now_ms: int) -> int:
        """When there is room again, if nobody else comes: the start of a slice, later than now."""
        slice_now = now_ms // self.slice_ms
        for ahead in range(1, self.slices + 1):
            at_ms = (slice_now + ahead) * self.slice_ms
            if self.room(counts, at_ms) > 0:
                return at_ms
        return (slice_now + self.slices) * self.slice_ms

    def allowance(self, writers: int) -> int:
        """How many one of so many environments may let in without writing."""
        return int(min(cap for _, cap in self.windows) * TOLERANCE) // max(writers, 1)


def of_network(cap: NetworkCap) -> Meter:
    """Signatures: bursts in 10 s, sustained in 60 s."""
    return Meter(2_000, ((10_000, cap.burst), (60_000, cap.sustained)))


def of_address(cap: AddressCap) -> Meter:
    """Mails: bursts in an hour, sustained in a day."""
    return Meter(3_600_000, ((3_600_000, cap.burst), (DAY_MS, cap.sustained)))


GUESSES = Meter(600_000, ((600_000, 10), (DAY_MS, 100)))
"""Codes that a network may try: eight digits would be guessed otherwise."""

PROBES = Meter(600_000, ((600_000, 60), (DAY_MS, 500)))
"""Addresses that somebody may ask after by making their users staff."""

WAIT_MS = 5_000
LOGINS_THERE = Meter(60_000, ((600_000, 30), (DAY_MS // 4, 200)), WAIT_MS)
LOGINS_OF_ACCOUNT = Meter(60_000, ((600_000, 300), (DAY_MS // 4, 2_000)), WAIT_MS)
LOGINS_OF_NETWORK = Meter(60_000, ((600_000, 300), (DAY_MS // 4, 2_000)), WAIT_MS)
"""Passwords that may be tried: for an account from one network, for it from anywhere, and by a network for any account.
The first is so low that one network cannot use up what others may try. Those that were right are taken back.
"""

TOKENS_OF_NETWORK = Meter(60_000, ((600_000, 100), (DAY_MS // 4, 1_000)))
"""Tokens that a network may try."""

ACCOUNT_MAILS = Meter(600_000, ((600_000, 20), (DAY_MS, 200)))
"""Mails to accounts that a network may ask for without saying who it is."""


@dataclass(slots=True)
class _Seen:
    """What this environment knows of a subject: all counts as last written, and what it has not written yet."""

    counts: Counter[int] = field(default_factory=Counter)
    unwritten: Counter[int] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)
    writers: int = UNKNOWN_WRITERS
    written_ms: int = -DAY_MS
    full_until_ms: int = 0


class Caps:
    """The counts of one environment."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def take(self, subject: str, meter: Meter, now_ms: int) -> int | None:
        """Count one more of the subject; None if it may come, else in how many ms to try again. At most one call.

        When the store does not answer, what is known here decides.
        """
        seen = self._of(subject)
        if now_ms < seen.full_until_ms:
            return seen.full_until_ms - now_ms
        slice_now = now_ms // meter.slice_ms
        known = seen.counts + seen.unwritten
        if meter.room(known, now_ms) <= 0 and now_ms - seen.written_ms < WRITE_EVERY_MS:
            return self._full(seen, known, meter, now_ms)
        seen.unwritten[slice_now] += 1
        late = now_ms - seen.written_ms >= WRITE_EVERY_MS
        if not late and seen.unwritten.total() <= meter.allowance(seen.writers):
            return None
        self._write(subject, seen, meter, now_ms)
        known = seen.counts + seen.unwritten
        if meter.room(known, now_ms) >= 0:
            return None
        seen.unwritten[slice_now] -= 1  # it was counted, but does not come: the next write takes it back
        return self._full(seen, known, meter, now_ms)

    def give_back(self, subject: str, meter: Meter, taken_ms: int, now_ms: int) -> None:
        """What was taken at that moment was none of what is capped. At most one call."""
        seen = self._of(subject)
        seen.unwritten[taken_ms // meter.slice_ms] -= 1
        seen.full_until_ms = 0
        if any(seen.unwritten.values()):
            self._write(subject, seen, meter, now_ms)

    def _of(self, subject: str) -> _Seen:
        seen = self._seen.pop(subject, None) or _Seen()
        self._seen[subject] = seen  # the last is the latest
        if len(self._seen) > MAX_SUBJECTS:
            del self._seen[next(iter(self._seen))]
        return seen

    @staticmethod
    def _full(seen: _Seen, counts: Counter[int], meter: Meter, now_ms: int) -> int:
        free_at_ms = meter.free_at_ms(counts, now_ms)
        seen.full_until_ms = min(free_at_ms, now_ms + meter.ask_again_ms)
        return free_at_ms - now_ms

    @staticmethod
    def _write(subject: str, seen: _Seen, meter: Meter, now_ms: int) -> None:
        slice_now = now_ms // meter.slice_ms
        first = slice_now - meter.slices
        changes = {f"s{at}": number for at, number in seen.unwritten.items() if number and at >= first}
        seen.written_ms = now_ms
        try:
            found = dynamo.add_numbers(
                ActionsItem,
                {"ref": f"cap#{subject}", "sk": "cap"},
                {**changes, f"w{slice_now}": 1},
                remove=seen.stale,
                put={"kind": "cap", "expires": now_ms // 1000 + KEPT_S},
            )
        except CloudError as error:
            log_fault("caps are not written", error)
            return
        seen.unwritten.clear()
        numbers = {name: number for name, number in found.items() if name[0] in "sw" and name[1:].isdigit()}
        seen.stale = [name for name in numbers if int(name[1:]) < first][:MAX_REMOVED]
        seen.counts = Counter({int(name[1:]): number for name, number in numbers.items() if name[0] == "s"})
        # An environment that is busy writes in each slice. Of a slice that began just now little can be told.
        before = numbers.get(f"w{slice_now - 1}", UNKNOWN_WRITERS)
        seen.writers = max(numbers.get(f"w{slice_now}", 1), before)


_here = Caps()


def forget() -> None:
    """Start anew, as another environment (tests)."""
    _here._seen.clear()


def count_signature(cap: NetworkCap, client: str | None, campaign: int, secret: bytes, now_ms: int) -> None:
    """Count a signature of this client for the campaign. Raises `TooMany` when its network has no room."""
    _take(of_network(cap), subject(secret, now_ms, "network", network_of(client), str(campaign)), now_ms)


def count_mail(cap: AddressCap, email: str, secret: bytes, now_ms: int) -> None:
    """Count a mail to this address. Raises `TooMany` when it gets no more for now."""
    _take(of_address(cap), subject(secret, now_ms, "address", email.strip().casefold()), now_ms)


def count_guess(client: str | None, secret: bytes, now_ms: int, user: int | None = None) -> None:
    """Count a code that this client tries, as this user. Raises `TooMany` when its network, or the user from wherever,
    has tried enough for now.
    """
    _take(GUESSES, subject(secret, now_ms, "guess", network_of(client)), now_ms)
    if user is not None:
        _take(GUESSES, subject(secret, now_ms, "guess of", str(user)), now_ms)


def count_probe(user: int, secret: bytes, now_ms: int) -> None:
    """Count an address of which this user asks whether it has an account. Raises `TooMany`."""
    _take(PROBES, subject(secret, now_ms, "probe of", str(user)), now_ms)


def count_token(client: str | None, secret: bytes, now_ms: int) -> None:
    """Count a token that this client tries. Raises `TooMany` when its network has tried enough for now."""
    _take(TOKENS_OF_NETWORK, subject(secret, now_ms, "token", network_of(client)), now_ms)


def count_account_mail(client: str | None, secret: bytes, now_ms: int) -> None:
    """Count a mail to an account that an unknown client asks for. Raises `TooMany`."""
    _take(ACCOUNT_MAILS, subject(secret, now_ms, "account mail", network_of(client)), now_ms)


@dataclass(frozen=True, slots=True)
class Login:
    """A try to prove who one is, as it was counted."""

    counted: tuple[tuple[str, Meter], ...]
    taken_ms: int

    def take_back(self, now_ms: int) -> None:
        """It was right, so it was no guess."""
        for subject, meter in self.counted:
            _here.give_back(subject, meter, self.taken_ms, now_ms)


def count_login(account: str, client: str | None, secret: bytes, now_ms: int) -> Login:
    """Count a password that this client tries for the account. Raises `TooMany`, and then counts nothing."""
    account, network = account.strip().casefold(), network_of(client)
    wanted = (
        (subject(secret, now_ms, "login from", network), LOGINS_OF_NETWORK),
        (subject(secret, now_ms, "login", account, network), LOGINS_THERE),
        (subject(secret, now_ms, "login", account), LOGINS_OF_ACCOUNT),
    )
    for number, (counted, meter) in enumerate(wanted):
        try:
            _take(meter, counted, now_ms)
        except TooMany:
            Login(wanted[:number], now_ms).take_back(now_ms)
            raise
    return Login(wanted, now_ms)


def _take(meter: Meter, counted: str, now_ms: int) -> None:
    wait_ms = _here.take(counted, meter, now_ms)
    if wait_ms is not None:
        raise TooMany("too many from there, try again later", retry_after_s=-(-wait_ms // 1000))


def subject(secret: bytes, now_ms: int, *parts: str) -> str:
    """Who is counted, told apart by these parts: an HMAC with the key of this day."""
    day = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%d")
    key = hmac.digest(secret, f"caps {day}".encode(), "sha256")
    return hmac.digest(key, "\0".join(parts).encode(), "sha256").hex()[:40]


def network_of(client: str | None) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; what is no address is a network of its own."""
    try:
        address = ip_address(client or "")
    except ValueError:
        return client or ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = BITS_V6 if isinstance(address, IPv6Address) else BITS_V4
    return str(ip_network(f"{address}/{bits}", strict=False))
