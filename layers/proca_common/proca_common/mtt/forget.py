"""Forgetting what a person wrote to targets, when the person is erased (domain 13.7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store as actions
from proca_common.actions.store import Key
from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.errors import Cancelled
from proca_common.mtt import claims, store
from proca_common.mtt.settings import KeepMessages
from proca_common.mtt.store import WAITING, MailId, MailItem, MessageItem, WrittenItem

NOBODY: Final = "gone"
READ_AT_ONCE: Final = 100


def forget(ref: str, erased: Iterable[int]) -> None:
    """Remove what was written with these actions of a person: mails that wait never go out, those that went out go on
    counting without saying whose they were. Safe to repeat, from wherever it broke off. Raises `Unavailable`.
    """
    for action in erased:
        while (message := store.read_message(ref, action)) is not None:
            if message.text is not None or message.sender is not None:
                _change(message, store.forgetting(KeepMessages.NONE))  # so that whoever is at work makes nothing of it
            _forget_mails_of(message)
            _unwrite(ref, message)
            try:
                dynamo.delete(MessageItem(message.ref, message.sk), _as_expanded(message))
            except Cancelled:
                continue  # more of its mails were made meanwhile
            break


def _as_expanded(message: MessageItem) -> Condition:
    known: Condition = MessageItem.expanded.does_not_exist()
    return known if message.expanded is None else MessageItem.expanded == message.expanded


def _forget_mails_of(message: MessageItem) -> None:
    targets = store.unpacked(message.targets)
    for start in range(0, len(targets), READ_AT_ONCE):
        some = targets[start : start + READ_AT_ONCE]
        mails = [MailId(int(message.campaign), target, int(message.action)) for target in some]
        _forget_mails({store.mail_key(mail): mail for mail in mails})


def _forget_mails(mails: dict[Key, MailId]) -> None:
    for key, item in actions.read_many(mails).items():
        if not isinstance(item, MailItem):
            continue
        if item.status in WAITING:
            claims.withdraw(mails[key], item, KeepMessages.NONE)
        try:
            dynamo.update(MailItem(*key), [MailItem.at.set(NOBODY)], ActionsItem.ref.exists())
        except Cancelled:
            continue


def _unwrite(ref: str, message: MessageItem) -> None:
    """Nobody knows any more that this person wrote to these targets."""
    dupes = frozenset(store.pieces(message.dupes or b""))
    first = {piece for piece in store.pieces(message.targets) if piece not in dupes}
    if not first or message.testing or message.expanded is None:
        return
    key = store.written_key(ref, int(message.campaign))
    found = actions.read(key)
    if not isinstance(found, WrittenItem):
        return
    left = {*found.targets} - first
    try:
        if left:
            changes = [WrittenItem.targets.delete(first), WrittenItem.version.add(1)]
            dynamo.update(WrittenItem(*key), changes, WrittenItem.version == found.version)
        else:
            dynamo.delete(WrittenItem(*key), WrittenItem.version == found.version)
    except Cancelled:
        _unwrite(ref, message)


def _change(message: MessageItem, changes: list[UpdateAction]) -> None:
    try:
        dynamo.update(MessageItem(message.ref, message.sk), changes, ActionsItem.ref.exists())
    except Cancelled:
        return
