"""Mails to the people behind the campaigns: what goes out, is dropped, or waits, whatever happens (domain 7.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import Confirm
from proca_common.mails import counts, staff_claims
from proca_common.mails.backends import smtp
from proca_common.mails.letter import Letter
from proca_common.mails.sending import Counted
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.orders import StaffMail, StaffMailOrder
from proca_common.users import store as users
from tests.harness.faults import Killed
from tests.mail_server import MailServer
from tests.post import PostOffice
from tests.simulated import SimulatedTime

NEW = "new@example.org"

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def instance(office: PostOffice, mail_server: MailServer) -> Org:
    """The instance's org, which mails."""
    org = orgs.get(office.world.instance.org)
    changed = orgs.replace(org.model_copy(update={"email_backend": "smtp", "email_from": "staff@example.org"}))
    office.smtp(org, mail_server)
    office.collect()
    office.waiting.clear()  # what other tests left
    return changed


def invited(office: PostOffice, message: str | None = None) -> Confirm:
    """An invitation, and its mail ordered."""
    org = office.world.org("bees", key=False)
    creator = users.create("tom@example.org", None)
    wanted = Confirm("", "add_staffer", org.id, 1_540_096, NEW, message, creator.id)
    confirm = confirms.create(wanted)
    ordered(office, StaffMail.ADD_STAFFER, confirm)
    return confirm


def ordered(office: PostOffice, mail: StaffMail, confirm: Confirm, user: int | None = None) -> None:
    key = f"confirm.{confirm.code}.{user}"
    order = StaffMailOrder(mail=mail, key=key, org=office.world.instance.org, user=user, code=confirm.code)
    office.put(order.outgoing().body)


def html(server: MailServer) -> str:
    part = server.mails[-1].get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_an_invitation(office: PostOffice, instance: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    confirm = invited(office, "<b>Welcome</b>")

    office.run(time)

    [mail] = mail_server.mails
    assert (mail["To"], mail["Subject"]) == (NEW, "You are invited to Bees")
    text = html(mail_server)
    assert "tom@example.org invites you to work with Bees" in text
    assert "&lt;b&gt;Welcome&lt;/b&gt;" in text
    assert f"https://api.example.org/v1/link/accept/{confirm.code}?email=new%40example.org" in text
    assert f"https://api.example.org/v1/link/reject/{confirm.code}?email=new%40example.org" in text


def test_a_launch_request(office: PostOffice, instance: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    partner = office.world.org("lakes", key=False, config={"twitter": {"screen_name": "lakefriends"}})
    page = office.world.page(partner, office.world.campaign(office.world.org("bees", key=False)))
    ida = users.create("ida@example.org", None)
    confirm = confirms.create(Confirm("", "launch_page", page.campaign, page.id, message="please"))
    office.template(
        instance, "launch_page", subject="{{org.title}}: {{campaign.title}}", html="<p>{{org.twitter.screenName}}</p>"
    )
    ordered(office, StaffMail.LAUNCH_PAGE, confirm, ida.id)

    office.run(time)

    [mail] = mail_server.mails
    assert (mail["To"], mail["Subject"]) == ("ida@example.org", "Lakes: Bees")
    assert "lakefriends" in html(mail_server)


@pytest.mark.parametrize("mail", StaffMail)
def test_every_mail_has_a_text_of_its_own(mail: StaffMail) -> None:
    from proca_common.mails.staff_texts import DEFAULTS  # noqa: PLC0415 - the table under test

    assert DEFAULTS[mail].name == mail.value


def test_what_was_decided_meanwhile_is_not_mailed(
    office: PostOffice, instance: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    confirm = invited(office)
    item = confirms.ConfirmItem(f"confirm#{confirm.code}", "confirm")
    item.update(actions=[confirms.ConfirmItem.charges.set(0)])

    office.run(time)

    assert not mail_server.mails
    assert office.counts == {Counted.DROPPED: 1}


def test_mails_wait_until_the_instance_can_mail(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    invited(office)
    office.step()
    assert len(office.waiting) == 1

    org = orgs.get(office.world.instance.org)
    orgs.replace(org.model_copy(update={"email_backend": "smtp", "email_from": "staff@example.org"}))
    office.smtp(org, mail_server)
    office.forget()
    office.run(time)

    assert [mail["To"] for mail in mail_server.mails] == [NEW]


def test_an_order_that_comes_twice_is_mailed_once(
    office: PostOffice, instance: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    invited(office)
    [order] = office.waiting.values()
    office.put(order.body)

    office.run(time)

    assert len(mail_server.mails) == 1
    assert office.counts == {Counted.SENT: 1, Counted.DROPPED: 1}


def killed_once(step: Callable[..., object]) -> Callable[..., object]:
    """The step, of which the first call ends the process."""
    struck: list[bool] = []

    def killing(*given: object, **named: object) -> object:
        if not struck:
            struck.append(True)
            raise Killed
        return step(*given, **named)

    return killing


def test_killed_before_the_provider_was_asked(
    office: PostOffice,
    instance: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invited(office)
    monkeypatch.setattr(smtp.Smtp, "send", killed_once(smtp.Smtp.send))
    with pytest.raises(Killed):
        office.step()

    office.run(time)

    assert len(mail_server.mails) == 1
    assert counts.read(instance.id)["possibly_twice"] == 1, "nobody could know"


def test_killed_before_it_was_written_down(
    office: PostOffice,
    instance: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invited(office)
    monkeypatch.setattr(staff_claims, "settle", killed_once(staff_claims.settle))
    with pytest.raises(Killed):
        office.step()

    office.run(time)

    assert len(mail_server.mails) == 2
    assert counts.read(instance.id)["possibly_twice"] == 1


def test_a_provider_that_is_busy_gets_it_later(
    office: PostOffice,
    instance: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = smtp.Smtp.send
    refusals = iter([True, True])

    def busy(self: smtp.Smtp, letter: Letter) -> None:
        if next(refusals, False):
            raise smtp.Busy("try later")
        sending(self, letter)

    monkeypatch.setattr(smtp.Smtp, "send", busy)
    invited(office)

    office.run(time)

    assert len(mail_server.mails) == 1
    assert counts.read(instance.id)["possibly_twice"] == 0
