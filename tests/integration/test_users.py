"""Users, their memberships and tokens in the real table, and who asks (domain 1.10, 12.2 to 12.4)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items
from proca_common.errors import DomainError, NotFound, NotKnown, Outdated, Taken, TooMany
from proca_common.failures import Malformed
from proca_common.guards import caps
from proca_common.users import passwords, store, tokens
from proca_common.users.authentication import Authenticator
from proca_common.users.passwords import hashed
from proca_common.users.permissions import ROLES, Permission, Role
from proca_common.users.tokens import API, API_VALID_MS, CONFIRM, DAY_MS, new_api_secret, new_secret, text_of
from proca_common.users.user import Profile, User
from tests.harness.calls import calls
from tests.simulated import SimulatedTime
from tests.world import World, api_event

EMAIL = "ida@example.org"
PASSWORD = "correct Horse 1"
OWNER = ROLES[Role.OWNER]


@pytest.fixture
def ida(world: World) -> User:
    """A user with a password."""
    caps.forget()
    return store.create(EMAIL, hashed(PASSWORD))


def committed(*steps: Callable[[Transaction], None]) -> None:
    transaction = Transaction()
    for step in steps:
        step(transaction)
    items.commit(transaction)


# --- the store


def test_a_user_is_found_by_number_and_by_address_in_any_case(world: World) -> None:
    user = store.create("Ida@Example.org", None, perms=4, external_id="sub-1")

    assert store.get(user.id) == store.find("iDA@eXAMPLE.ORG") == store.find_external("sub-1") == user
    assert user.email == "Ida@Example.org"
    assert user.perms is Permission.MANAGE_USERS
    assert not user.confirmed
    for missing in (lambda: store.get(user.id + 1), lambda: store.find("ola@example.org")):
        with pytest.raises(NotFound):
            missing()


@pytest.mark.parametrize(
    ("email", "external_id", "taken"),
    [("IDA@EXAMPLE.ORG", None, "email"), ("ola@example.org", "sub-1", "external_id")],
)
def test_address_and_subject_are_of_one_user(world: World, email: str, external_id: str | None, taken: str) -> None:
    store.create(EMAIL, None, external_id="sub-1")

    with pytest.raises(Taken) as error:
        store.create(email, None, external_id=external_id)

    assert error.value.field == taken


def test_a_new_address_frees_the_old_one(ida: User) -> None:
    ola = store.create("ola@example.org", None)
    with pytest.raises(Taken):
        store.change(replace(ola, email="Ida@example.org"))

    changed = store.change(replace(ida, email="ida.holm@example.org"))

    assert store.find("ida.holm@example.org") == changed
    with pytest.raises(NotFound):
        store.find(EMAIL)
    assert store.change(replace(ola, email=EMAIL)).email == EMAIL


def test_case_of_the_own_address_may_change(ida: User) -> None:
    changed = store.change(replace(ida, email="IDA@example.org"))

    assert store.find(EMAIL) == changed


def test_a_new_subject_frees_the_old_one(world: World) -> None:
    ida = store.create(EMAIL, None, external_id="sub-1")

    store.change(replace(ida, external_id="sub-2"))

    assert store.find_external("sub-1") is None
    assert store.create("ola@example.org", None, external_id="sub-1")


def test_of_two_writers_the_second_is_told(ida: User) -> None:
    first = store.change(replace(ida, profile=Profile(job_title="Captain")))

    with pytest.raises(Outdated):
        store.change(replace(ida, profile=Profile(job_title="Cook")))

    assert store.get(ida.id) == first
    assert (ida.version, first.version) == (1, 2)


def test_a_change_keeps_the_password_unless_it_is_of_it(ida: User) -> None:
    _, before = store.caller(ida.id)
    changed = store.change(replace(ida, confirmed=True))
    assert store.caller(ida.id)[1] == before

    store.change(changed, password="another hash")

    assert store.caller(ida.id)[1] == "another hash"


def test_what_goes_along_goes_with_it_or_not_at_all(world: World, ida: User) -> None:
    def impossible(transaction: Transaction) -> None:
        transaction.check("there", store.UserItem, ("user#0", "user"), store.UserItem.pk.exists())

    with pytest.raises(Outdated):
        store.change(replace(ida, confirmed=True), along=impossible)
    assert store.get(ida.id) == ida


def test_memberships_are_seen_from_both_sides(world: World, ida: User) -> None:
    committed(lambda write: store.put_staffer(write, ida.id, 7, OWNER))
    committed(lambda write: store.put_staffer(write, ida.id, 8, ROLES[Role.TRANSLATOR]))

    assert store.caller(ida.id)[0].staff == {7: OWNER, 8: ROLES[Role.TRANSLATOR]}
    assert store.staff_of(7) == {ida.id: OWNER}

    committed(lambda write: store.remove_staffer(write, ida.id, 7))
    assert store.caller(ida.id)[0].staff == {8: ROLES[Role.TRANSLATOR]}
    assert store.staff_of(7) == {}


def test_who_does_not_exist_is_no_staffer(world: World) -> None:
    with pytest.raises(Cancelled) as cancelled:
        committed(lambda write: store.put_staffer(write, 999_999, 7, OWNER))

    assert cancelled.value.refused("user")
    assert store.staff_of(7) == {}


# --- tokens


def test_a_token_is_found_by_its_secret_for_its_own_use_alone(ida: User) -> None:
    secret = new_secret()
    added = tokens.add(ida.id, CONFIRM, secret, DAY_MS, sent_to=EMAIL)

    assert tokens.find(CONFIRM, secret) == added
    assert tokens.find(API, secret) is None
    assert tokens.find(CONFIRM, new_secret()) is None
    assert [token.id for token in tokens.of_user(ida.id, CONFIRM)] == [added.id]
    assert tokens.of_user(ida.id, API) == []


def test_a_token_ends(ida: User, time: SimulatedTime) -> None:
    secret = new_secret()
    tokens.add(ida.id, CONFIRM, secret, DAY_MS)

    time.forward(hours=24)

    assert tokens.find(CONFIRM, secret) is None
    assert tokens.of_user(ida.id, CONFIRM) == []


def test_a_removed_token_is_void_and_cannot_be_removed_again(ida: User) -> None:
    secret = new_secret()
    token = tokens.add(ida.id, CONFIRM, secret, DAY_MS)

    tokens.remove(token)

    assert tokens.find(CONFIRM, secret) is None
    with pytest.raises(NotFound):
        tokens.remove(token)
    tokens.use(token, DAY_MS)  # by somebody who had read it before
    assert tokens.find(CONFIRM, secret) is None


def test_nothing_stored_is_a_secret(world: World, ida: User) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, API, secret, API_VALID_MS)

    everything = repr(world.tables.all_items("CatalogTable"))

    for told in (text_of(secret), secret.hex(), PASSWORD, repr(secret)[2:-1]):
        assert told not in everything


# --- who asks


def ask(scheme: str, given: str, client: str = "192.0.2.1") -> Any:
    event = api_event("GET", "/v1/account", headers={"Authorization": f"{scheme} {given}"})
    event["requestContext"]["identity"]["sourceIp"] = client
    return Authenticator(lambda: b"a guard key").caller(APIGatewayProxyEvent(event))


def basic(email: str = EMAIL, password: str = PASSWORD, client: str = "192.0.2.1") -> Any:
    return ask("Basic", base64.b64encode(f"{email}:{password}".encode()).decode(), client)


def refusal(asked: Callable[[], Any]) -> tuple[type[DomainError], str]:
    with pytest.raises(DomainError) as error:
        asked()
    return type(error.value), str(error.value)


WRONG = (NotKnown, "Can not authenticate with these Basic HTTP credentials")


def test_basic(ida: User) -> None:
    committed(lambda write: store.put_staffer(write, ida.id, 7, OWNER))

    found = basic("Ida@Example.org")

    assert found.user == ida
    assert found.staff == {7: OWNER}


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong Horse 12"),
        ("ola@example.org", PASSWORD),
        ("x" * 3_000, PASSWORD),
        (EMAIL, "x" * 3_000),
    ],
)
def test_nothing_tells_which_part_was_wrong(ida: User, email: str, password: str) -> None:
    assert refusal(lambda: basic(email, password)) == WRONG


def test_who_has_no_password_gives_none(world: World) -> None:
    caps.forget()
    store.create(EMAIL, None)
    assert refusal(basic) == WRONG


def test_known_and_unknown_addresses_make_the_same_calls(ida: User) -> None:
    def made(email: str) -> list[str]:
        with calls() as made:
            assert refusal(lambda: basic(email, "wrong Horse 12", "198.51.100.7")) == WRONG
        return made.operations

    made("warm-up@example.org")
    assert made(EMAIL)[:2] == made("ola@example.org")[:2] == ["GetItem", "Query"]
    assert len(made(EMAIL)) == len(made("ola@example.org"))


@pytest.mark.parametrize("given", ["a", "@@@", "aWRh", "OmE=", "aWRhOg==", "/////w=="])
def test_basic_that_is_none(ida: User, given: str) -> None:
    with pytest.raises(Malformed, match="Malformed Basic auth header"):
        ask("Basic", given)


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Digest abc"}, {"Cookie": "a=b"}])
def test_nobody_asks(world: World, headers: dict[str, str]) -> None:
    event = APIGatewayProxyEvent(api_event("GET", "/v1/account", headers=headers))
    authenticator = Authenticator(lambda: b"a guard key")

    assert authenticator.caller_if_any(event) is None
    with pytest.raises(NotKnown, match="Authentication is required"):
        authenticator.caller(event)


def test_an_api_token(ida: User) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, API, secret, API_VALID_MS)

    assert ask("Bearer", text_of(secret)).user == ida
    for wrong in (text_of(new_api_secret()), "API-", "API-" + "A" * 44, "abc"):
        assert refusal(lambda wrong=wrong: ask("Bearer", wrong)) == (NotKnown, "Cannot verify token")


def test_an_api_token_of_another_use(ida: User) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, CONFIRM, secret, API_VALID_MS)
    assert refusal(lambda: ask("Bearer", text_of(secret)))[0] is NotKnown


def test_use_makes_an_api_token_last(ida: User, time: SimulatedTime) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, API, secret, API_VALID_MS)

    for _ in range(3):
        time.forward(hours=24 * 29)
        assert ask("Bearer", text_of(secret)).user == ida
    [token] = tokens.of_user(ida.id, API)
    assert token.used_ms == time.now_ms

    time.forward(hours=24 * 30)
    assert refusal(lambda: ask("Bearer", text_of(secret)))[0] is NotKnown


def test_use_is_written_every_half_minute_at_most(ida: User, time: SimulatedTime) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, API, secret, API_VALID_MS)
    time.forward(seconds=29)
    with calls() as made:
        ask("Bearer", text_of(secret))
    assert "UpdateItem" not in made.operations

    time.forward(seconds=1)
    with calls() as made:
        ask("Bearer", text_of(secret))
    assert made.operations.count("UpdateItem") == 2


def test_a_new_password_voids_tokens(ida: User, time: SimulatedTime) -> None:
    secret = new_api_secret()
    tokens.add(ida.id, API, secret, API_VALID_MS)
    time.forward(seconds=1)

    store.change(replace(ida, tokens_since_ms=time.now_ms), password=hashed("another Horse 2"))

    assert refusal(lambda: ask("Bearer", text_of(secret)))[0] is NotKnown
    assert refusal(basic) == WRONG
    assert basic(password="another Horse 2").user.id == ida.id


# --- guessing


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Thousands of guesses in seconds: cheap hashes, and what does not change is read once."""
    monkeypatch.setattr(passwords, "OPERATIONS", 1)
    monkeypatch.setattr(passwords, "MEMORY_BYTES", 8_192)
    monkeypatch.setattr(store, "caller_by_email", cache(store.caller_by_email))
    monkeypatch.setattr(tokens, "find", cache(tokens.find))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def target(quick: None, world: World, time: SimulatedTime) -> User:
    """Whose password is guessed."""
    caps.forget()
    return store.create(EMAIL, hashed(PASSWORD))


