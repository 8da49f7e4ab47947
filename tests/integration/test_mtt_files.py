"""Files from the store of an org go with its mails to targets (domain 9.6.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.mails.letter import File
from proca_common.mtt.files import FRESH_MS, MAX_BYTES, Files
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput
from tests import mtt
from tests.harness.calls import calls, unseen_client
from tests.harness.faults import faults, lose_request
from tests.mail_server import MailServer
from tests.simulated import SimulatedTime
from tests.target_post import target_post
from tests.world import PASSWORDS_KEY, World
from tools.emulator import REGION

BUCKET = "bees-files"
NOON_MS = 12 * 3_600_000


@pytest.fixture
def org(world: World) -> Iterator[Org]:
    """An org with a store: the folder `public` of its bucket."""
    s3 = unseen_client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, content in (("public/a.png", b"a"), ("public/b.jpg", b"b"), ("secret.png", b"s")):
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    made = world.org("bees", email_backend="smtp", email_from="mail@bees.example.org", storage_backend="s3")
    store(made)
    yield made
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def store(org: Org, **changes: Any) -> None:
    given = {"name": "s3", "host": REGION, "user": "test", "path": f"{BUCKET}/public", **changes}
    services.add(org.id, ServiceInput.model_validate(given), "test")


def files() -> Files:
    return Files(lambda: PASSWORDS_KEY)


def put(name: str, content: bytes) -> str:
    unseen_client("s3").put_object(Bucket=BUCKET, Key=f"public/{name}", Body=content)
    return f"{BUCKET}/public/{name}"


A, B, SECRET, NONE = (f"{BUCKET}/{key}" for key in ("public/a.png", "public/b.jpg", "secret.png", "public/none.png"))


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([A, B], [File("a.png", b"a"), File("b.jpg", b"b")]),
        ([NONE, A], [File("a.png", b"a")]),
        ([SECRET, f"{BUCKET}/public/../secret.png", A], [File("a.png", b"a")]),
        ([NONE], []),
        ([], []),
    ],
)
def test_what_is_there_and_in_the_folder_is_found(org: Org, keys: list[str], found: list[File]) -> None:
    assert [*files().fetch(org, keys)] == found


def test_an_org_without_a_store_has_no_files(org: Org, world: World) -> None:
    other = world.org("ants")
    with calls() as recorded:
        assert files().fetch(other, [A]) == ()
        assert files().fetch(org.model_copy(update={"storage_backend": None}), [A]) == ()
    assert not len(recorded)


def test_what_is_too_large_for_a_mail_is_left_out(org: Org) -> None:
    large = put("large.png", b"x" * (MAX_BYTES - 1))
    larger = put("larger.png", b"x" * (MAX_BYTES + 1))

    assert [file.name for file in files().fetch(org, [larger, A, large, B])] == ["a.png", "large.png"]


def test_a_store_that_does_not_answer_holds_up_no_mail(org: Org) -> None:
    with faults(lose_request("GetObject")) as recorded:
        assert files().fetch(org, [A, B]) == ()
    assert len(recorded.of("GetObject")) == 1


def test_a_password_that_cannot_be_opened_holds_up_no_mail(org: Org) -> None:
    assert Files(lambda: b"x" * 32).fetch(org, [A]) == ()


def test_files_of_many_mails_are_read_once_a_minute(org: Org, time: SimulatedTime) -> None:
    kept = files()
    with calls() as recorded:
        for _ in range(3):
            assert len(kept.fetch(org, [A, B])) == 2
        assert len(recorded.of("GetObject")) == 2
        time.now_ms += FRESH_MS
        kept.fetch(org, [A, B])
        kept.fetch(org, [A])
        assert len(recorded.of("GetObject")) == 5


def test_a_mail_brings_its_files(org: Org, world: World, time: SimulatedTime, mail_server: MailServer) -> None:
    time.now_ms += (NOON_MS - time.now_ms) % mtt.DAY_MS + 1_000
    with target_post(world) as post:
        post.smtp(org, mail_server)
        campaign = mtt.campaign(world, org, dripDelivery=False)
        mtt.write(world, world.page(orgs.get(org.id), campaign), mtt.target(campaign, "Anna"), files=[NONE, A])
        world.run()
        time.forward(seconds=3)
        post.work()
        post.schedule()
        post.work()

    [taken] = mail_server.taken
    [part] = taken.mail.iter_attachments()
    assert (part.get_content_type(), part["Content-ID"], part.get_content()) == ("image/png", "<file1>", b"a")
