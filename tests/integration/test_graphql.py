"""GraphQL as clients speak it: transport, errors, what is private, and what a query may cost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from proca_common.campaigns import store as campaigns
from proca_common.errors import TooMany
from proca_common.guards import caps
from proca_common.mails import counts
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.users.permissions import ADMIN, Role
from tests.api import JSON
from tests.desks import desk
from tests.graphql import ask, data, errors, get, recorded
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
        assert first.headers["Vary"] == "Authorization, Origin"
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

    @pytest.mark.parametrize("said", ["Bearer nonsense", "Bearer ", "Digest abc", "Token API-x"])
    def test_who_says_it_in_another_way_is_nobody(self, world: World, said: str) -> None:
        page = world.page(world.org("ngo"))
        assert data(ask(COUNT, {"actionPage": page.id}, headers={"Authorization": said}))["actionPage"]
        assert errors(ask("{ currentUser { id } }", headers={"Authorization": said})) == [
            ("Authentication is required for this API call", "unauthorized", ["currentUser"])
        ]

    @pytest.mark.usefixtures("world")
    def test_who_tries_too_often_is_told_so_in_graphql(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def slowed(*_: object) -> None:
            raise TooMany("Too many attempts", 60)

        monkeypatch.setattr(caps, "count_token", slowed)
        answer = ask("{ currentUser { id } }", headers={"Authorization": "Bearer API-nonsense"})
        assert (answer.status, errors(answer)) == (429, [("Too many attempts", "too_many", None)])
        assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == ("60", "application/json")

    def test_credentials_that_a_browser_adds_are_not_used_for_forms(self, world: World) -> None:
        world.org("ngo")
        ida = desk("ida@example.org", ngo=Role.OWNER)
        mutation = 'mutation { updateOrg(name: "ngo", input: {title: "Taken over"}) { title } }'
        form = ask(mutation, by=ida, headers={"Content-Type": "text/plain"})
        assert (form.status, errors(form)) == (415, [("Send application/json", None, None)])
        assert data(ask('{ org(name: "ngo") { title } }', by=ida))["org"]["title"] != "Taken over"
        assert data(ask(mutation, by=ida, headers={"Content-Type": "application/json; charset=utf-8"}))

    def test_only_staff_sends_much(self, world: World) -> None:
        campaign = world.campaign(world.org("ngo"), "bees")
        ida = desk("ida@example.org", ngo=Role.OWNER)
        mutation = """mutation($id: Int!, $targets: [TargetInput!]!) {
                        upsertTargets(campaignId: $id, targets: $targets) { externalId emails { email } } }"""
        targets = [
            {"name": f"Target {n}", "externalId": f"t{n}", "fields": json.dumps({"note": "x" * 900})} for n in range(90)
        ]
        for target in targets[:2]:
            target["emails"] = [{"email": f"{target['externalId']}@example.org"}]  # type: ignore[assignment]
        asked = {"id": campaign.id, "targets": targets}
        assert len(json.dumps(asked)) > 64 * 1024
        assert len(data(ask(mutation, asked, by=ida))["upsertTargets"]) == 90
        refused = ask(mutation, asked)
        assert (refused.status, errors(refused)) == (413, [("The body may have 65536 bytes", None, None)])

    @pytest.mark.parametrize("role", list(Role))
    def test_what_clients_ask_of_an_org_is_answered_to_all_its_members(self, world: World, role: Role) -> None:
        org = world.org("ngo")
        services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host="https://crm.example.org/hook"), "secret")
        kim = desk("kim@example.org", ngo=role)
        documents = {
            (each.client, each.name, each.used): each.document
            for each in recorded()
            if re.search(r"^query[^{]*\{org\(name: \$\w+\)", each.document)
        }
        assert len(documents) > 15
        sent = {"name": "ngo", "org": "ngo", "withConfig": True, "withProcessing": True, "withPersonalData": True}
        ids = {"id": world.page(org, name="ngo/bees").id, "campaignId": 1}
        shown: set[str | None] = set()
        for key, document in documents.items():
            named = sent if "actionPage(" in document or "campaign(" in document else sent | ids
            if "actionPage(id" in document or "campaign(id" in document:
                named = {"org": "ngo", "id": ids["id"]}
            found = ask(document, named, by=kim)
            assert "errors" not in found.body, (key, found.body)
            shown |= {each.get("host") for each in found.body["data"]["org"].get("services", ())}
        may_change = role in (Role.OWNER, Role.CAMPAIGNER)
        assert shown == {"https://crm.example.org/hook" if may_change else None}

    def test_staff_find_the_campaign_that_they_made_just_now(self, world: World) -> None:
        org = world.org("ngo")
        world.campaign(org, "first")
        search = '{ campaigns(title: "%") { name } }'
        ida = desk("ida@example.org", ngo=Role.OWNER)
        assert len(data(ask(search))["campaigns"]) == 1
        world.campaign(org, "second")
        assert [each["name"] for each in data(ask(search, by=ida))["campaigns"]] == ["second", "first"]

    def test_a_campaign_whose_org_went_meanwhile_is_left_out(self, world: World) -> None:
        other = world.org("other")
        world.campaign(world.org("ngo"), "bees")
        known = world.campaign(other, "gone")
        search = '{ campaigns(title: "%") { name org { name } } }'
        assert len(data(ask(search))["campaigns"]) == 2
        campaigns.delete(known)
        orgs.delete(orgs.get(other.id))
        assert [each["name"] for each in data(ask(search))["campaigns"]] == ["bees"]

    def test_a_token_is_told_of_to_its_owner_alone(self, world: World) -> None:
        world.org("ngo")
        admin, kim = desk("ida@example.org", perms=ADMIN, ngo=Role.OWNER), desk("kim@example.org", ngo=Role.COORDINATOR)
        query = '{ users(select: {orgName: "ngo"}) { email apiToken { expiresAt } roles { role } } }'
        found = {user["email"]: user for user in data(ask(query, by=admin))["users"]}
        assert found["ida@example.org"]["apiToken"]["expiresAt"]
        assert found["kim@example.org"]["apiToken"] is None
        assert found["kim@example.org"]["roles"] == [{"role": "coordinator"}]
        assert data(ask("{ currentUser { apiToken { expiresAt } } }", by=kim))["currentUser"]["apiToken"]

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
        org = world.org("ngo")
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
        assert extensions["org_id"] == org.id

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

    def test_people_and_keys_that_are_not_there_are_said_as_clients_know_it(self, world: World) -> None:
        world.org("ngo")
        desk("kim@example.org")
        ida = desk("ida@example.org", ngo=Role.OWNER)

        def said(field: str) -> str:
            [(message, code, _)] = errors(ask(f"mutation {{ {field} {{ status }} }}", by=ida))
            assert code == "not_found"
            return message

        nobody, kim = 'email: "no@example.org", role: "campaigner"', 'email: "kim@example.org", role: "campaigner"'
        assert said(f'addOrgUser(orgName: "ngo", input: {{{nobody}}})') == "User does not exist"
        assert said(f'updateOrgUser(orgName: "ngo", input: {{{kim}}})') == "User is not a member of this org"
        assert said('addOrgUser(orgName: "ngo", input: {email: "kim@example.org", role: "boss"})') == "No such role"
        assert said('activateKey(orgName: "ngo", id: 99)') == "Public key not found"

    def test_what_cannot_be_linked_is_said_in_one_way(self, world: World) -> None:
        page = world.page(world.org("ngo"))
        link = 'mutation { linkActions(actionPageId: %d, contactRef: "%s", linkRefs: %s) { contactRef firstName } }'
        assert data(ask(link % (page.id, "abcd", '["efgh"]')))["linkActions"]["contactRef"] == "abcd"
        assert data(ask(link % (page.id, "abcd", "[]")))["linkActions"]["contactRef"] == "abcd"
        for wrong in (link % (99, "abcd", "[]"), link % (page.id, "a", '["efgh"]')):
            assert errors(ask(wrong)) == [("ActionPage or contact not found", None, ["linkActions"])]

    def test_a_campaign_without_a_name_is_none(self, world: World) -> None:
        world.org("ngo")
        ida = desk("ida@example.org", ngo=Role.OWNER)
        answer = ask("mutation { updateCampaignProcessing(supporterConfirm: true) { id } }", by=ida)
        one = "Provide exactly one identifier argument"
        assert errors(answer) == [(one, "bad_arg", ["updateCampaignProcessing"])]

    @pytest.mark.parametrize(
        ("config", "journey"),
        [
            ({}, ["Petition", "Share"]),
            ({"journey": ["Donate"]}, ["Donate"]),
            ({"journey": None}, ["Petition", "Share"]),
            ({"journey": ["Petition", {"a": 1}]}, ["Petition"]),
        ],
    )
    def test_a_config_that_clients_wrote_breaks_no_page(
        self, world: World, config: dict[str, Any], journey: list[str]
    ) -> None:
        page = world.page(world.org("ngo"), config=config)
        asked = data(ask("query($id: Int) { actionPage(id: $id) { journey config } }", {"id": page.id}))["actionPage"]
        assert (asked["journey"], json.loads(asked["config"])) == (journey, config)

    def test_mails_are_counted_anew_for_a_budget(self, world: World) -> None:
        org = world.org("ngo")
        counts.charge(org.id, 3)
        reset = 'mutation { resetTransactionalEmailBudget(orgName: "ngo") }'
        kim = desk("kim@example.org", ngo=Role.COORDINATOR)
        assert errors(ask(reset, by=kim))[0][1] == "permission_denied"
        assert counts.read(org.id)[counts.TRANSACTIONAL] == 3
        admin = desk("ida@example.org", perms=ADMIN, ngo=Role.OWNER)
        assert data(ask(reset, by=admin)) == {"resetTransactionalEmailBudget": "SUCCESS"}
        assert counts.read(org.id)[counts.TRANSACTIONAL] == 0

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

    def test_numbers_of_many_campaigns_are_read_together(self, world: World) -> None:
        org = world.org("ngo")
        for number in range(12):
            world.page(org, world.campaign(org, f"c{number}"), f"ngo/{number}", extra_supporters=number)
        ida = desk("ida@example.org", ngo=Role.OWNER)
        query = '{ org(name: "ngo") { campaigns { name stats { supporterCount } } } }'
        with hooked(calls := Calls()):
            found = data(ask(query, by=ida))["org"]["campaigns"]
        counted = {each["name"]: each["stats"]["supporterCount"] for each in found}
        assert counted == {f"c{number}": number for number in range(12)}
        assert len(calls.of("BatchGetItem")) <= 3 + 3, calls.operations  # three for the numbers of five campaigns each

    @pytest.mark.usefixtures("world")
    def test_the_schema_is_not_told(self) -> None:
        refused = errors(ask("{ __schema { types { name } } }"))
        assert all("introspection" in message for message, _, _ in refused)

    @pytest.mark.usefixtures("world")
    @pytest.mark.parametrize(
        ("query", "variables"),
        [
            ("{ actionPages(id: 1) { id } }", None),
            ("query($a: ActionInput!) { campaign(id: 1) { id } }", {"a": {"actionTyp": "x"}}),
        ],
    )
    def test_nor_is_it_by_suggestions(self, query: str, variables: dict[str, Any] | None) -> None:
        assert "Did you mean" not in str(errors(ask(query, variables)))
