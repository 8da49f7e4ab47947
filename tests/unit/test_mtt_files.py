"""Which files may go with mails to targets, and which stores of them are any (domain 9.6.7)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from proca_common.management.usable import service_failures
from proca_common.mtt.file_keys import MAX_FILES, allowed, is_folder
from proca_common.orgs.services import ServiceInput


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("bees-files", True),
        ("bees.files/public", True),
        ("bees-files/2025/letters_(a)", True),
        ("", False),
        ("ab", False),
        ("Bees", False),
        ("bees-files/", False),
        ("bees-files//a", False),
        ("bees-files/..", False),
        ("bees-files/../a", False),
        ("bees-files/a b", False),
        ("arn:aws:s3:eu-west-1:111122223333:accesspoint/x", False),
    ],
)
def test_a_folder_is_a_bucket_or_inside_one(path: str, is_one: bool) -> None:
    assert is_folder(path) is is_one


@pytest.mark.parametrize(
    ("keys", "folder", "found"),
    [
        (["bees/a.png", "bees/b/c.png"], "bees", ["bees/a.png", "bees/b/c.png"]),
        (["bees/a.png", "bees/a.png"], "bees", ["bees/a.png"]),
        (["bees/a.png", "bees/public/b.png"], "bees/public", ["bees/public/b.png"]),
        (["other/a.png", "bees2/a.png", "bees"], "bees", []),
        (["bees/public/../secret.png", "bees/./a.png", "bees//a.png", "bees/"], "bees", []),
        (["bees/public/../../x/a.png"], "bees/public", []),
        (["bees/publican.png"], "bees/public", []),
        (["/a.png"], "", ["/a.png"][:0]),
        ([f"bees/{number}" for number in range(30)], "bees", [f"bees/{number}" for number in range(MAX_FILES)]),
    ],
)
def test_files_come_from_one_folder(keys: list[str], folder: str, found: list[str]) -> None:
    assert allowed(keys, folder) == found


@pytest.mark.parametrize(
    ("changes", "password", "pointers"),
    [
        ({}, "secret", []),
        ({"path": None}, "secret", ["/path"]),
        ({"path": "bees/"}, "secret", ["/path"]),
        ({"user": ""}, "secret", ["/user"]),
        ({"user": "", "path": ""}, "", ["/path", "/user", "/password"]),
    ],
)
def test_a_store_that_could_never_be_used_is_refused(
    changes: dict[str, str | None], password: str, pointers: list[str]
) -> None:
    given = {"name": "s3", "host": "eu-central-1", "user": "key", "path": "bees-files/public", **changes}

    failures = service_failures(ServiceInput.model_validate(given), password, this_machine=False)

    assert [failure.pointer for failure in failures] == pointers


@pytest.mark.parametrize("host", ["", "https://s3.example.org", "nowhere"])
def test_a_store_is_in_a_region(host: str) -> None:
    with pytest.raises(ValidationError, match="a region of AWS"):
        ServiceInput.model_validate({"name": "s3", "host": host})
