"""What a stream function works on: an action as it stands now, with its supporter, contacts and page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.status import ActionStatus, Stage, SupporterStatus
from proca_common.actions.store import ActionItem, ContactItem, Key, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.logs import log_fault
from proca_common.confirms.links import Links
from proca_common.mails.choice import MailKind, due_mail
from proca_common.monitors.persons import Facts, Membership
from proca_common.pipes.routing import Destination, Way
from proca_common.stages.memberships import facts_of, membership_of, person_of
from proca_common.stages.outbox import Entry, is_current, owed_by


@dataclass(slots=True)
class Work:
    """An action that owes something. `unserved` are the destinations that did not take their message yet, `mail` is
    what its supporter is due by mail at this stage, `links` are those of a supporter who is to confirm. `withheld`: the
    destination that makes mails to targets, which only a delivered action has; `message_gone`: they were erased.
    """

    sequence: str
    action: ActionItem
    supporter: SupporterItem
    contacts: dict[int, ContactItem]
    context: PageContext
    unserved: set[Destination] = field(default_factory=set)
    mail: MailKind | None = None
    links: Links | None = None
    withheld: Destination | None = None
    message_gone: bool = False

    @property
    def key(self) -> Key:
        """The action's key."""
        return self.action.ref, self.action.sk

    def contact_key(self, org: int) -> Key:
        """The key of the supporter's contact for this org."""
        return store.contact_key(self.action.ref, int(self.action.supporter), org)

    @property
    def person(self) -> Key:
        """The key of the person's membership in the campaign."""
        return person_of(self.action)

    @property
    def status(self) -> ActionStatus:
        """The action's state as read."""
        return ActionStatus(self.action.status)

    @property
    def supporter_status(self) -> SupporterStatus:
        """The supporter's state as read."""
        return SupporterStatus(self.supporter.status)

    def due_mail(self, status: ActionStatus) -> MailKind | None:
        """The mail that is due at this stage, when the action has this state after it."""
        if self.supporter.mail is None:
            return None
        contact = self.contacts.get(int(self.action.org))
        return due_mail(
            Stage(self.action.stage),
            status,
            self.context,
            with_consent=self.action.with_consent,
            has_contact=contact is not None,
            opt_in=None if contact is None else contact.communication_consent,
            confirmed=bool(self.supporter.confirmed),
        )

    def withhold_targets(self) -> None:
        """What the supporter wrote to targets is not sent, as the action is not delivered."""
        for destination in [each for each in self.unserved if each.where is Way.TARGETS]:
            self.unserved.discard(destination)
            self.withheld = destination

    @property
    def facts(self) -> Facts:
        """What counting needs to know."""
        return facts_of(self.action, self.supporter)


def keys_of(action: ActionItem) -> Iterable[Key]:
    """Everything to be read for one action; none of it ever changes for a bound action, so an old image will do."""
    if action.supporter is None:
        return
    supporter = int(action.supporter)
    yield action.ref, action.sk
    yield store.supporter_key(action.ref, int(action.org), supporter)
    yield store.membership_key(action.ref, int(action.campaign))
    for org in action.recipients or ():
        yield store.contact_key(action.ref, supporter, int(org))


def load(entries: Iterable[Entry]) -> tuple[list[Work], dict[Key, Membership], list[str]]:
    """Read what the entries point to, consistently and together; leave out what is no longer owed, or not yet. Of
    several entries of one action the latest is taken.

    Returns the works in the order of action ids, the memberships by key, and the sequence numbers of entries that
    broke.
    """
    now_ms = clock.now_ms()
    latest = {(entry.image.ref, entry.image.sk): entry for entry in entries}
    images = [entry.image for entry in latest.values() if isinstance(entry.image, ActionItem)]
    found = store.read_many(key for image in images for key in keys_of(image))
    works: list[Work] = []
    failed: list[str] = []
    for entry in latest.values():
        try:
            work = _work(entry, found, now_ms)
        except Exception as error:  # noqa: BLE001 - a poison record must not hold up the others
            log_fault("action cannot be worked on", error, action=int(entry.image.id))
            failed.append(entry.sequence)
            continue
        if work is not None:
            works.append(work)
    memberships = {work.person: membership_of(found.get(work.person)) for work in works}
    return sorted(works, key=lambda work: int(work.action.id)), memberships, failed


def _work(entry: Entry, found: dict[Key, ActionsItem], now_ms: int) -> Work | None:
    action = found.get((entry.image.ref, entry.image.sk))
    if not is_current(action, entry.image, now_ms) or not isinstance(action, ActionItem):
        return None
    supporter = found.get(store.supporter_key(action.ref, int(action.org), int(action.supporter)))
    if not isinstance(supporter, SupporterItem):
        return None
    contacts = {}
    for org in action.recipients or ():
        contact = found.get(store.contact_key(action.ref, int(action.supporter), int(org)))
        if isinstance(contact, ContactItem):
            contacts[int(org)] = contact
    return Work(entry.sequence, action, supporter, contacts, page_context(int(action.page)), owed_by(action))
