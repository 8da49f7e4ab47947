"""The statuses that actions and supporters move through (domain 1.1)."""

from __future__ import annotations

from enum import StrEnum


class ActionStatus(StrEnum):
    """ActionProcessingStatus. In the outbox, `accepted` with stage `deliver` is an action on its way."""

    NEW = "new"
    CONFIRMING = "confirming"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    REPEAT = "repeat"


EMITTED = (ActionStatus.DELIVERED, ActionStatus.REPEAT)
"""Its org has it, or will."""


class SupporterStatus(StrEnum):
    """SupporterProcessingStatus."""

    NEW = "new"
    CONFIRMING = "confirming"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class EmailStatus(StrEnum):
    """What is known of a supporter's address."""

    NONE = "none"
    DOUBLE_OPT_IN = "double_opt_in"
    BOUNCE = "bounce"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUB = "unsub"
    INACTIVE = "inactive"
    ACTIVE = "active"


class Stage(StrEnum):
    """Where something is still owed for an item (design 5): `confirm` handles the first two, `deliver` the rest."""

    SUPPORTER_CONFIRM = "supporter_confirm"
    ACTION_CONFIRM = "action_confirm"
    DELIVER = "deliver"
    LINK = "link"
    EVENT = "event"
    DETAIL = "detail"
