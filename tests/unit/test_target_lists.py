"""Lists of targets: what they come to, and tables of them (domain 9.9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from proca_common.actions.status import EmailStatus
from proca_common.failures import Malformed, Refused
from proca_common.targets import table
from proca_common.targets.given import (
    MAX_TOLD,
    OutdatedTargets,
    Plan,
    listed_in,
    outdated_of,
    patched,
    planned,
)
from proca_common.targets.target import MAX_TARGETS, Target, TargetEmail, TargetInput

KEEP, DISABLE, DELETE = OutdatedTargets
ANNA = TargetEmail(email="anna@example.org", email_status=EmailStatus.BOUNCE, error="full")
BEN = TargetEmail(email="ben@example.org")


def target(external_id: str, *emails: TargetEmail, **settings: Any) -> Target:
    return Target(
        **{"id": external_id, "campaign": 7, "external_id": external_id, "name": "A", "emails": emails} | settings
    )


def known(*targets: Target) -> dict[str, Target]:
    return {each.external_id: each for each in targets}


def failures(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[str, str]]:
    return [(failure.pointer, failure.code) for failure in refused.value.failures]


class TestPlanned:
    def test_new_changed_and_unchanged(self) -> None:
        one, two, three = target("1"), target("2", area="PT"), target("3")
        listed = [{"externalId": "2", "name": "B"}, {"externalId": " 1 "}, {"externalId": "4", "name": "D"}]
        assert planned(listed, known(one, two, three), KEEP) == Plan(
            new=[TargetInput(external_id="4", name="D")],
            changed=[(two, two.model_copy(update={"name": "B"}))],
            unchanged=[one],
            outdated=[three],
        )

    def test_what_is_not_said_stays_null_brings_the_default_back_and_fields_are_replaced(self) -> None:
        before = target("1", area="PT", locale="pt", fields={"a": 1, "b": 2})
        [(_, after)] = planned([{"externalId": "1", "area": None, "fields": {"a": 3}}], known(before), KEEP).changed
        assert after == before.model_copy(update={"area": None, "fields": {"a": 3}})

    def test_addresses_that_are_given_replace_those_that_are_there(self) -> None:
        before = target("1", ANNA, BEN)
        some = [{"email": "Anna@example.org"}, {"email": "c@example.org"}]
        [(_, after)] = planned([{"externalId": "1", "emails": some}], known(before), KEEP).changed
        assert after.emails == (ANNA, TargetEmail(email="c@example.org"))
        [(_, after)] = planned([{"externalId": "1", "emails": []}], known(before), KEEP).changed
        assert after.emails == ()
        assert planned([{"externalId": "1", "emails": None}], known(before), KEEP).unchanged == [before]

    def test_disabling_what_is_not_named(self) -> None:
        there, bounced = target("1", ANNA, BEN), target("2", ANNA)
        plan = planned([], known(there, bounced), DISABLE)
        off = BEN.model_copy(update={"email_status": EmailStatus.INACTIVE})
        assert plan.outdated == [there, bounced]
        assert plan.disabled == [(there, there.model_copy(update={"emails": (ANNA, off)}))]
        assert planned([], known(there), DELETE) == Plan(outdated=[there])

    def test_all_failed_rules_at_once(self) -> None:
        listed = [
            7,
            {"name": "A"},
            {"externalId": "1", "name": None, "colour": None},
            {"externalId": "2", "name": "A", "emails": [{"email": "x"}]},
            {"externalId": "3", "name": "A"},
            {"externalId": "3", "name": "A"},
            {"externalId": 4, "name": "A"},
        ]
        with pytest.raises(Refused) as refused:
            planned(listed, known(target("1")), KEEP)
        assert failures(refused) == [
            ("/targets/0", "invalid"),
            ("/targets/1/externalId", "blank"),
            ("/targets/2/name", "blank"),
            ("/targets/2/colour", "unknown_field"),
            ("/targets/3/emails/0/email", "format"),
            ("/targets/5/externalId", "taken"),
            ("/targets/6/externalId", "invalid"),
        ]

    def test_no_more_targets_than_a_campaign_may_have(self) -> None:
        listed = [{"externalId": str(number), "name": "A"} for number in range(MAX_TARGETS)]
        assert len(planned(listed, {}, KEEP).new) == MAX_TARGETS
        assert len(planned(listed, known(target("x")), DELETE).new) == MAX_TARGETS
        for wrong, there in ((listed, known(target("x"))), ([*listed, {"externalId": "x", "name": "A"}], {})):
            with pytest.raises(Refused) as refused:
                planned(wrong, there, DISABLE)
            assert failures(refused) == [("/targets", "too_large")]

    def test_no_more_failures_than_fit_into_an_answer(self) -> None:
        with pytest.raises(Refused) as refused:
            planned([{}] * MAX_TOLD, {}, KEEP)
        assert len(refused.value.failures) == MAX_TOLD


class TestPatched:
    BEFORE = target("1", ANNA, area="PT", fields={"a": 1})

    @pytest.mark.parametrize(
        ("patch", "update"),
        [
            ({}, {}),
            ({"name": "B", "externalId": "2"}, {"name": "B", "external_id": "2"}),
            ({"area": None, "fields": {"b": 2}}, {"area": None, "fields": {"a": 1, "b": 2}}),
            ({"fields": {"a": None}}, {"fields": {}}),
            ({"emails": [{"email": "ben@example.org"}]}, {"emails": (BEN,)}),
            ({"emails": None}, {"emails": ()}),
        ],
    )
    def test_a_merge_patch(self, patch: dict[str, Any], update: dict[str, Any]) -> None:
        assert patched(self.BEFORE, patch) == self.BEFORE.model_copy(update=update)

    def test_what_is_wrong(self) -> None:
        with pytest.raises(Refused) as refused:
            patched(self.BEFORE, {"name": None, "id": None, "emails": [{"email": "ben@example.org", "error": "x"}]})
        assert failures(refused) == [
            ("/name", "blank"),
            ("/emails/0/error", "unknown_field"),
            ("/id", "unknown_field"),
        ]


class TestDocument:
    def test_a_list_under_its_name(self) -> None:
        assert listed_in({"targets": [1]}) == [1]

    @pytest.mark.parametrize(
        ("document", "failed"),
        [
            ({}, [("/targets", "blank")]),
            ({"targets": {}}, [("/targets", "invalid")]),
            ({"targets": [], "mode": "keep"}, [("", "unknown_field")]),
        ],
    )
    def test_no_lists(self, document: dict[str, Any], failed: list[tuple[str, str]]) -> None:
        with pytest.raises(Refused) as refused:
            listed_in(document)
        assert failures(refused) == failed

    def test_what_becomes_of_the_others(self) -> None:
        assert [outdated_of(given) for given in (None, "keep", "disable", "delete")] == [KEEP, KEEP, DISABLE, DELETE]
        with pytest.raises(Refused) as refused:
            outdated_of("remove")
        assert failures(refused) == [("/outdated", "invalid")]


class TestTable:
    def test_all_columns(self) -> None:
        text = (
            "externalId,name,locale,area,email,email,fields.salutation,fields.party\r\n"
            'mep-1,"Member, Anna",pt_BR,PT,anna@example.org,"b@example.org; c@example.org","Dear ""Anna""",Left\r\n'
            "mep-2,Ben,,,,,,\r\n"
        )
        assert table.rows(text) == [
            {
                "externalId": "mep-1",
                "name": "Member, Anna",
                "locale": "pt_BR",
                "area": "PT",
                "emails": [{"email": f"{name}@example.org"} for name in ("anna", "b", "c")],
                "fields": {"salutation": 'Dear "Anna"', "party": "Left"},
            },
            {"externalId": "mep-2", "name": "Ben", "locale": None, "area": None, "emails": [], "fields": {}},
        ]

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_as_spreadsheets_write_it(self, separator: str, end: str) -> None:
        lines = [separator.join(cells) for cells in (["External ID", " NAME "], ["1", "Zoë"], ["", ""], ["2", "B"])]
        text = "\ufeff" + end.join(lines) + end * 2
        assert table.rows(text) == [{"externalId": "1", "name": "Zoë"}, {"externalId": "2", "name": "B"}]

    def test_what_has_no_column_stays(self) -> None:
        [row] = table.rows("externalId\n1\n")
        before = target("1", ANNA, area="PT")
        assert planned([row], known(before), KEEP).unchanged == [before]

    @pytest.mark.parametrize("text", ["", "\n\n", 'externalId\n"1', 'externalId\n"1"2\n'])
    def test_what_is_no_table(self, text: str) -> None:
        with pytest.raises(Malformed):
            table.rows(text)

    def test_wrong_heads(self) -> None:
        with pytest.raises(Refused) as refused:
            table.rows("name,colour,name,fields.,fields.a,fields.a,\n")
        assert failures(refused) == [
            ("/columns/1", "unknown_field"),
            ("/columns/2", "taken"),
            ("/columns/3", "unknown_field"),
            ("/columns/5", "taken"),
            ("/columns/6", "unknown_field"),
            ("/columns/externalId", "blank"),
        ]

    def test_rows_that_do_not_fit(self) -> None:
        with pytest.raises(Refused) as refused:
            table.rows("externalId,name\n1,A\n2\n3,C,x\n")
        assert failures(refused) == [("/targets/1", "invalid"), ("/targets/2", "invalid")]

    @for_all(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1, unique=True))
    def test_any_text_that_is_quoted_comes_through(self, ids: list[str]) -> None:
        lines = ['"{}"'.format(each.replace('"', '""')) for each in ids]
        assert [row["externalId"] for row in table.rows("\n".join(["externalId", *lines]))] == ids
