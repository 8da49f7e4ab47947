"""Who a mail to a target comes from (domain 8.6, 16.4)."""

from __future__ import annotations

import re

import pytest

from proca_common.mails.letter import NotAnAddress, is_address
from proca_common.mails.render import Person
from proca_common.mtt.sender import Origin, origin, srs
from proca_common.orgs.org import Encryption, Org

KEY = b"test-srs-key"
NOW_MS = 1_735_689_600_000
DAY_MS = 86_400_000
JANE = Person("jane.doe@example.org", "Jane", "Doe")
ORG = Org(id=7, name="bees", title="Bees", encryption=Encryption.CLEAR)


def found(
    email: str = JANE.email,
    *,
    sending_from: str = "post@mail.example.com",
    sender_rewrite: bool = True,
    reply_enabled: bool = True,
) -> Origin:
    org = ORG.model_copy(update={"sender_rewrite": sender_rewrite, "reply_enabled": reply_enabled})
    return origin(JANE._replace(email=email), org, sending_from, KEY, NOW_MS)


def test_the_vector() -> None:
    assert srs("jane.doe@example.org", KEY, NOW_MS) == "SRS0=51A0=TZ=example.org=jane.doe"


@pytest.mark.parametrize(
    ("day", "text"), [(0, ""), (1, "B"), (31, "7"), (32, "BA"), (633, "TZ"), (1023, "77"), (1024, "")]
)
def test_days_are_numbers_of_base_32_and_come_again(day: int, text: str) -> None:
    for moment in (day * DAY_MS, (day + 1) * DAY_MS - 1):
        assert srs("ida@example.org", KEY, moment).split("=")[2] == text


@pytest.mark.parametrize("other", ["ida@example.com", "ira@example.org"])
def test_the_hash_is_of_key_day_and_address(other: str) -> None:
    ours = srs("ida@example.org", KEY, NOW_MS)

    assert re.fullmatch(r"SRS0=[0-9A-F]{4}=TZ=example\.org=ida", ours)
    for another in (srs(other, KEY, NOW_MS), srs("ida@example.org", b"x", NOW_MS), srs("ida@example.org", KEY, 0)):
        assert another.split("=")[1] != ours.split("=")[1]


@pytest.mark.parametrize(
    ("settings", "sender", "reply_to"),
    [
        ({}, "Jane Doe <SRS0=51A0=TZ=example.org=jane.doe@mail.example.com>", "jane.doe@example.org"),
        ({"reply_enabled": False}, "Jane Doe <SRS0=51A0=TZ=example.org=jane.doe@mail.example.com>", None),
        ({"sender_rewrite": False}, "Jane Doe <bees@mail.example.com>", "jane.doe@example.org"),
        ({"sender_rewrite": False, "reply_enabled": False}, "Jane Doe <bees@mail.example.com>", None),
        ({"sending_from": "jane.doe@example.org"}, "Jane Doe <jane.doe@example.org>", None),
        (
            {"email": "Jane.Doe@Example.org", "sending_from": "jane.doe@example.org"},
            "Jane Doe <jane.doe@example.org>",
            None,
        ),
    ],
)
def test_the_table(settings: dict[str, object], sender: str, reply_to: str | None) -> None:
    made = found(**settings)  # type: ignore[arg-type]

    assert (str(made.sender), made.reply_to) == (sender, reply_to)


@pytest.mark.parametrize("local", ["a" * 39, "o'brien+rivers", "a=b=c", "x_{}|~^`"])
def test_whatever_address_the_form_takes_a_mail_can_come_from(local: str) -> None:
    made = found(f"{local}@example.org")

    assert made.sender.username.endswith(f"=example.org={local}")
    assert len(made.sender.username) <= 64
    assert is_address(made.sender.addr_spec)
    assert made.reply_to == f"{local}@example.org"


def test_an_address_that_would_be_too_long_becomes_the_orgs() -> None:
    long = f"{'a' * 40}@example.org"

    made = found(long)

    assert (str(made.sender), made.reply_to) == ("Jane Doe <bees@mail.example.com>", long)


@pytest.mark.parametrize("email", ["jäne@example.org", "a..b@example.org", "a@example..org", ""])
def test_what_no_mail_can_go_to_is_left_out(email: str) -> None:
    made = found(email)

    assert (str(made.sender), made.reply_to) == ("Jane Doe <bees@mail.example.com>", None)


def test_a_name_stays_in_its_place() -> None:
    made = origin(Person(JANE.email, 'J"\r\nBcc: x@example.org', "<evil@example.org>"), ORG, "p@a.example.org", KEY, 0)

    assert made.sender.display_name == 'J" Bcc: x@example.org <evil@example.org>'
    assert made.sender.domain == "a.example.org"
    assert "\n" not in str(made.sender)


@pytest.mark.parametrize("sending_from", ["", "nobody", "a@b@c", "ö@example.org"])
def test_a_service_that_sends_from_nowhere_is_told_so(sending_from: str) -> None:
    with pytest.raises(NotAnAddress):
        found(sending_from=sending_from)
