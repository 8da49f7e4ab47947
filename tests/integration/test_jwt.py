"""JWTs of a configured issuer (domain 12.2): which are believed, whom they speak of, and what others are told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from proca_common.aws.errors import Unavailable
from proca_common.errors import NotKnown
from proca_common.orgs import instance as instances
from proca_common.users import jwt, store
from proca_common.users.jwt import ConfiguredIssuer, JwtSettings, claim, seal_secret
from proca_common.users.passwords import hashed, is_password
from proca_common.users.user import Caller
from tests.simulated import SimulatedTime
from tests.world import World

GUARD = b"a guard key"
SECRET = "the secret of the issuer, which is as long as the longest of the hashes is, and more"
EMAIL = "ida@example.org"
VERIFIED = {"user_metadata": {"email_verified": True}}
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Publisher:
    """An issuer's keys at a URL; `asked` counts."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    url: str = ""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            body = json.dumps({"keys": made.keys}).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/jwks"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture(autouse=True)
def nothing_known(world: World, time: SimulatedTime) -> Iterator[None]:
    jwt.forget()
    yield
    jwt._pool().clear()
    jwt.forget()


def believe(**settings: Any) -> None:
    checked = JwtSettings.model_validate(settings).model_dump(exclude_none=True)
    instances.put(replace(instances.get(), jwt=checked))
    jwt.forget()


def symmetric(**more: Any) -> None:
    believe(secret=seal_secret(SECRET, GUARD), **more)


def token(
    time: SimulatedTime, key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: Any
) -> str:
    given = {"email": EMAIL, "sub": "sub-1", "exp": time.now_ms // 1000 + 600, **VERIFIED, **claims}
    known = {name: value for name, value in given.items() if value is not None}
    return pyjwt.encode(known, key, algorithm, headers=None if kid is None else {"kid": kid})


def ask(given: str) -> Caller:
    return ConfiguredIssuer(lambda: GUARD).caller(given)


def refusal(given: str) -> str:
    with pytest.raises(NotKnown) as error:
        ask(given)
    return str(error.value)


def published(key: Any, kid: str) -> dict[str, Any]:
    algorithm: Any = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid}


# --- what is believed


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_symmetric(time: SimulatedTime, algorithm: str) -> None:
    symmetric()
    user = ask(token(time, algorithm=algorithm)).user
    assert (user.email, user.external_id, user.confirmed) == (EMAIL, "sub-1", True)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEY, "RS256"), (RSA_KEY, "RS512"), (EC_KEY, "ES256")])
def test_asymmetric(time: SimulatedTime, publisher: Publisher, key: Any, algorithm: str) -> None:
    publisher.keys = [published(key, "one"), published(rsa.generate_private_key(65537, 2048), "two")]
    believe(jwks_url=publisher.url)

    assert ask(token(time, key, algorithm, "one")).user.email == EMAIL


def test_off_by_default(time: SimulatedTime) -> None:
    assert refusal(token(time)) == "JWT not enabled for symmetric keys (HS256)"
    assert refusal(token(time, RSA_KEY, "RS256", "one")) == "JWT not enabled for asymmetric keys (RS256)"


