"""What providers report of mails to targets (domain 9.7, 9.8)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.mtt import store
from proca_common.mtt.store import MailId, MailItem
from proca_common.targets import store as targets
from proca_common.targets.target import Target, good_address
from tests import mtt, ses
from tests.world import World

OLD, NEW = "old@parliament.example.org", "new@parliament.example.org"


@pytest.fixture
def anna(world: World) -> Target:
    campaign = mtt.campaign(world, world.org("bees"))
    return mtt.target(campaign, "Anna", emails=[{"email": OLD}, {"email": NEW}])


@pytest.fixture
def mail(anna: Target) -> str:
    """A mail that went out."""
    mail = MailId(anna.campaign, anna.id, 1_234_567)
    MailItem(*store.mail_key(mail), at="ref", status="sent").save()
    return str(mail)


def about(mail: str, kind: str, part: dict[str, Any], address: str = OLD) -> dict[str, Any]:
    """What SES tells of the mail and this address."""
    told = {
        name: [{**each, "emailAddress": address} for each in value] if name.endswith("Recipients") else value
        for name, value in part.items()
    }
    return ses.event(kind, None, told, tags={"target_mail": [mail]}, destination=[address])


@pytest.mark.parametrize(
    ("kind", "part", "status"),
    [
        ("Bounce", ses.BOUNCE, "bounce"),
        ("Bounce", {**ses.BOUNCE, "bounceSubType": "Suppressed"}, "blocked"),
        ("Bounce", ses.SOFT, "bounce"),
        ("Complaint", ses.COMPLAINT, "spam"),
        ("Subscription", ses.LEFT, "unsub"),
        ("Reject", {"reason": "Bad content"}, "none"),
        ("Delivery", {}, "none"),
    ],
)
def test_the_address_has_the_status_that_is_told(
    anna: Target, mail: str, kind: str, part: dict[str, Any], status: str
) -> None:
    ses.tell(about(mail, kind, part))

    after = targets.get(anna.campaign, anna.id)
    assert [each.email_status for each in after.emails] == [status, "none"]
    assert good_address(after) == (OLD if status == "none" else NEW)
    assert (after.emails[0].error is not None) == (kind == "Bounce")


def test_it_may_be_told_more_than_once(anna: Target, mail: str) -> None:
    notice = ses.notice(about(mail, "Bounce", ses.SOFT))
    ses.tell(notice, notice)

    assert targets.get(anna.campaign, anna.id).emails[0].soft_bounces == 1


def test_who_got_a_copy_is_nobody_s_address(anna: Target, mail: str) -> None:
    ses.tell(about(mail, "Bounce", ses.BOUNCE, "office@bees.example.org"))

    assert targets.get(anna.campaign, anna.id) == anna


@pytest.mark.parametrize("mail_id", ["7_nobody_1", "1_6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f_1", "x"])
def test_a_mail_that_is_not_known_changes_nothing(anna: Target, mail_id: str) -> None:
    ses.tell(about(mail_id, "Bounce", ses.BOUNCE))

    assert targets.get(anna.campaign, anna.id) == anna
