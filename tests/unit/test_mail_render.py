"""The variables of a mail: the table of domain 8.5; and its plain part."""

from __future__ import annotations

import json

import pytest

from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.confirms.links import Links
from proca_common.mails.choice import MailKind
from proca_common.mails.plain_text import plain_text
from proca_common.mails.render import Occasion, Person, needs_numbers, rendered, variables
from proca_common.mails.templates import EmailTemplate
from tests.unit.test_messages import REF, SIGNED, TRACKING, action, clear_contact, context, supporter

LINKS = Links("https://a/s/accept", "https://a/s/reject", "https://a/d", "https://a/u")
NUMBERS = {"persons:total": 12, "org:8": 7, "org:9": 5, "area:SE": 3, "type:register": 11, "type:share_close": 4}
MARA = Person("mara.lind@example.org", "Mara", "Lind")


def occasion(
    kind: MailKind = MailKind.THANK_YOU,
    done: ActionItem | None = None,
    by: SupporterItem | None = None,
    contact: ContactItem | None = None,
    rank: int = 0,
) -> Occasion:
    return Occasion(
        kind, MARA, done or action(), by or supporter(), contact or clear_contact(), context(), rank, LINKS, NUMBERS
    )


def template(html: str, text: str | None = None, subject: str = "S") -> EmailTemplate:
    return EmailTemplate(id=1, org=8, name="t", locale="en", subject=subject, html=html, text=text)


def test_all_of_the_table() -> None:
    assert variables(occasion()) == {
        "ref": REF,
        "firstName": "Mara",
        "lastName": "Lind",
        "email": "mara.lind@example.org",
        "org": {"name": "riverwatch", "title": "River Watch"},
        "campaign": {
            "name": "clean_rivers",
            "title": "Clean rivers now",
            "stats": {
                "supporterCount": 12,
                "supporterCountByOrg": 7,
                "supporterCountByArea": 3,
                "actionCount": {"register": 11, "shareClose": 4},
            },
        },
        "actionPage": {"name": "riverwatch.example/sign", "locale": "en_GB"},
        "actionId": SIGNED,
        "actionType": "register",
        "createdAt": "2025-03-04 09:12:33Z",
        "isActionType": {"register": True},
        "tracking": {
            **TRACKING,
            "encodedLocation": "https%3A%2F%2Friverwatch.example%2Fsign",
            "encodedContent": "variant-b",
        },
        "variant": {"variant_b": True},
        "test": False,
        "privacy": {
            "optIn": True,
            "givenAt": "2025-03-04T09:12:33Z",
            "emailStatus": None,
            "emailStatusChanged": None,
            "withConsent": True,
        },
        "isDupe": False,
        "comment": "My kids swim here",
        "hobbyList": ["canoe", "fishing"],
        "age": 41,
        "confirmLink": LINKS.double_opt_in,
        "doiLink": LINKS.double_opt_in,
        "rejectLink": None,
        "unsubscribeLink": LINKS.unsubscribe,
    }


@pytest.mark.parametrize(
    ("kind", "links"),
    [
        (MailKind.SUPPORTER_CONFIRM, [LINKS.accept, LINKS.accept, LINKS.reject]),
        (
            MailKind.REMINDER,
            [f"{LINKS.accept}?reminder=1", f"{LINKS.accept}?reminder=1", f"{LINKS.reject}?reminder=1"],
        ),
        (MailKind.THANK_YOU, [LINKS.double_opt_in, LINKS.double_opt_in, None]),
        (MailKind.DUPLICATE, [LINKS.double_opt_in, LINKS.double_opt_in, None]),
    ],
)
def test_links(kind: MailKind, links: list[str | None]) -> None:
    found = variables(occasion(kind))

    assert [found[name] for name in ("confirmLink", "doiLink", "rejectLink")] == links
    assert found["unsubscribeLink"] == LINKS.unsubscribe


@pytest.mark.parametrize(
    "name",
    ["email", "first_name", "firstName", "reject_link", "confirm_link", "unsubscribeLink", "debug", "org", "test"],
)
def test_custom_fields_never_take_the_place_of_anything(name: str) -> None:
    before = variables(occasion(done=action(fields={})))

    assert variables(occasion(done=action(fields={name: "https://evil.example.org"}))) == before


def test_custom_fields_are_camel_cased_and_without_nulls() -> None:
    found = variables(occasion(done=action(fields={"street_number": "3", "URL": "x", "nothing": None, "no": False})))

    assert found["streetNumber"] == "3"
    assert found["uRL"] == "x"
    assert found["no"] is False
    assert "nothing" not in found


def test_types_are_camel_cased() -> None:
    found = variables(occasion(done=action(action_type="share_close")))

    assert found["actionType"] == "share_close"
    assert found["isActionType"] == {"shareClose": True}