def tried(guesses: int, guess: Callable[[int], Any]) -> dict[type[DomainError] | None, int]:
    """What became of so many guesses; None: accepted."""
    became: dict[type[DomainError] | None, int] = {}
    for number in range(guesses):
        try:
            guess(number)
            answer = None
        except DomainError as error:
            answer = type(error)
        became[answer] = became.get(answer, 0) + 1
    return became


def test_who_uses_the_right_password_is_never_slowed(ida: User, time: SimulatedTime) -> None:
    for _ in range(40):
        caps.forget()  # as another environment, which remembers nothing
        time.forward(seconds=61)
        assert basic().user == ida


@pytest.mark.parametrize("guesses", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_so_many_passwords_for_one_account(target: User, guesses: int) -> None:
    became = tried(guesses, lambda number: basic(password=f"wrong Horse {number}"))

    assert became == {NotKnown: 30, TooMany: guesses - 30}
    assert refusal(basic)[0] is TooMany, "the right one would not be told either"
    assert basic(client="198.51.100.7").user == target, "who comes from elsewhere is let in"


def test_a_network_tries_no_more_over_many_accounts(target: User) -> None:
    became = tried(1_000, lambda number: basic(f"user{number}@example.org"))

    assert became == {NotKnown: 300, TooMany: 700}


def test_an_account_is_tried_no_more_from_many_networks(target: User) -> None:
    became = tried(500, lambda number: basic(password="wrong Horse 1", client=f"10.{number // 250}.{number % 250}.1"))

    assert became == {NotKnown: 300, TooMany: 200}


@pytest.mark.soak
def test_guesses_go_on_as_slowly(target: User, time: SimulatedTime) -> None:
    accepted = 0
    for _ in range(8 * 6):
        became = tried(40, lambda number: basic(password=f"wrong Horse {number}"))
        accepted += became.get(NotKnown, 0)
        time.forward(minutes=10)

    assert accepted <= 2 * 200


def test_ten_thousand_tokens(target: User) -> None:
    secret = new_api_secret()
    tokens.add(target.id, API, secret, API_VALID_MS)
    guess = "API-" + 43 * "B"

    became = tried(10_000, lambda _: ask("Bearer", guess))

    assert became == {NotKnown: 100, TooMany: 9_900}
    assert ask("Bearer", text_of(secret)).user == target, "who has a token goes on"
