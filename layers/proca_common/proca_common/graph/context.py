"""What resolvers need besides their arguments: who asks, what the system has, and what was read already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphql import GraphQLResolveInfo

from proca_common.errors import DomainError, NotAllowed, NotFound, NotKnown
from proca_common.monitors.public import public_numbers
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import ROLES, Permission, Role

if TYPE_CHECKING:
    from proca_common.aws.settings.graph import GraphSettings
    from proca_common.campaigns.campaign import Campaign
    from proca_common.intake.add import Vault
    from proca_common.monitors.activity import Activity
    from proca_common.monitors.shapes import PublicNumbers
    from proca_common.users.user import Caller

NEEDED = "Authentication is required for this API call"
NO_TEAM = "User is not a member of team responsible for resource"
AT_ONCE = 90
MOST_LOOK_UPS = 250
"""What anybody may have looked up by one query; a widget has three things."""
MOST_LOOK_UPS_OF_STAFF = 3_000
TOO_MUCH = "The query asks for too much"


class AsksTooMuch(DomainError):
    """A query wants more looked up than one may; how much that is shows only as it is answered."""

    def __init__(self) -> None:
        super().__init__(TOO_MUCH)


@dataclass(frozen=True, slots=True)
class Request:
    """What came with the query: the page it was sent from, as the browser says, the client's address, what stood beside
    the query, the id of the API that it came through, and its Idempotency-Key.
    """

    referer: str | None
    client: str | None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    api: str = ""
    key: str | None = None


@dataclass(slots=True)
class Context:
    """`caller`: None for who does not say who it is. `left_ms`: how many ms are left for the request."""

    settings: GraphSettings
    vault: Vault
    request: Request
    caller: Caller | None
    left_ms: Callable[[], int]
    _orgs: dict[int, Org | None] = field(default_factory=dict)
    _activities: dict[int, Activity | None] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)
    _look_ups: int = 0

    def look_up(self, times: int = 1) -> None:
        """Count what takes calls of its own for each thing of a list. Raises `AsksTooMuch`."""
        self._look_ups += times
        if self._look_ups > (MOST_LOOK_UPS if self.caller is None else MOST_LOOK_UPS_OF_STAFF):
            raise AsksTooMuch

    @property
    def staff(self) -> Caller:
        """Who asks for what only staff may do. Raises `NotAllowed`."""
        if self.caller is None:
            raise NotAllowed(NO_TEAM)
        return self.caller

    @property
    def user(self) -> Caller:
        """Who asks. Raises `NotKnown`."""
        if self.caller is None:
            raise NotKnown(NEEDED)
        return self.caller

    def org(self, number: int) -> Org:
        """The org with this id, read once for the whole query. Raises `NotFound`."""
        self.prepare_orgs([number])
        found = self._orgs[number]
        if found is None:
            raise NotFound("org")
        return found

    def prepare_orgs(self, numbers: Iterable[int]) -> set[int]:
        """Read these orgs together, before each is asked for; those that there are."""
        asked = {*numbers}
        wanted = sorted(asked - self._orgs.keys())
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            found = orgs.get_many(part)
            self._orgs |= {number: found.get(number) for number in part}
        return {number for number in asked if self._orgs[number] is not None}

    def activity(self, page: int) -> Activity | None:
        """When something was last done on this page, and where."""
        self.prepare_activity([page])
        return self._activities[page]

    def prepare_activity(self, some: Iterable[int]) -> None:
        """Read together what was last done on these pages, before each is asked for."""
        from proca_common.monitors import activity  # noqa: PLC0415 - for staff

        wanted = sorted({*some} - self._activities.keys())
        if wanted:
            found = activity.read_many(wanted)
            self._activities |= {page: found.get(page) for page in wanted}

    def prepare_numbers(self, campaigns: Iterable[int]) -> None:
        """Read the numbers of these campaigns together, once those of one are asked for."""
        self._counted |= {*campaigns}

    def numbers(self, campaign: int) -> PublicNumbers:
        """The campaign's numbers."""
        self.look_up()
        together, self._counted = self._counted, set()
        return public_numbers(campaign, together)

    def know(self, *some: Org) -> None:
        """These orgs were read."""
        self._orgs |= {org.id: org for org in some}

    def is_member(self, *numbers: int) -> bool:
        """Whether who asks belongs to one of these orgs, or owns the instance (domain 11.1)."""
        if self.caller is None:
            return False
        if self.caller.user.perms & Permission.INSTANCE_OWNER:
            return True
        return any(number in self.caller.staff for number in numbers)

    def joined(self, org: int) -> None:
        """Who asks became an owner of this org just now."""
        caller = self.user
        self.caller = replace(caller, staff={**caller.staff, org: ROLES[Role.OWNER]})

    def sees_all_of(self, campaign: Campaign) -> bool:
        """Whether who asks sees the private side of the campaign."""
        return self.is_member(campaign.org)


Info = GraphQLResolveInfo[Context]
