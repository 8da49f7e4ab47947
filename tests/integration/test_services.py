"""Services of an org: which one is meant, and who can read its password (domain 1.11, 1.18; design 7.8)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from proca_common.admin.__main__ import main
from proca_common.catalog.names import NameGuard
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs import instance as instances
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from tests.harness.calls import calls
from tests.world import PASSWORDS_KEY, PASSWORDS_SECRET, World

PASSWORD = "sk_test_a-password-of-a-service"
Admin = Callable[..., Any]


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo")


def stripe(**more: Any) -> ServiceInput:
    return ServiceInput(name=ServiceName.STRIPE, **more)


class TestWhichOneIsMeant:
    def test_the_latest_updated_of_its_name(self, world: World, org: Org) -> None:
        first = services.add(org.id, stripe(user="first"))
        world.ahead_ms += 1
        second = services.add(org.id, stripe(user="second"))
        services.add(org.id, ServiceInput(name=ServiceName.TEST_STRIPE))
        assert services.latest(org.id, ServiceName.STRIPE) == second

        world.ahead_ms += 1
        changed = services.replace(first, stripe(user="changed"))
        assert services.latest(org.id, ServiceName.STRIPE) == changed
        assert changed.id == first.id
        assert len(services.of_org(org.id)) == 3

    def test_only_of_this_org(self, world: World, org: Org) -> None:
        services.add(world.org("other").id, stripe())
        assert services.latest(org.id, ServiceName.STRIPE) is None
        assert services.of_org(org.id) == []

    def test_it_is_found_with_one_call(self, org: Org) -> None:
        services.add(org.id, stripe(), PASSWORD)
        with calls() as recorded:
            services.latest(org.id, ServiceName.STRIPE)
        assert recorded.operations == ["Query"]

    def test_a_removed_one_is_not(self, org: Org) -> None:
        first, second = services.add(org.id, stripe()), services.add(org.id, stripe())
        services.remove(second)
        assert services.latest(org.id, ServiceName.STRIPE) == first
        with pytest.raises(NotFound):
            services.get(org.id, second.id)
        with pytest.raises(NotFound):
            services.replace(second, stripe())

    def test_it_keeps_its_name(self, org: Org) -> None:
        with pytest.raises(NotAllowed, match="cannot be changed"):
            services.replace(services.add(org.id, stripe()), ServiceInput(name=ServiceName.TEST_STRIPE))

    @pytest.mark.usefixtures("world")
    def test_an_org_that_is_not_there_has_none(self) -> None:
        with pytest.raises(NotFound, match="org not found"):
            services.add(999_999_999, stripe())

    def test_it_goes_with_its_org_like_all_that_stands_under_it(self, world: World) -> None:
        gone = world.org("gone")
        services.add(gone.id, stripe(), PASSWORD)
        NameGuard(pk=f"org#{gone.id}", sk="of another kind", id=1).save()
        orgs.delete(gone)
        assert not [item for item in world.tables.all_items("CatalogTable") if item["pk"]["S"] == f"org#{gone.id}"]


class TestPassword:
    def test_only_who_has_the_secret_can_open_it(self, world: World, org: Org) -> None:
        service = services.add(org.id, stripe(), PASSWORD)
        found = services.latest(org.id, ServiceName.STRIPE)
        assert found is not None
        assert services.opened(found, PASSWORDS_KEY) == PASSWORD
        assert PASSWORD not in repr(service) + str(world.tables.all_items("CatalogTable"))
        with pytest.raises(NotAllowed, match="cannot be opened"):
            services.opened(found, b"another secret")

    def test_setting_it_takes_no_secret(self, org: Org) -> None:
        with calls() as recorded:
            services.add(org.id, stripe(), PASSWORD)
        assert "GetSecretValue" not in recorded.operations

    def test_a_change_keeps_it_unless_another_is_given(self, org: Org) -> None:
        service = services.add(org.id, stripe(), PASSWORD)
        service = services.replace(service, stripe(user="changed"))
        assert services.opened(service, PASSWORDS_KEY) == PASSWORD
        service = services.replace(service, stripe(), "another")
        assert services.opened(service, PASSWORDS_KEY) == "another"
        assert services.opened(services.replace(service, stripe(), ""), PASSWORDS_KEY) == ""

    def test_an_instance_of_before_says_what_to_do(self, world: World, org: Org) -> None:
        instances.put(replace(world.instance, passwords_public=None))
        services.add(org.id, stripe())
        with pytest.raises(NotAllowed, match="run setup once more"):
            services.add(org.id, stripe(), PASSWORD)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("webhook", ""),
        ("webhook", "http://crm.example.org/hook"),
        ("webhook", "https://user:secret@crm.example.org"),
        ("supabase", "crm.example.org"),
        ("stripe", "ftp://crm.example.org"),
        ("stripe", "http://localhost.example.org/"),
        ("smtp", "mail.example.org"),
        ("smtp", "smtp://mail.example.org"),
        ("smtp", "tls://mail.example.org:99999"),
        ("smtp", "tls://[mail.example.org"),
        ("ses", "https://eu.example.org"),
    ],
)
def test_a_host_of_another_form_is_refused(name: str, host: str) -> None:
    with pytest.raises(ValidationError, match=f"host of {name} must be"):
        ServiceInput(name=ServiceName(name), host=host)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("webhook", "https://crm.example.org/hook?from=us"),
        ("webhook", "http://127.0.0.1:8080/hook"),
        ("stripe", ""),
        ("test_stripe", "http://localhost:8080"),
        ("smtp", "tls://mail.example.org:25"),
        ("smtp", "smtps://mail.example.org"),
        ("ses", "eu-central-1"),
        ("sqs", "us-gov-west-1"),
        ("brevo", ""),
    ],
)
def test_a_host_of_the_right_form_is_taken(name: str, host: str) -> None:
    assert ServiceInput(name=ServiceName(name), host=host).host == host


@pytest.mark.usefixtures("org")
class TestAdmin:
    @pytest.fixture
    def admin(self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Admin:
        for variable, name in world.tables.environment.items():
            monkeypatch.setenv(variable, name)
        monkeypatch.setenv("SEALING_KEY_SECRET", PASSWORDS_SECRET)

        def run(*command: str, said: str = "") -> Any:
            monkeypatch.setattr("sys.stdin", io.StringIO(said))
            status = main(["--json", *command])
            shown = capsys.readouterr()
            return json.loads(shown.out) if status == 0 else shown.err

        return run

    def test_an_operator_sets_one_up_and_never_sees_its_password_again(self, org: Org, admin: Admin) -> None:
        added = admin("service", "add", "ngo", "smtp", "--host", "tls://mail.example.org", "--user", "ngo",
                      "--sending-from", "us@example.org", "--budget", "100", said=f"{PASSWORD}\n")  # fmt: skip
        listed = admin("service", "list", "ngo")

        assert listed == [added]
        assert (added["name"], added["user"], added["password"]) == ("smtp", "ngo", True)
        assert (added["sendingFrom"], added["transactionalEmailBudget"]) == ("us@example.org", 100)
        assert PASSWORD not in str(listed)
        found = services.latest(org.id, ServiceName.SMTP)
        assert found is not None
        assert services.opened(found, PASSWORDS_KEY) == PASSWORD

    def test_one_without_a_password(self, admin: Admin) -> None:
        assert admin("service", "add", "ngo", "preview")["password"] is False

    def test_an_operator_removes_one(self, admin: Admin) -> None:
        added = admin("service", "add", "ngo", "stripe", said=PASSWORD)
        assert admin("service", "remove", "ngo", str(added["id"])) == {"removed": added["id"], "name": "stripe"}
        assert admin("service", "list", "ngo") == []
        assert admin("service", "remove", "ngo", str(added["id"])) == "service not found\n"

    def test_a_refusal_names_no_value(self, admin: Admin) -> None:
        said = admin("service", "add", "ngo", "webhook", "--host", "http://secret.example.org", said=PASSWORD)
        assert "host of webhook must be a URL with https" in said
        assert "secret.example.org" not in said

    def test_setting_the_instance_up_once_more_makes_passwords_possible(self, world: World, admin: Admin) -> None:
        before = replace(world.instance, passwords_public=None, guards={"proof_of_work": {"digits": 1}})
        instances.put(before)
        admin("setup")
        assert instances.get().passwords_public == world.instance.passwords_public
        assert instances.get().guards == before.guards
        assert admin("service", "add", "ngo", "stripe", said=PASSWORD)["password"] is True
