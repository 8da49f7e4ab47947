"""What of an action only the orgs that receive its contact may read (design 7.1): it travels inside the contact.

The contact payload that is encrypted for each org has, beside the personal data, `donation` (what of a donation's
payload may not stand in clear) and `fields` (the campaign's transient fields). An org without encryption finds both in
the places of domain 5.1; its transient fields are wiped once it has the message (domain 3.7).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from proca_common.actions.input import ActionInput
from proca_common.failures import Failure, Refused

DONATION = "donation"
FIELDS = "fields"
NEEDS_CONTACT = "can only be sent together with a contact"
MTT_NEEDS_CONTACT = Failure("/action/mtt", "needs_contact", NEEDS_CONTACT)

UNSUPPORTED_MTT = Failure("/action/mtt", "unsupported", "Campaign does not support MTT")
_KEPT_NOWHERE = {
    DONATION: Failure("/action/donation/payload", "needs_contact", f"has keys that {NEEDS_CONTACT}"),
    FIELDS: Failure("/action/customFields", "needs_contact", f"has transient fields, which {NEEDS_CONTACT}"),
}


@dataclass(frozen=True, slots=True)
class Particulars:
    """What an action carries. `fields` and `donation` (in the form of the message) may stand in clear with the action;
    `private` goes into the contacts.
    """

    fields: Mapping[str, object]
    donation: Mapping[str, object] | None
    private: Mapping[str, Mapping[str, object]]

    def without_contact(self) -> Particulars:
        """The same of an action that comes without a contact; raises `Refused` rather than lose what is private."""
        if self.private:
            raise Refused([_KEPT_NOWHERE[name] for name in self.private])
        return self


def particulars_of(action: ActionInput, transient_actions: Collection[str]) -> Particulars:
    """Take an action apart. `transient_actions`: the campaign's `actionType:key` entries (domain 1.3)."""
    fields, private, clear = action.all_fields, {}, None
    if action.donation is not None:
        from proca_common.actions.donation import donation_of  # noqa: PLC0415 - most actions have none

        donation = donation_of(action.donation)
        clear = donation.clear
        if donation.rest:
            private[DONATION] = donation.rest
    if transient_actions:
        transient = {key: value for key, value in fields.items() if f"{action.action_type}:{key}" in transient_actions}
        if transient:
            private[FIELDS] = transient
            fields = {key: value for key, value in fields.items() if key not in transient}
    return Particulars(fields, clear, private)


def wiped(contact: str) -> str | None:
    """A contact that is stored in clear (JSON) without its transient fields; None when it has none."""
    if f'"{FIELDS}":' not in contact:
        return None
    payload = json.loads(contact)
    if payload.pop(FIELDS, None) is None:
        return None
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
