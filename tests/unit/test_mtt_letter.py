"""A mail to a target: who gets it and what it says (domain 9.5, 9.6)."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from email import message_from_bytes
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.mails.letter import File, Letter, target_mail_of
from proca_common.mails.render import Person
from proca_common.mails.templates import EmailTemplate
from proca_common.mtt.letter import MAX_RENDERED, Content, Posting, Recipients, build, paragraphs, recipients
from proca_common.mtt.sender import Origin
from proca_common.mtt.settings import Mtt
from proca_common.targets.target import Target
from tests.unit.test_messages import SIGNED, context

NOW_MS = 1_741_079_553_123
UUID = "2f0a9c1e-7f0e-4c0b-9d2c-2f6f3c1f5a77"
MAIL = f"27_{UUID}_{SIGNED}"
MARA = Person("mara.lind@example.org", "Mara", "Lind")
SRS = "SRS0=51A0=TZ=example.org=mara.lind@mail.example.com"
ORIGIN = Origin(Address("Mara Lind", addr_spec=SRS), MARA.email)
FROM_MARA = f"Mara Lind <{SRS}>"
NUMBERS = {"persons:total": 12, "org:8": 7, "area:SE": 3, "type:register": 11}
PNG = File("river.png", b"\x89PNG")
TARGET = Target(
    id=UUID,
    campaign=27,
    external_id="se-17",
    name="Tom & Eva <Ek>",
    locale="sv",
    area="SE",
    fields={"salutation": "Dear Tom & Eva", "votes": 0, "topics": ["rivers", "bees"]},
)


def posting(subject: str = "Clean the river", body: str = "Hello,\nplease act.", **changes: Any) -> Posting:
    whole = Posting(MAIL, SIGNED, Content(subject, body), MARA, "SE", TARGET, context(config={"tone": "warm"}))
    return replace(whole, **{"numbers": NUMBERS, **changes})


def template(html: str, subject: str = "{{subject}}", text: str | None = None) -> EmailTemplate:
    return EmailTemplate(id=1, org=8, name="mtt", locale="sv", subject=subject, html=html, text=text)


def built(
    given: Posting | None = None, chosen: EmailTemplate | None = None, to: Recipients | None = None, **changes: Any
) -> Letter:
    addressed = to or Recipients("tom.ek@example.org", ())
    return build(given or posting(), chosen, addressed, ORIGIN, **{"random_part": "0a1b", "now_ms": NOW_MS} | changes)


def read(made: Letter) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(made.raw, policy=default))


def texts(made: Letter) -> tuple[str, str, str]:
    """Subject, HTML and plain text."""
    mail = read(made)
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    html, plain = (body.get_content().replace("\r\n", "\n").removesuffix("\n") for body in bodies if body is not None)
    return str(mail["Subject"]), html, plain


def test_headers() -> None:
    made = built(to=Recipients("tom.ek@example.org", ("archive@example.org", MARA.email)))
    mail = read(made)

    assert {name: str(value) for name, value in mail.items() if not name.startswith("Content-")} == {
        "From": FROM_MARA,
        "Reply-To": "mara.lind@example.org",
        "To": '"Tom & Eva <Ek>" <tom.ek@example.org>',
        "Cc": "archive@example.org, mara.lind@example.org",
        "Subject": "Clean the river",
        "Date": "Tue, 04 Mar 2025 09:12:33 +0000",
        "Message-ID": f"<mtt.{MAIL}.0a1b@mail.example.com>",
        "X-Proca-Custom-Id": f"mtt:{MAIL}",
        "MIME-Version": "1.0",
    }
    assert (made.sender, made.recipient, made.cc) == (SRS, "tom.ek@example.org", ("archive@example.org", MARA.email))
    assert (made.action, made.target_mail) == (None, MAIL)


def test_without_reply_and_copies_these_headers_are_missing() -> None:
    mail = read(
        build(posting(), None, Recipients("a@example.org", ()), Origin(ORIGIN.sender, None), random_part="1", now_ms=0)
    )

    assert mail["Reply-To"] is None
    assert mail["Cc"] is None


@pytest.mark.parametrize(
    ("identifier", "mail"),
    [
        (f"mtt:{MAIL}", MAIL),
        (f"<mtt.{MAIL}.0a1b@mail.example.com>", MAIL),
        (f"mtt.{MAIL}.0a1b@mail.example.com", MAIL),
        (f"action:{SIGNED}", None),
        (f"<action.{SIGNED}.thank_you.0a1b@example.org>", None),
        ("mtt:", None),
        ("mtt:a b", None),
        ("", None),
    ],
)
def test_ids_lead_back_to_the_mail(identifier: str, mail: str | None) -> None:
    assert target_mail_of(identifier) == mail


SETTINGS = Mtt.model_validate(
    {
        "start_at": "2025-03-01T09:00:00Z",
        "end_at": "2025-03-14T17:00:00Z",
        "cc_contacts": ["archive@example.org", "tom.ek@example.org", "archive@example.org"],
        "cc_sender": True,
        "test_email": "desk@example.org",
    }
)


@pytest.mark.parametrize(
    ("changes", "testing", "to", "cc"),
    [
        ({}, False, "tom.ek@example.org", ("archive@example.org", "mara.lind@example.org")),
        ({"cc_sender": False}, False, "tom.ek@example.org", ("archive@example.org",)),
        ({"cc_contacts": ()}, False, "tom.ek@example.org", ("mara.lind@example.org",)),
        ({"cc_contacts": (), "cc_sender": False}, False, "tom.ek@example.org", ()),
        ({"cc_contacts": ("MARA.lind@example.org",)}, False, "tom.ek@example.org", ("mara.lind@example.org",)),
        ({"cc_contacts": ("a..b@example.org",)}, False, "tom.ek@example.org", ("mara.lind@example.org",)),
        ({"drip_delivery": False}, False, "tom.ek@example.org", ("archive@example.org", "mara.lind@example.org")),
        ({}, True, "mara.lind@example.org", ("desk@example.org",)),
        ({"test_email": None}, True, "mara.lind@example.org", ()),
        ({"test_email": "mara.lind@example.org"}, True, "mara.lind@example.org", ()),
    ],
)
def test_who_gets_it(changes: dict[str, Any], testing: bool, to: str, cc: tuple[str, ...]) -> None:
    found = recipients(SETTINGS.model_copy(update=changes), MARA.email, "tom.ek@example.org", testing=testing)

    assert found == Recipients(to, cc)


@pytest.mark.parametrize("chosen", [None, template("{{{body}}}")])
def test_a_test_says_so_and_names_the_target(chosen: EmailTemplate | None) -> None:
    made = built(posting(testing=True), chosen, Recipients(MARA.email, ()))

    [to] = cast(AddressHeader, read(made)["To"]).addresses
    assert (to.display_name, to.addr_spec) == ("Tom & Eva <Ek>", MARA.email)
    assert texts(made)[0] == "[TEST] Clean the river"
    assert texts(built(posting(), chosen))[0] == "Clean the river"


@pytest.mark.parametrize(
    ("subject", "body", "empty"),
    [("a", "b", False), ("", "b", True), ("a", "", True), (" ", "b", True), ("a", "\n", True)],
)
def test_without_subject_or_body_there_is_nothing_to_send(subject: str, body: str, empty: bool) -> None:
    assert Content(subject, body).is_empty is empty


@pytest.mark.parametrize(
    ("written", "html", "text"),
    [
        ("one\ntwo", "<p>one</p><p>two</p>", "one\ntwo"),
        ("one\r\n\r\ntwo", "<p>one</p><p></p><p>two</p>", "one\n\ntwo"),
        ("{{target.name}}", "<p>Tom &amp; Eva &lt;Ek&gt;</p>", "Tom & Eva <Ek>"),
        ("{{{target.name}}}", "<p>Tom &amp; Eva &lt;Ek&gt;</p>", "Tom & Eva <Ek>"),
        ("{{target.fields.salutation}},", "<p>Dear Tom &amp; Eva,</p>", "Dear Tom & Eva,"),
        ("{{target.externalId}} {{target.area}} {{target.locale}}", "<p>se-17 SE sv</p>", "se-17 SE sv"),
        ("{{target.fields.votes}} votes", "<p>0 votes</p>", "0 votes"),
        ("on {{target.fields.topics}}", "<p>on rivers, bees</p>", "on rivers, bees"),
        (
            "{{#target.fields.topics}}once {{.}}{{/target.fields.topics}}",
            "<p>once rivers, bees</p>",
            "once rivers, bees",
        ),
        ("{{^target.fields.none}}no{{/target.fields.none}}", "<p>no</p>", "no"),
        ("{{firstName}}{{email}}{{campaign.name}}!", "<p>!</p>", "!"),
        ("<b>1 < 2 & 3</b>", "<p>&lt;b&gt;1 &lt; 2 &amp; 3&lt;/b&gt;</p>", "<b>1 < 2 & 3</b>"),
        ("{{#open}} never closed", "<p>{{#open}} never closed</p>", "{{#open}} never closed"),
        ("{{target.name", "<p>{{target.name</p>", "{{target.name"),
        ("Grüße", "<p>Grüße</p>", "Grüße"),
    ],
)
def test_what_was_written_knows_the_target(written: str, html: str, text: str) -> None:
    found = texts(built(posting(body=written)))

    assert (found[1], found[2]) == (html, text)


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("To {{target.name}}", "To Tom & Eva <Ek>"),
        ("To {{target.name", "To {{target.name"),
        ("{{target.area}}\r\nBcc: x@example.org", "SE Bcc: x@example.org"),
    ],
)
def test_a_subject_knows_the_target_and_stays_one_line(written: str, subject: str) -> None:
    mail = read(built(posting(subject=written)))

    assert str(mail["Subject"]) == subject
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "body",
    [
        "{{#target.fields.many}}" * 100 + "x" + "{{/target.fields.many}}" * 100,
        "{{#target.fields.many}}" * 200,
        "{{#target}}" * 465 + "{{/target}}" * 465,
        "{{target.fields.long}}" * 465,
        "{{#target.fields}}" + "{{long}}" * 1_270 + "{{/target.fields}}",
    ],
)
def test_nobody_can_write_what_takes_long_or_grows(body: str) -> None:
    fields = {"many": ["x"] * 1_000, "long": "y" * 5_000}
    given = posting(body=body, target=TARGET.model_copy(update={"fields": fields}))
    start = time.process_time()

    _, html, text = texts(built(given))

    assert time.process_time() - start < 1
    assert len(text) <= MAX_RENDERED
    assert len(html) <= MAX_RENDERED + 100


def test_a_template_has_all_of_the_table() -> None:
    names = [
        *("subject", "firstName", "lastName", "email", "area", "actionId"),
        *(
            "actionPage.id",
            "actionPage.name",
            "actionPage.locale",
            "org.id",
            "org.name",
            "org.title",
            "org.config.tone",
        ),
        *("campaign.name", "campaign.title", "campaign.stats.supporterCount", "campaign.stats.supporterCountByOrg"),
        *("campaign.stats.supporterCountByArea", "campaign.stats.actionCount.register"),
        *("target.name", "target.externalId", "target.area", "target.locale", "target.fields.salutation"),
        *("target.fields.topics", "files"),
    ]
    given = posting(subject="A & B", files=(PNG, File("b.jpg", b"b")))

    made = built(given, template("x", text="|".join(f"{{{{{name}}}}}" for name in names)))

    assert texts(made)[2].split("|") == [
        *(
            "A & B",
            "Mara",
            "Lind",
            "mara.lind@example.org",
            "SE",
            str(SIGNED),
            "314",
            "riverwatch.example/sign",
            "en_GB",
        ),
        *("8", "riverwatch", "River Watch", "warm", "clean_rivers", "Clean rivers now", "12", "7", "3", "11"),
        *("Tom & Eva <Ek>", "se-17", "SE", "sv", "Dear Tom & Eva", "rivers, bees", "river.png, b.jpg"),
    ]


def test_a_template_gets_the_words_as_they_were_written() -> None:
    given = posting(subject="{{target.name}}", body="<b>{{target.name}}</b>\nBye")

    subject, html, text = texts(built(given, template("<h1>{{subject}}</h1>{{{body}}}", text="{{body}}\n--")))

    assert subject == "{{target.name}}"
    assert html == "<h1>{{target.name}}</h1><p>&lt;b&gt;{{target.name}}&lt;/b&gt;</p><p>Bye</p>"
    assert text == "<b>{{target.name}}</b>\nBye\n--"


def test_without_a_text_of_its_own_the_template_is_read_as_one() -> None:
    assert texts(built(posting(), template("<h1>Dear {{target.name}}</h1>{{{body}}}")))[2] == (
        "Dear Tom & Eva <Ek>\n\nHello,\n\nplease act."
    )


@pytest.mark.parametrize(("is_dupe", "shown"), [(True, "again"), (False, "first")])
def test_a_template_knows_duplicates(is_dupe: bool, shown: str) -> None:
    chosen = template("{{#isDupe}}again{{/isDupe}}{{^isDupe}}first{{/isDupe}}")

    assert texts(built(posting(is_dupe=is_dupe), chosen))[1] == shown


def test_debug_is_for_tests_only() -> None:
    chosen = template("{{#test}}T{{/test}}{{{debug}}}")

    assert texts(built(posting(), chosen))[1] == ""
    assert texts(built(posting(testing=True), chosen))[1].startswith('T<pre>{\n  "subject": "Clean the river"')


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.b.JPG", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("a.svg", "image/svg+xml"),
        ("a", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("a.x/y", "application/octet-stream"),
    ],
)
def test_files_are_images_of_their_ending(name: str, media_type: str) -> None:
    made = read(built(posting(files=(File(name, b"\x00\xff"),))))

    [part] = made.iter_attachments()
    assert part.get_content_type() == media_type
    assert part.get_content() == b"\x00\xff"
    assert (part["Content-ID"], part.get_content_disposition(), part.get_filename()) == ("<file1>", "inline", name)


def parts(mail: EmailMessage) -> list[str]:
    return [f"{part.get_content_type()} {part['Content-ID'] or ''}".strip() for part in mail.walk()]


def test_files_stand_where_they_are_shown() -> None:
    files = (PNG, File("b.gif", b"b"), File("c.gif", b"c"))

    assert parts(read(built(posting(files=files), template('<img src="cid:file2">{{{body}}}')))) == [
        *("multipart/mixed", "multipart/alternative", "text/plain"),
        *("multipart/related", "text/html", "image/gif <file2>", "image/png <file1>", "image/gif <file3>"),
    ]
    assert parts(read(built(posting()))) == ["multipart/alternative", "text/plain", "text/html"]


BREAKING = st.text(alphabet=st.sampled_from('\r\n\x00\x0b\x85\u2028\t :;<>@,."\\aB=?é{}'), max_size=40)


@settings(deadline=None)
@given(subject=BREAKING, name=BREAKING, body=BREAKING, file=BREAKING)
def test_no_text_gets_out_of_its_place(subject: str, name: str, body: str, file: str) -> None:
    break_in = "\r\nBcc: victim@example.org\r\n\r\n<p>"
    target = TARGET.model_copy(update={"name": f"x{name}{break_in}{name}"})
    files = (File(file + break_in + file, b"f"),)

    made = built(posting(subject + break_in, body + break_in + body, target=target, files=files))

    head, _, _ = made.raw.partition(b"\r\n\r\n")
    names = re.findall(rb"^([^ \t:]+):", head, re.MULTILINE)
    assert sorted(names) == sorted(
        [
            b"From",
            b"Reply-To",
            b"To",
            b"Subject",
            b"Date",
            b"Message-ID",
            b"X-Proca-Custom-Id",
            b"MIME-Version",
            b"Content-Type",
        ]
    )
    assert made.raw.isascii()
    assert max(map(len, made.raw.split(b"\r\n"))) <= 998
    mail = read(made)
    [to] = cast(AddressHeader, mail["To"]).addresses
    assert to.addr_spec == "tom.ek@example.org"
    assert len(list(mail.iter_attachments())) == 1


@given(st.text())
def test_html_of_a_text_has_no_tags_but_paragraphs(text: str) -> None:
    assert re.sub(r"</?p>", "", paragraphs(text)).count("<") == 0
