"""What an org takes out of a deployed stack: somebody's rows, opened with the org's own key, and a file."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples import decrypt
from tests.e2e.people import people
from tests.e2e.site import RUN, Ngo, Page, Site
from tests.exporting import downloaded, of_csv
from tests.world import signature
from tools.client import Client
from tools.emulator import Emulator

PATIENCE_S = 30


def until(look: Callable[[], Any]) -> Any:
    """What there is at last."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_an_owner_finds_a_person_and_opens_what_there_is_on_the_own_side(
    client: Client, org: Ngo, page: Page, tmp_path: Path
) -> None:
    email = f"ida-{RUN}@example.org"
    assert client.post(page.path, signature(email=email, first_name="Ida")).status == 201
    with people(client) as meet:
        owner = meet(f"ole-{RUN}@{org.name}.example.org", {org.name: "owner"})
        rows = until(lambda: owner.post(f"/v1/orgs/{org.name}/contacts/look-up", {"email": email}).json["items"])

    assert email not in json.dumps(rows)
    (tmp_path / "org.keys").write_text("\n".join(org.private))
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [str(tmp_path / "rows.ndjson"), "--keys", str(tmp_path / "org.keys"), "--output", str(tmp_path / "a.csv")]
    assert decrypt.main(command) == 0
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        [opened] = csv.DictReader(file)
    assert (opened["firstName"], opened["email"]) == ("Ida", email)


def test_a_file_is_written_and_fetched_by_its_link_alone_until_it_is_removed(
    client: Client, site: Site, local: Emulator, monkeypatch: Any
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(local.certificate))
    org = site.org()
    site.page(org)
    files = f"/v1/orgs/{org.name}/exports"
    with people(client) as meet:
        owner = meet(f"eva-{RUN}@{org.name}.example.org", {org.name: "owner"})
        begun = owner.post(files, {"kind": "contacts", "format": "csv"})
        assert begun.status == 202, begun.text
        path = f"{files}/{begun.json['id']}"

        ready = until(lambda: (found := owner.get(path).json)["state"] == "ready" and found)

        assert of_csv(downloaded(ready["link"])) == []
        assert owner.ask("DELETE", path).status == 204
        assert (owner.get(path).json["state"], owner.get(path).json["link"]) == ("removed", None)