@pytest.mark.parametrize(
    ("content", "variant"),
    [
        ("a-b  c!d", {"a_b": True, "cd": True}),
        ("camel_case_stays", {"camel_case_stays": True}),
        ("é !!", {}),
        ("", {}),
    ],
)
def test_variants(content: str, variant: dict[str, bool]) -> None:
    assert variables(occasion(done=action(source={**TRACKING, "content": content})))["variant"] == variant


def test_tracking_is_encoded_but_for_unreserved_characters() -> None:
    source = {**TRACKING, "content": "a b&c/d~e_f.g-h", "location": "https://x/ä?q=1"}

    tracking = variables(occasion(done=action(source=source)))["tracking"]

    assert tracking["encodedContent"] == "a%20b%26c%2Fd~e_f.g-h"
    assert tracking["encodedLocation"] == "https%3A%2F%2Fx%2F%C3%A4%3Fq%3D1"


def test_no_tracking_is_null() -> None:
    found = variables(occasion(done=action(source=None)))

    assert found["tracking"] is None
    assert found["variant"] == {}


@pytest.mark.parametrize(("rank", "is_dupe"), [(0, False), (1, True), (7, True)])
def test_is_dupe(rank: int, is_dupe: bool) -> None:
    assert variables(occasion(rank=rank))["isDupe"] is is_dupe


def test_privacy_without_a_contact_is_unknown() -> None:
    given = occasion(by=supporter(email_status="double_opt_in", email_status_changed=1741079920))
    alone = Occasion(**{**{name: getattr(given, name) for name in given.__slots__}, "contact": None})

    assert variables(alone)["privacy"] == {
        "optIn": None,
        "givenAt": None,
        "emailStatus": "double_opt_in",
        "emailStatusChanged": "2025-03-04T09:18:40Z",
        "withConsent": True,
    }


def test_unknown_areas_count_nobody() -> None:
    assert variables(occasion(by=supporter(area=None)))["campaign"]["stats"]["supporterCountByArea"] == 0


def test_debug_shows_everything_of_a_test_and_is_missing_otherwise() -> None:
    shown = variables(occasion(done=action(testing=True, fields={"comment": "<script>"})))

    assert shown["test"] is True
    debug = shown.pop("debug")
    assert debug.startswith("<pre>")
    assert debug.endswith("</pre>")
    assert "<script>" not in debug
    text = debug.removeprefix("<pre>").removesuffix("</pre>").replace("&lt;", "<").replace("&gt;", ">")
    assert json.loads(text.replace("&amp;", "&")) == shown
    assert "debug" not in variables(occasion())


@pytest.mark.parametrize(
    ("html", "testing", "needed"),
    [
        ("{{campaign.stats.supporterCount}}", False, True),
        ("{{#campaign}}{{#stats}}{{supporterCount}}{{/stats}}{{/campaign}}", False, True),
        ("{{firstName}}", False, False),
        ("{{{debug}}}", True, True),
    ],
)
def test_numbers_are_only_read_where_they_may_be_shown(html: str, testing: bool, needed: bool) -> None:
    assert needs_numbers(template(html), testing=testing) is needed


def test_all_three_texts_have_the_same_variables_and_only_html_is_escaped() -> None:
    shown = rendered(template("<p>{{name}}</p>", "Hi {{name}}", "For {{name}}\u2028"), {"name": "A&B"})

    assert (shown.subject, shown.html, shown.text) == ("For A&B", "<p>A&amp;B</p>", "Hi A&B")


def test_without_a_text_the_plain_part_is_made_from_the_html() -> None:
    html = """<html><head><title>no</title><style>p {}</style></head><body>
      <h1>Thank   you,
      {{name}}</h1><p>You signed <b>today</b>.<br>Share it:</p>
      <ul><li>by <a href="https://example.org/share?a=1&amp;b=2">link</a></li><li>by mouth</li></ul>
      <p><a href="https://example.org">https://example.org</a> <a href="mailto:x@example.org">write</a>
      <img src="x.png" alt="a bee"></p><table><tr><td>one</td><td>two</td></tr></table>
      <script>no()</script><hr><div>end &amp; out</div></body></html>"""

    assert rendered(template(html), {"name": "Ida & Per"}).text == (
        "Thank you, Ida & Per\n\nYou signed today.\nShare it:\n\n"
        "- by link (https://example.org/share?a=1&b=2)\n- by mouth\n\n"
        "https://example.org write a bee\n\none two\n\n---\nend & out\n"
    )


@pytest.mark.parametrize("html", ["", "<p>", "</a></p>", "<a href=>x", "<a>x</a>", "a < b", "<!-- x -->"])
def test_any_html_has_a_text(html: str) -> None:
    assert plain_text(html).endswith("\n")


@pytest.mark.parametrize("kind", [*MailKind])
def test_a_link_that_a_mail_has_not_is_falsy(kind: MailKind) -> None:
    found = rendered(template("{{#rejectLink}}R{{/rejectLink}}"), variables(occasion(kind)))

    assert (found.html == "R") is (kind in {MailKind.SUPPORTER_CONFIRM, MailKind.REMINDER})
