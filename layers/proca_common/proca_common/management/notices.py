"""Mails to whoever is to decide about an operation (domain 7.4)."""

from __future__ import annotations

from collections.abc import Iterator

from proca_common.aws import clock
from proca_common.aws.logs import logger
from proca_common.confirms.confirm import ADD_PARTNER, ADD_STAFFER, LAUNCH_PAGE, Confirm
from proca_common.orgs import instance as instances
from proca_common.pipes.orders import StaffMail, StaffMailOrder
from proca_common.pipes.publish import send
from proca_common.users import store as users
from proca_common.users.permissions import Role, role_of

MAIL_WITHIN_MS = 20_000
DECIDING = {Role.OWNER, Role.CAMPAIGNER}
TO_ADDRESS = {ADD_STAFFER: StaffMail.ADD_STAFFER, ADD_PARTNER: StaffMail.ADD_PARTNER}


def mail(confirm: Confirm, mail_queue_url: str) -> None:
    """Order the mails of a new Confirm. What cannot be ordered undoes nothing: the code was told, and lists have it."""
    orders = list(_orders(confirm))
    if not orders:
        return
    failed = send(mail_queue_url, [order.outgoing() for order in orders], clock.now_ms() + MAIL_WITHIN_MS)
    if failed:
        logger.error("mails are not ordered", extra={"confirm": confirm.id, "mails": len(failed)})


def _orders(confirm: Confirm) -> Iterator[StaffMailOrder]:
    """To the address; a launch request to owners and campaigners of the lead org. Nobody is mailed of the others."""
    instance = instances.get().org
    if confirm.operation in TO_ADDRESS:
        key = f"confirm.{confirm.id}"
        yield StaffMailOrder(mail=TO_ADDRESS[confirm.operation], key=key, org=instance, code=confirm.code)
    elif confirm.operation == LAUNCH_PAGE and confirm.org is not None:
        for user, perms in sorted(users.staff_of(confirm.org).items()):
            if role_of(perms) in DECIDING:
                key = f"confirm.{confirm.id}.{user}"
                yield StaffMailOrder(mail=StaffMail.LAUNCH_PAGE, key=key, org=instance, user=user, code=confirm.code)
