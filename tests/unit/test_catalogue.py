"""What campaigners may set of orgs, campaigns and pages (domain 1.2 to 1.4; design 6, 7.3)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.campaigns.campaign import Campaign, CampaignInput, CampaignStatus
from proca_common.catalog.names import guard
from proca_common.orgs.org import Encryption, Org, OrgInput

ORG = {"name": "riverwatch", "title": "River Watch", "encryption": "encrypted"}
CAMPAIGN = {"name": "clean_rivers", "title": "Clean rivers now", "org": 8}
PAGE = {"name": "riverwatch.example/sign", "locale": "en_GB", "org": 8, "campaign": 27}
ENTITIES = [(OrgInput, ORG), (CampaignInput, CAMPAIGN), (ActionPageInput, PAGE)]


def refused(model: type[Any], given_values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Where the input is refused; the error must not show the input."""
    with pytest.raises(ValidationError) as error:
        model(**given_values)
    assert "input_value" not in str(error.value)
    return [failed["loc"] for failed in error.value.errors()]


class TestAll:
    @pytest.mark.parametrize(("model", "sound"), ENTITIES)
    def test_unknown_fields_are_refused(self, model: type[Any], sound: dict[str, Any]) -> None:
        assert refused(model, sound | {"colour": "blue"}) == [("colour",)]

    @pytest.mark.parametrize(("model", "sound"), ENTITIES)
    def test_what_is_required_is_asked_for(self, model: type[Any], sound: dict[str, Any]) -> None:
        for name in sound:
            assert refused(model, {key: value for key, value in sound.items() if key != name})[0][-1].lower() == name

    @pytest.mark.parametrize(("model", "sound"), ENTITIES)
    def test_what_is_stored_cannot_be_changed_in_place(self, model: type[Any], sound: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            model(**sound).name = "other"

    @pytest.mark.parametrize(
        ("stored", "beside"),
        [
            (Org(id=8, **ORG, config={"a": {"b": [1, None, "ø"]}}), {"id": 8, "encryption": "encrypted"}),
            (Campaign(id=27, **CAMPAIGN, start=date(2026, 1, 1), supporter_confirm=False), {"id": 27}),
            (ActionPage(id=314, **PAGE, extra_supporters=12), {"id": 314}),
        ],
    )
    def test_what_is_stored_is_read_back_as_it_was(self, stored: Any, beside: dict[str, Any]) -> None:
        document = stored.document()
        assert type(stored).load(document, **beside) == stored
        assert all(f'"{name}"' not in document for name in beside)

    @given(st.from_regex(r"[A-Za-z0-9_./-]{1,20}", fullmatch=True))
    def test_a_name_is_guarded_without_regard_to_case_and_by_kind(self, name: str) -> None:
        guards = {guard("org", spelled, owner).pk for owner, spelled in enumerate((name, name.upper(), name.lower()))}
        assert len(guards) == 1
        assert guard("campaign", name, 1).pk not in guards


class TestOrg:
    @pytest.mark.parametrize("name", ["ietf", "IETF", "a", "a-b_c", "1", "x" * 100])
    def test_names(self, name: str) -> None:
        assert OrgInput(**ORG | {"name": name}).name == name

    @pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "ngö", "a\nb", "x" * 101, "#"])
    def test_no_names(self, name: str) -> None:
        assert refused(OrgInput, ORG | {"name": name}) == [("name",)]

    @pytest.mark.parametrize("title", ["", "   ", "x" * 256, None])
    def test_no_titles(self, title: Any) -> None:
        assert refused(OrgInput, ORG | {"title": title}) == [("title",)]

    @pytest.mark.parametrize("mode", ["encrypted", "clear"])
    def test_encryption_is_an_explicit_choice(self, mode: str) -> None:
        assert OrgInput(**ORG | {"encryption": mode}).encryption is Encryption(mode)
        assert refused(OrgInput, ORG | {"encryption": "sometimes"}) == [("encryption",)]

    def test_deliver_is_the_only_queue_by_default(self) -> None:
        org = OrgInput(**ORG)
        on = {name for name, value in org if value is True}
        assert on == {"custom_action_deliver", "sender_rewrite", "reply_enabled"}

    @pytest.mark.parametrize("email", ["a\x00b@example.org", "a\x7f@example.org", "a b@example.org"])
    def test_no_sender_has_what_no_header_can_carry(self, email: str) -> None:
        assert refused(OrgInput, ORG | {"email_from": email}) == [("email_from",)]

    @pytest.mark.parametrize(
        "arn",
        [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/crm/reader",
            "arn:aws:iam::123456789012:user/jane+doe@example.org",
            "arn:aws-us-gov:iam::123456789012:root",
        ],
    )
    def test_principals(self, arn: str) -> None:
        assert OrgInput(**ORG | {"queue_principals": [arn]}).queue_principals == (arn,)

    @pytest.mark.parametrize(
        "arn",
        [
            "*",
            "",
            "123456789012",
            "arn:aws:iam::*:root",
            "arn:aws:iam::123456789012:*",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:group/all",
            "arn:aws:iam::12345678901:root",
            "arn:aws:sts::123456789012:assumed-role/x/y",
            "arn:aws:iam::123456789012:role/a?",
            "arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:root",
        ],
    )
    def test_nobody_in_general_is_a_principal(self, arn: str) -> None:
        found = refused(OrgInput, ORG | {"queue_principals": ["arn:aws:iam::123456789012:root", arn]})
        assert [loc[1:] for loc in found] == [(1,)]


