"""The API as browsers meet it: CORS, problems, caching, repeated requests."""

import json

import pytest

from tests.e2e.site import Page, Site
from tests.world import signature
from tools.client import Answer, Client

ORIGIN = {"Origin": "https://campaign.example.org"}
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def page(client: Client) -> Page:
    site = Site(client)
    return site.page(site.org())


def assert_problem(answer: Answer, status: int) -> None:
    """An error that a widget can read, whoever made it."""
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"type", "title", "status"} <= answer.json.keys()
    assert answer.json["status"] == status


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1/pages/1/actions", "POST"),
        ("/v1/pages/1/contacts/abc/actions", "POST"),
        ("/v1/pages/1", "GET"),
        ("/v1/pages", "GET"),
    ],
)
def test_a_widget_may_call_from_any_site(client: Client, path: str, method: str) -> None:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type,idempotency-key"}

    answer = client.call("OPTIONS", path, headers={**ORIGIN, **asked})

    assert answer.status in {200, 204}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"content-type", "idempotency-key"} <= allowed
    assert int(answer.headers["access-control-max-age"]) > 0


def test_answers_can_be_read_by_the_widget(client: Client, page: Page) -> None:
    signed = client.post(page.path, signature(), ORIGIN)

    assert signed.status == 201
    assert signed.headers["access-control-allow-origin"] == "*"
    assert signed.headers["cache-control"] == "no-store"
    assert client.call("GET", "/health", headers=ORIGIN).json == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/pages/1/actions", 404),
        ("POST", "/health", 404),
        ("GET", "/v1/pages/9007199254740991", 404),
        ("GET", "/v1/pages/9007199254740992", 404),
        ("GET", "/v1/pages/-1", 404),
        ("GET", "/v1/pages/x", 404),
        ("GET", "/v1/pages?name=nobody/knows", 404),
        ("GET", "/v1/pages?name=", 422),
        ("GET", "/v1/pages", 422),
        ("POST", "/v1/pages/x/actions", 404),
        ("POST", "/v1/pages/9007199254740991/actions", 404),
    ],
)
def test_every_error_is_a_problem_that_a_widget_can_read(client: Client, method: str, path: str, status: int) -> None:
    body = json.dumps(signature()).encode() if method == "POST" else None

    answer = client.call(method, path, body, {**ORIGIN, "Content-Type": "application/json"})

    assert_problem(answer, status)


def test_all_failed_rules_are_told_at_once(client: Client, page: Page) -> None:
    body = {**signature(email="ida", first_name=""), "novelty": 1}

    answer = client.post(page.path, body, ORIGIN)

    assert_problem(answer, 422)
    pointers = {failed["pointer"] for failed in answer.json["errors"]}
    assert {"/contact/email", "/contact/firstName", "/novelty"} <= pointers
    assert all({"pointer", "code", "message"} == failed.keys() for failed in answer.json["errors"])


def test_a_page_is_found_by_id_and_by_name_and_kept_while_it_is_unchanged(client: Client, page: Page) -> None:
    by_id = client.call("GET", f"/v1/pages/{page.id}", headers=ORIGIN)
    by_name = client.call("GET", f"/v1/pages?name={by_id.json['name'].upper()}", headers=ORIGIN)
    etag = by_id.headers["etag"]
    again = client.call("GET", f"/v1/pages/{page.id}", headers={**ORIGIN, "If-None-Match": f'"other", W/{etag}'})
    other = client.call("GET", f"/v1/pages/{page.id}", headers={**ORIGIN, "If-None-Match": '"other"'})

    assert by_id.json["campaign"]["name"] == page.campaign
    assert (by_name.status, by_name.text, by_name.headers["etag"]) == (200, by_id.text, etag)
    assert by_id.headers["cache-control"] == "public, max-age=5"
    assert by_id.headers["access-control-allow-origin"] == "*"
    assert (again.status, again.text, again.headers["etag"]) == (304, "", etag)
    assert (other.status, other.text) == (200, by_id.text)


def test_anybody_sees_who_signed_an_open_letter(client: Client, site: Site) -> None:
    org = site.org()
    page = site.page(org)
    client.admin("campaign", "set", page.campaign, 'public_actions=["register:comment"]')
    action = site.signed(page, country="SE", fields={"comment": "My kids swim here", "shoes": 41})
    client.wait_until_delivered()

    campaign = client.call("GET", f"/v1/campaigns?name={page.campaign}").json
    path = f"/v1/campaigns/{campaign['id']}"
    shown = client.call("GET", f"{path}/actions?type=register&limit=5").json
    numbers = client.call("GET", f"{path}/numbers?others={org.name}").json
    static = client.call("GET", f"/v1/pages/{page.id}/static").json

    assert campaign["numbers"]["supporterCount"] == 1
    [entry] = shown["items"]
    assert (entry["actionId"], entry["area"], entry["customFields"]) == (action, "SE", {"comment": "My kids swim here"})
    assert (numbers["supporterCount"], numbers["supporterCountByOthers"]) == (1, 0)
    assert numbers["supporterCountByOrg"][0]["org"]["name"] == org.name
    assert static["actions"] == {"register": shown["items"]}
    assert static["campaign"]["numbers"] == campaign["numbers"]
    assert client.call("GET", f"{path}/actions?type=donate").json == {"items": [], "next": None}


def test_a_repeated_request_is_answered_as_the_first_was(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    key = {"Idempotency-Key": "a_key-of-the-widget"}

    first, again = site.sign(page, key), site.sign(page, key)
    other = site.sign(page, {**key, **ORIGIN}, email="bo.berg@example.org")
    site.client.wait_until_delivered()

    assert (first.status, again.status) == (201, 201)
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert again.json == first.json
    assert_problem(other, 422)
    assert [message["actionId"] for message in site.messages(org)] == [first.json["actionId"]]


def test_a_share_can_be_repeated_too(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    signed = site.sign(page)
    assert signed.status == 201, signed.text
    path = f"/v1/pages/{page.id}/contacts/{signed.json['contactRef']}/actions"
    share, key = {"action": {"actionType": "share"}}, {"Idempotency-Key": "share"}

    answers = [site.client.post(path, share, key) for _ in range(3)]
    site.client.wait_until_delivered()

    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert site.numbers(page)["type:share"] == 1


def test_nothing_that_is_answered_tells_who_is_known(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    share = {"action": {"actionType": "share"}}
    known = site.sign(page).json["contactRef"]
    unknown = "A" * len(known)

    answers = [site.client.post(f"/v1/pages/{page.id}/contacts/{ref}/actions", share) for ref in (known, unknown)]
    signatures = [site.sign(page), site.sign(page, email="somebody.new@example.org")]

    for one, other in (answers, signatures):
        assert one.status == other.status == 201
        assert one.headers.keys() == other.headers.keys()
        assert one.json.keys() == other.json.keys()
        assert one.json["firstName"] == other.json["firstName"]