def test_what_is_wrong_is_told(time: SimulatedTime) -> None:
    symmetric(issuer="https://id.example.org", audience="proca")
    right = {"iss": "https://id.example.org", "aud": ["proca", "other"]}
    sound = token(time, **right)
    head, _, signature = sound.split(".")

    cases: dict[str, str] = {
        token(time, SECRET + "x", **right): "Cannot verify JWT token. signature is wrong",
        f"{head}.{token(time, email='ola@example.org').split('.')[1]}.{signature}": "signature is wrong",
        "eyJ.a.b": "Cannot verify JWT token. it is malformed",
        "ey": "Cannot verify JWT token. it is malformed",
        pyjwt.encode({"email": EMAIL}, "", "none"): "its algorithm is not spoken here",
        token(time, **{**right, "aud": "other"}): "it is for somebody else",
        token(time, **{**right, "iss": "https://evil.example.org"}): "it is of another issuer",
        token(time, **right, nbf=time.now_ms // 1000 + 60): "its time has not come",
        token(time, **right, email=None): "JWT is invalid (missing values)",
        token(time, **right, email="no address"): "JWT is invalid (missing values)",
        token(time, **right, exp=None): "JWT is invalid (missing values)",
        token(time, **right, exp=time.now_ms // 1000 - 1): "JWT expired",
        token(time, **right, user_metadata={"email_verified": False}): "Email not verified",
        token(time, **right, user_metadata=None): "Email not verified",
    }
    for given, said in cases.items():
        assert refusal(given).endswith(said)
    assert ask(sound).user.email == EMAIL


def test_a_public_key_is_no_secret(time: SimulatedTime, publisher: Publisher) -> None:
    publisher.keys = [published(RSA_KEY, "one")]
    believe(jwks_url=publisher.url)

    forged = token(time, publisher.keys[0]["n"], "HS256", "one")

    assert refusal(forged) == "JWT not enabled for symmetric keys (HS256)"


# --- keys


def test_keys_are_asked_for_once_and_again_for_an_unknown_one(time: SimulatedTime, publisher: Publisher) -> None:
    publisher.keys = [published(RSA_KEY, "one")]
    believe(jwks_url=publisher.url)
    for _ in range(3):
        ask(token(time, RSA_KEY, "RS256", "one"))
    for number in range(50):
        refusal(token(time, EC_KEY, "ES256", f"unknown {number}"))
    assert publisher.asked == 1

    publisher.keys.append(published(EC_KEY, "two"))
    time.forward(seconds=60)
    assert ask(token(time, EC_KEY, "ES256", "two")).user.email == EMAIL
    assert publisher.asked == 2


def test_a_key_that_is_taken_back_is_void_after_an_hour(time: SimulatedTime, publisher: Publisher) -> None:
    publisher.keys = [published(RSA_KEY, "one")]
    believe(jwks_url=publisher.url)
    ask(token(time, RSA_KEY, "RS256", "one"))
    publisher.keys = [published(EC_KEY, "two")]

    time.forward(hours=1)

    assert refusal(token(time, RSA_KEY, "RS256", "one")).endswith("its key is not known")


def test_an_issuer_that_is_silent(time: SimulatedTime, publisher: Publisher) -> None:
    publisher.status = 500
    believe(jwks_url=publisher.url)
    with pytest.raises(Unavailable):
        ask(token(time, RSA_KEY, "RS256", "one"))

    publisher.status, publisher.keys = 200, [published(RSA_KEY, "one")]
    time.forward(seconds=60)
    assert ask(token(time, RSA_KEY, "RS256", "one")).user.email == EMAIL

    publisher.status = 500
    time.forward(hours=1)
    assert ask(token(time, RSA_KEY, "RS256", "one")).user.email == EMAIL, "what is known holds on"


# --- whom it speaks of


def test_a_subject_keeps_its_user(time: SimulatedTime) -> None:
    symmetric()
    first = ask(token(time)).user

    assert ask(token(time, email="ida.holm@example.org")).user == first


def test_an_address_gets_its_subject(time: SimulatedTime) -> None:
    symmetric()
    ida = store.create(EMAIL, hashed("correct Horse 1"), confirmed=True)

    user = ask(token(time)).user

    assert (user.id, user.external_id) == (ida.id, "sub-1")
    assert is_password("correct Horse 1", store.caller(ida.id)[1])


def test_who_registered_the_address_of_somebody_else_loses_it(time: SimulatedTime) -> None:
    symmetric()
    squatted = store.create(EMAIL, hashed("correct Horse 1"))

    user = ask(token(time)).user

    assert (user.id, user.confirmed) == (squatted.id, True)
    assert not is_password("correct Horse 1", store.caller(user.id)[1])
    assert user.tokens_since_ms == time.now_ms


def test_a_new_user_is_told_of_and_has_no_password(world: World, time: SimulatedTime) -> None:
    symmetric()
    user = ask(token(time)).user

    assert store.caller(user.id)[1] is None
    events = [item for item in world.tables.all_items("CatalogTable") if item["pk"] == {"S": "events"}]
    assert [item["event_type"]["S"] for item in events] == ["new_user"]


def test_unverified_addresses_where_that_is_allowed(time: SimulatedTime) -> None:
    symmetric(allow_unverified=True)
    user = ask(token(time, user_metadata=None)).user
    assert user.confirmed is False


# --- claims


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ("email", "a"),
        ("b.c", 1),
        ("b.none,email", "a"),
        ("list[].address", "x"),
        ("texts[]", "y"),
        ("texts", ["y", "z"]),
        ("none", None),
        ("email.c", None),
        ("b[]", None),
        ("empty[],email", "a"),
    ],
)
def test_where_claims_are(paths: str, found: Any) -> None:
    claims = {"email": "a", "b": {"c": 1}, "list": [{"address": "x"}], "texts": ["y", "z"], "empty": []}
    assert claim(claims, paths) == found