class TestCampaign:
    def test_defaults(self) -> None:
        campaign = CampaignInput(**CAMPAIGN)
        assert (campaign.contact_schema, campaign.status) == ("basic", CampaignStatus.LIVE)
        assert (campaign.supporter_confirm, campaign.action_confirm, campaign.force_delivery) == (None, None, False)

    @pytest.mark.parametrize("external_id", [0, 1, 2_147_483_647])
    def test_external_ids(self, external_id: int) -> None:
        assert CampaignInput(**CAMPAIGN | {"external_id": external_id}).external_id == external_id

    @pytest.mark.parametrize("external_id", [-1, 2_147_483_648, "x", 1.5])
    def test_no_external_ids(self, external_id: object) -> None:
        assert len(refused(CampaignInput, CAMPAIGN | {"external_id": external_id})) == 1

    @pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "å", "x" * 101])
    def test_no_names(self, name: str) -> None:
        assert refused(CampaignInput, CAMPAIGN | {"name": name}) == [("name",)]

    @pytest.mark.parametrize(
        ("start", "end", "sound"),
        [
            (None, None, True),
            ("2026-01-01", None, True),
            (None, "2026-01-01", True),
            ("2026-01-01", "2026-01-02", True),
            ("2026-01-01", "2026-01-01", False),
            ("2026-01-02", "2026-01-01", False),
        ],
    )
    def test_the_end_is_after_the_start(self, start: str | None, end: str | None, *, sound: bool) -> None:
        values = CAMPAIGN | {"start": start, "end": end}
        if sound:
            assert CampaignInput(**values)
        else:
            with pytest.raises(ValidationError, match="after start"):
                CampaignInput(**values)


VALID_NAMES = [
    "act.movemove.org/petition1",
    "act-now.movemove.org/petition/a",
    "org_name/petition",
    "org-name/campaign/locale/34",
]
INVALID_NAMES = [
    "act_now.movemove.org/petition/a",
    "org_name",
    "test_this.now/123",
    "test/",
    "/test",
    "domain.pl/../../../../etc/shadow",
    "domain.pl////",
    "",
    "a b/c",
    "a/b?c",
    "a/" + "b" * 254,
]


class TestPage:
    @pytest.mark.parametrize("name", VALID_NAMES)
    def test_names(self, name: str) -> None:
        assert ActionPageInput(**PAGE | {"name": name}).name == name

    @pytest.mark.parametrize("name", INVALID_NAMES)
    def test_no_names(self, name: str) -> None:
        assert refused(ActionPageInput, PAGE | {"name": name}) == [("name",)]

    def test_blanks_around_a_name_are_not_part_of_it(self) -> None:
        assert ActionPageInput(**PAGE | {"name": " org/petition\n"}).name == "org/petition"

    @pytest.mark.parametrize("locale", ["en", "en_GB", "sr@latin", "ca_ES@valencia"])
    def test_locales(self, locale: str) -> None:
        assert ActionPageInput(**PAGE | {"locale": locale}).locale == locale

    @pytest.mark.parametrize("locale", ["", "EN", "e", "eng", "en-GB", "en_gb", "en_GBR", "en@", "en@Latin"])
    def test_no_locales(self, locale: str) -> None:
        assert refused(ActionPageInput, PAGE | {"locale": locale}) == [("locale",)]

    @pytest.mark.parametrize(("extra", "sound"), [(0, True), (100_000_000, True), (-1, False), (100_000_001, False)])
    def test_extra_supporters(self, extra: int, *, sound: bool) -> None:
        values = PAGE | {"extra_supporters": extra}
        if sound:
            assert ActionPageInput(**values).extra_supporters == extra
        else:
            assert len(refused(ActionPageInput, values)) == 1

    def test_defaults(self) -> None:
        page = ActionPageInput(**PAGE)
        assert (page.delivery, page.live, page.extra_supporters, page.config) == (True, False, 0, {})
