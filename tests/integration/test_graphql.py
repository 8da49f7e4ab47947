"""GraphQL as clients speak it: transport, errors, what is private, and what a query may cost."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from proca_common.graph import engine, limits
from proca_common.users.permissions import Role
from tests.api import JSON
from tests.desks import desk
from tests.graphql import ask, data, errors, get
from tests.harness.calls import Calls, hooked
from tests.world import World, api_event, call

SIGN = """mutation addActionContact($action: ActionInput!, $contact: ContactInput!, $privacy: ConsentInput!,
  $contactRef: ID, $actionPage: Int!, $tracking: TrackingInput) {
  addActionContact(actionPageId: $actionPage, action: $action, contactRef: $contactRef, contact: $contact,
                   privacy: $privacy, tracking: $tracking) { contactRef firstName } }"""
COUNT = "query getCount($actionPage: Int!) { actionPage(id: $actionPage) { campaign { stats { supporterCount } } } }"


def signing(page: int, **contact: Any) -> dict[str, Any]:
    known = {"firstName": "Ida", "email": "ida@example.org", "address": {"country": "DK", "postcode": ""}}
    return {
        "action": {"actionType": "register", "customFields": '{"note": "x"}'},
        "contact": {**known, **contact},
        "privacy": {"optIn": True},
        "actionPage": page,
    }


class TestTransport:
    def test_a_widget_signs_and_counts(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        signed = data(ask(SIGN, signing(page.id)))["addActionContact"]
        assert signed["firstName"] == "Ida"
        world.run()
        [message] = world.messages(page.org)
        assert message["contact"]["contactRef"] == signed["contactRef"]
        assert message["action"]["customFields"] == {"note": "x"}
        counted = data(get(COUNT, {"actionPage": page.id}))
        assert counted["actionPage"]["campaign"]["stats"]["supporterCount"] == 1

    def test_a_repetition_under_its_key_stores_nothing(self, world: World) -> None:
        page, key = world.page(world.org("ngo")), {"Idempotency-Key": "once"}
        assert data(ask(SIGN, signing(page.id), headers=key)) == data(ask(SIGN, signing(page.id), headers=key))
        act = 'mutation { addAction(actionPageId: %d, contactRef: "abcd", action: {actionType: "a"}) {contactRef} }'
        used = [("Idempotency-Key was used for a different request", None, ["addAction"])]
        assert errors(ask(act % page.id, headers=key)) == used
        world.run()
        assert len(world.messages(page.org)) == 1

    @pytest.mark.usefixtures("world")
    def test_a_key_that_is_none_is_refused(self) -> None:
        answer = ask(SIGN, signing(1), headers={"Idempotency-Key": "two words"})
        assert (answer.status, errors(answer)) == (400, [("Idempotency-Key has invalid format", None, None)])

    @pytest.mark.parametrize(
        "body",
        [
            {"query": COUNT, "variables": '{"actionPage": 1}', "operationName": ""},
            {"query": COUNT, "variables": {"actionPage": 1, "env": "x", "query": "y"}, "operationName": None},
            {"query": "{ actionPage(id: 1) { id } }", "variables": ""},
            {"query": "{ actionPage(id: 1) { id } }", "variables": None, "extensions": {}},
            {"query": "{ actionPage(id: 1) { id } }"},
            {"query": f"{COUNT} query other {{ actionPage(id: 1) {{ id }} }}", "operationName": "other"},
        ],
    )
    def test_a_body_is_read_as_clients_send_it(self, world: World, body: dict[str, Any]) -> None:
        assert world.page(world.org("ngo")).id == 1
        answer = call("GraphqlFunction", api_event("POST", "/api", json.dumps(body), JSON, {"id": "42"}))
        assert data(answer)["actionPage"]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("", "The body is not JSON"),
            ("[]", "The body is not a JSON object"),
            ('[{"query": "{campaign(id: 1){id}}"}]', "The body is not a JSON object"),
            ("{}", "No query document supplied"),
            ('{"query": " "}', "No query document supplied"),
            ('{"query": "{a}", "variables": [1]}', "The variables are no JSON object"),
            ('{"query": "{a}", "variables": "{"}', "The variables are no JSON object"),
            (json.dumps({"query": "#" * 20_001}), "Query document should be at most 20000 character(s)"),
        ],
    )
    @pytest.mark.usefixtures("world")
    def test_what_is_no_query_is_refused(self, body: str, message: str) -> None:
        answer = call("GraphqlFunction", api_event("POST", "/api", body, JSON))
        assert (answer.status, errors(answer)) == (400, [(message, None, None)])

    @pytest.mark.usefixtures("world")
    def test_get_changes_nothing(self) -> None:
        answer = get('mutation { deleteOrg(name: "ngo") }')
        assert answer.status == 405
        assert errors(answer) == [("Can only perform a mutation from a POST request", None, None)]
        assert get("").status == 400

    def test_names_of_inputs_may_have_underscores(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        given = signing(page.id, first_name="Ada", address={"country": "DK", "street_number": "7"})
        del given["contact"]["firstName"]
        assert data(ask(SIGN, given))["addActionContact"]["firstName"] == "Ada"
        act = 'mutation { addAction(action_page_id: %d, contact_ref: "abcd", action: {action_type: "a"}) {contactRef} }'
        assert data(ask(act % page.id))["addAction"]["contactRef"] == "abcd"

    def test_public_queries_by_get_are_cached_and_nothing_else(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        first = get(COUNT, {"actionPage": page.id}, id="42")
        assert first.headers["Cache-Control"] == "public, max-age=5"
        known = api_event(
            "GET",
            "/api",
            None,
            {"If-None-Match": first.headers["ETag"]},
            {"query": COUNT, "variables": json.dumps({"actionPage": page.id})},
        )
        assert call("GraphqlFunction", known).status == 304
        assert get(COUNT, {"actionPage": 999}).headers["Cache-Control"] == "no-store"
        assert get('{ org(name: "ngo") { id } }').headers["Cache-Control"] == "no-store"
        assert ask(COUNT, {"actionPage": page.id}).headers["Cache-Control"] == "no-store"


class TestWhoAsks:
    @pytest.mark.usefixtures("world")
    @pytest.mark.parametrize(
        ("said", "status", "message"),
        [
            ("Bearer API-nonsense", 401, "Cannot verify token"),
            ("Bearer nonsense", 401, "Cannot verify token"),
            (
                "Basic ZXZlQGV4YW1wbGUub3JnOndyb25nLXBhc3N3b3Jk",
                401,
                "Can not authenticate with these Basic HTTP credentials",
            ),
            ("Basic !!!", 400, "Malformed Basic auth header"),
        ],
    )
    def test_who_does_not_prove_it_is_told_so_in_graphql(self, said: str, status: int, message: str) -> None:
        answer = ask("{ currentUser { id } }", headers={"Authorization": said})
        assert (answer.status, errors(answer)) == (status, [(message, "unauthorized", None)])
        assert answer.body["data"] is None

    def test_what_is_private_is_told_to_staff_alone(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org, extra_supporters=5)
        query = "query($id: Int!) { actionPage(id: $id) { __typename extraSupporters org { __typename id } } }"
        asked = {"id": page.id}
        public = data(ask(query, asked))["actionPage"]
        assert public == {
            "__typename": "PublicActionPage",
            "extraSupporters": None,
            "org": {"__typename": "PublicOrg", "id": None},
        }
        private = data(ask(query, asked, by=desk("ida@example.org", ngo=Role.COORDINATOR)))["actionPage"]
        assert private == {
            "__typename": "PrivateActionPage",
            "extraSupporters": 5,
            "org": {"__typename": "PrivateOrg", "id": org.id},
        }
        world.org("other")
        assert data(ask(query, asked, by=desk("bo@example.org", other=Role.OWNER)))["actionPage"] == public

    def test_refusals_have_the_codes_that_clients_know(self, world: World) -> None:
        world.org("ngo")
        stranger, translator = desk("bo@example.org"), desk("kim@example.org", ngo=Role.TRANSLATOR)
        new = 'mutation { addCampaign(orgName: "ngo", input: {name: "a", title: "A"}) { id } }'
        assert errors(ask("{ currentUser { id } }")) == [
            ("Authentication is required for this API call", "unauthorized", ["currentUser"])
        ]
        nobody = ("User is not a member of team responsible for resource", "permission_denied", ["addCampaign"])
        assert errors(ask(new)) == [nobody]
        assert errors(ask(new, by=stranger)) == [
            ("User is not a member of organisation", "unauthorized", ["addCampaign"])
        ]
        lacking = ask(new, by=translator)
        assert errors(lacking) == [("You do not have the required permission", "permission_denied", ["addCampaign"])]
        extensions = lacking.body["errors"][0]["extensions"]
        assert extensions["required"] == ["manage_campaigns"]
        assert "change_campaign_settings" in extensions["provided"]

    @pytest.mark.usefixtures("world")
    def test_what_is_not_there_is_said_with_a_code(self) -> None:
        assert errors(ask('{ campaign(name: "nothing") { id } }')) == [("Entity not found", "not_found", ["campaign"])]
        one = "Provide exactly one identifier argument"
        assert errors(ask("{ campaign { id } }")) == [(one, "bad_arg", ["campaign"])]
        assert errors(ask('{ actionPage(id: 1, name: "a/b") { id } }')) == [(one, "bad_arg", ["actionPage"])]
        missing = ask(SIGN, signing(99))
        assert errors(missing) == [("action_page_id: Cannot find Action Page with id=99", None, ["addActionContact"])]

    def test_a_name_that_is_too_long_is_not_there(self, world: World) -> None:
        world.org("ngo")
        ida, name = desk("ida@example.org", ngo=Role.OWNER), {"name": "x" * 3_000}
        for field in ("campaign(name: $name)", "actionPage(name: $name)"):
            found = ask(f"query($name: String!) {{ {field} {{ id }} }}", name, by=ida)
            assert errors(found) == [("Entity not found", "not_found", [field.partition("(")[0]])]
        assert (
            errors(ask("mutation($name: String!) { deleteCampaign(name: $name) }", name, by=ida))[0][1] == "not_found"
        )

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_no_moment_is_beyond_the_calendar(self, world: World, moment: str) -> None:
        world.org("ngo")
        refused = ask(f'{{ actions(orgName: "ngo", after: "{moment}") {{ actionId }} }}')
        assert errors(refused) == [("DateTime is a moment in ISO 8601", None, None)]

    def test_each_failed_rule_is_an_error_with_the_path_of_its_input(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        given = signing(page.id, email="x", address={"country": "Denmark"})
        assert errors(ask(SIGN, given)) == [
            ("has invalid format", None, ["addActionContact", "email"]),
            ("has invalid format", None, ["addActionContact", "address", "country"]),
        ]
        ida = desk("ida@example.org", ngo=Role.OWNER)
        new = """mutation($input: ActionPageInput!) {
                   addActionPage(orgName: "ngo", campaignName: "bees", input: $input) { id } }"""
        bad = {"input": {"name": "bad name", "locale": "x"}}
        assert {tuple(path or ()) for _, _, path in errors(ask(new, bad, by=ida))} == {
            ("addActionPage", "name"),
            ("addActionPage", "locale"),
        }
        twice = {"input": {"name": page.name, "locale": "en"}}
        assert errors(ask(new, twice, by=ida)) == [("has already been taken", None, ["addActionPage", "name"])]


class TestCost:
    def test_signing_makes_the_calls_that_the_other_api_makes(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        data(ask(SIGN, signing(page.id)))
        world.sign(page)
        with hooked(by_graphql := Calls()):
            data(ask(SIGN, signing(page.id, email="bo@example.org")))
        with hooked(by_rest := Calls()):
            assert world.sign(page, email="ea@example.org").status == 201
        assert by_graphql.operations == by_rest.operations == ["TransactWriteItems"]

    def test_what_belongs_to_many_is_read_together(self, world: World) -> None:
        org, others = world.org("ngo"), [world.org(f"partner{number}") for number in range(6)]
        campaigns = [world.campaign(org, f"c{number}") for number in range(6)]
        for campaign, partner in zip(campaigns, others, strict=True):
            world.page(org, campaign, f"ngo/{campaign.name}")
            world.page(partner, campaign, f"{partner.name}/{campaign.name}")
        ida = desk("ida@example.org", ngo=Role.OWNER)
        query = """{ org(name: "ngo") { campaigns { name org { name title }
                     ... on PrivateCampaign { actionPages { name status location org { name } campaign { name } } } }
                     actionPages { name campaign { name org { name } } } } }"""
        with hooked(calls := Calls()):
            found = data(ask(query, by=ida))["org"]
        assert len(found["campaigns"]) == len(found["actionPages"]) == 6
        assert len(found["campaigns"][0]["actionPages"]) == 2
        assert len(calls.of("Query")) <= 6 + 4, calls.operations  # one for the pages of each campaign is all that grows
        assert len(calls.of("BatchGetItem")) <= 6 * 4 + 4
        assert len(calls.of("GetItem")) <= 6

    @pytest.mark.usefixtures("world")
    def test_the_schema_is_not_told(self) -> None:
        refused = errors(ask("{ __schema { types { name } } }"))
        assert all("introspection" in message for message, _, _ in refused)


def deep(chance: random.Random) -> str:
    levels = chance.randrange(limits.MAX_DEPTH, 400)
    return "{ campaign(id: 1) " + "{ org " * levels + "{ name }" + " }" * levels + " }"


def wide(chance: random.Random) -> str:
    return "{ campaign(id: 1) { " + "name " * chance.randrange(1_000, 4_000) + "} }"


def aliased(chance: random.Random) -> str:
    many = range(chance.randrange(limits.MAX_ALIASES + 1, 300))
    return "{ campaign(id: 1) { " + " ".join(f"a{number}: stats {{ supporterCount }}" for number in many) + " } }"


def rooted(chance: random.Random) -> str:
    many = range(chance.randrange(limits.MAX_ROOT_FIELDS + 1, 200))
    return "{ " + " ".join(f"a{number}: campaign(id: {number}) {{ id }}" for number in many) + " }"


def in_circles(chance: random.Random) -> str:
    many = chance.randrange(1, 40)
    spreads = [
        f"fragment F{number} on Campaign {{ org {{ name }} ...F{(number + 1) % many} }}" for number in range(many)
    ]
    return "{ campaign(id: 1) { ...F0 } } " + " ".join(spreads)


def doubling(chance: random.Random) -> str:
    many = chance.randrange(13, 60)
    spreads = [f"fragment F{number} on Campaign {{ ...F{number + 1} ...F{number + 1} }}" for number in range(many)]
    return "{ campaign(id: 1) { ...F0 } } " + " ".join(spreads) + f" fragment F{many} on Campaign {{ name }}"


def overlapping(chance: random.Random) -> str:
    many = chance.randrange(50, 150)
    return "{ campaign(id: 1) { " + " ".join(["... on Campaign { org { name } }"] * many) + " } }"


def broken(chance: random.Random) -> str:
    text = "query($a: Int!) { actionPage(id: $a) { campaign { stats { supporterCount } } } }"
    cut = chance.randrange(len(text))
    return text[:cut] + chance.choice(['"', "{", "}", "$", "\\u0000", "@", "...", "\\ud800"]) + text[cut + 1 :]


HOSTILE: list[Callable[[random.Random], str]] = [
    deep,
    wide,
    aliased,
    rooted,
    in_circles,
    doubling,
    overlapping,
    broken,
]


def variables(chance: random.Random) -> dict[str, Any]:
    """Sometimes very many, very deep or very large ones."""
    match chance.randrange(6):
        case 0:
            return {f"v{number}": "x" * 50 for number in range(500)}
        case 1:
            return {"a": [[[[[1] * 2_000]]]]}
        case 2:
            return {"a": 10**400, "b": "x" * 40_000}
        case _:
            return {"a": 1}


@pytest.mark.parametrize(("seed", "number_of"), [(1, 120), pytest.param(2, 1_000, marks=pytest.mark.soak)])
def test_hostile_documents_are_refused_in_bounded_memory(
    world: World, seed: int, number_of: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.page(world.org("ngo"))
    chance = random.Random(seed)
    data(ask("{ campaign(id: 1) { id } }"))
    errors(ask("{ campaign(id: 1) { nothing } }"))  # both schemas are made
    tracemalloc.start()
    base, _ = tracemalloc.get_traced_memory()
    statuses: dict[str, set[int]] = {}
    for number in range(number_of):
        make = HOSTILE[number % len(HOSTILE)]
        answer = ask(make(chance), variables(chance))
        statuses.setdefault(make.__name__, set()).add(answer.status)
        assert answer.status in (200, 400, 413), answer.body
        if make is not broken and make is not overlapping:
            assert "errors" in answer.body, make.__name__
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with capsys.disabled():
        print(f"\n{number_of} hostile documents: {statuses}, {(peak - base) / 1e6:.1f} MB at most")  # noqa: T201
    assert peak - base < 40_000_000
    assert len(engine._known) <= engine.MAX_KNOWN
