"""The mail as it goes over the wire (domain 8.6, RFC 5322, 8058, 3834)."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.mails.letter import Letter, NotAnAddress, action_of, custom_id, is_address, letter
from proca_common.mails.render import Rendered

NOW_MS = 1_741_079_553_123
ACTION = 155_008_442_368_004
UNSUBSCRIBE = "https://api.example.org/link/u/155008442368004/Zm9v"


def written(subject: str = "Thank you", **changes: Any) -> Letter:
    given: dict[str, Any] = {
        "action": ACTION,
        "key": "thank_you",
        "title": "River Watch",
        "sender": "mail@riverwatch.example.org",
        "recipient": "mara.lind@example.org",
        "unsubscribe": UNSUBSCRIBE,
        "random_part": "0a1b2c",
        "now_ms": NOW_MS,
    }
    return letter(Rendered(subject, "<p>Grüße, Mara</p>", "Grüße, Mara\n"), **given | changes)


def read(made: Letter) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(made.raw, policy=default))


def test_headers() -> None:
    mail = read(written())

    assert {name: str(value) for name, value in mail.items() if not name.startswith("Content-")} == {
        "From": "River Watch <mail@riverwatch.example.org>",
        "To": "mara.lind@example.org",
        "Subject": "Thank you",
        "Date": "Tue, 04 Mar 2025 09:12:33 +0000",
        "Message-ID": f"<action.{ACTION}.thank_you.0a1b2c@riverwatch.example.org>",
        "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "X-Proca-Custom-Id": f"action:{ACTION}",
        "MIME-Version": "1.0",
    }


def test_the_link_to_unsubscribe_stands_on_its_line() -> None:
    link = f"https://api.example.org/{'x' * 200}"

    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in written(unsubscribe=link).raw


def test_parts_are_text_then_html() -> None:
    mail = read(written())

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Grüße, Mara", "<p>Grüße, Mara</p>"]


def test_nothing_but_ascii_and_short_lines_on_the_wire() -> None:
    raw = written("ö" * 300, title="Ü" * 100).raw

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert str(read(written("ö" * 300))["Subject"]) == "ö" * 300


@pytest.mark.parametrize("title", ['The "Bees", Inc.', "Ünïøn <x>", "a@b", "ends\\", "日本", "x" * 255])
def test_any_title_is_only_a_name(title: str) -> None:
    made = written(title=title)

    [address] = cast(AddressHeader, read(made)["From"]).addresses
    assert (address.display_name, address.addr_spec) == (title, "mail@riverwatch.example.org")


BREAKING = st.text(alphabet=st.sampled_from('\r\n\x00\x0b\x0c\x85\u2028\u2029\t :;<>@,."\\aB=?é'), max_size=40)


@given(subject=BREAKING, title=BREAKING, key=BREAKING)
def test_no_text_gets_out_of_its_header(subject: str, title: str, key: str) -> None:
    break_in = "\r\nBcc: victim@example.org\r\n\r\n<p>"

    made = written(subject + break_in + subject, title=title + break_in + title, key=key + break_in)

    head, _, _ = made.raw.partition(b"\r\n\r\n")
    names = re.findall(rb"^([^ \t:]+):", head, re.MULTILINE)
    assert sorted(names) == sorted(
        [
            *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"List-Unsubscribe", b"List-Unsubscribe-Post"),
            *(b"Auto-Submitted", b"X-Proca-Custom-Id", b"MIME-Version", b"Content-Type"),
        ]
    )
    [address] = cast(AddressHeader, read(made)["From"]).addresses
    assert address.addr_spec == "mail@riverwatch.example.org"


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org, b@example.org",
        "Ida <a@example.org>",
        "a b@example.org",
        '"a"@example.org',
        "a@[127.0.0.1]",
        "a@-example.org",
        "a@example..org",
        "a..b@example.org",
        "a@example.org\x00",
        "ä@example.org",
        "a@",
        "@example.org",
        "",
    ],
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    assert not is_address(address)
    for place in ("sender", "recipient"):
        with pytest.raises(NotAnAddress):
            written(**{place: address})


@pytest.mark.parametrize("address", ["urs@localhost", "o'brien+x=1/y@sub.example.org", "a_{}|~^`@example.org"])
def test_what_the_form_takes_is_an_address(address: str) -> None:
    [found] = cast(AddressHeader, read(written(recipient=address))["To"]).addresses

    assert is_address(address)
    assert found.addr_spec == address


@pytest.mark.parametrize(
    ("identifier", "action"),
    [
        (custom_id(ACTION), ACTION),
        (f"<action.{ACTION}.thank_you.0a1b2c@riverwatch.example.org>", ACTION),
        (f"action.{ACTION}.reminder.1.0a1b2c@riverwatch.example.org", ACTION),
        ("mtt:77", None),
        ("action:", None),
        ("action:٣", None),
        ("action:99999999999999999", None),
        ("<0100018f-7a@email.amazonses.com>", None),
        ("", None),
    ],
)
def test_ids_lead_back_to_the_action(identifier: str, action: int | None) -> None:
    assert action_of(identifier) == action


def test_the_message_id_of_every_mail_leads_back() -> None:
    for key in ("supporter_confirm", "reminder.2", "thank_you.replay-job 7"):
        assert action_of(str(read(written(key=key))["Message-ID"])) == ACTION
