"""Turns a file of an export into a spreadsheet (CSV), on the org's own side, with its own private keys.

    pip install pynacl
    python decrypt.py actions.ndjson --keys org.keys --output actions.csv

This file is all there is, besides the private keys: in base64url, one a line, in a file or in PROCA_PRIVATE_KEYS; an
org that changed its key has several. What is read may be NDJSON or CSV, as the export was asked for, also of an org
without encryption. Each field of contacts and of actions that occurs gets a column. Of a JSON document (`.json`, as the
answer to an access request) every encrypted contact is opened in its place, and JSON is written.

- The output is there when it is complete, and not before; only its owner can read it. One that is there already stays.
- Cells that a spreadsheet would take for a formula get a leading apostrophe.
- A row whose contact cannot be opened is kept without it, and says so in the column `problem`.

Exit status: 0 all was opened, 1 the file is none of these, 2 wrong arguments, 3 some contacts could not be opened.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

Json = dict[str, Any]
KEYS_VARIABLE = "PROCA_PRIVATE_KEYS"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BINARY = ("contactRef", "payload", "nonce", "publicKey", "signKey")
"""Columns of base64url, which may begin with a hyphen: their apostrophe is not part of them."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "actionId": ("actionId",),
    "createdAt": ("createdAt",),
    "actionType": ("actionType",),
    "campaign": ("campaign", "name"),
    "actionPage": ("actionPage", "name"),
    "locale": ("actionPage", "locale"),
    "contactRef": ("contact", "contactRef"),
    "dupeRank": ("contact", "dupeRank"),
    "optIn": ("privacy", "optIn"),
    "givenAt": ("privacy", "givenAt"),
    "emailStatus": ("privacy", "emailStatus"),
    "emailStatusChanged": ("privacy", "emailStatusChanged"),
    "withConsent": ("privacy", "withConsent"),
    "source": ("tracking", "source"),
    "medium": ("tracking", "medium"),
    "utmCampaign": ("tracking", "campaign"),
    "content": ("tracking", "content"),
    "amount": ("donation", "amount"),
    "currency": ("donation", "currency"),
    "frequencyUnit": ("donation", "frequencyUnit"),
    "donation": ("donation", "payload"),
}
"""Columns that are always there, and where their values are in a row."""
USUAL = ("firstName", "lastName", "email", "phone", "country", "postcode", "area")
"""What comes first of a contact; whatever else it has follows by name."""


class NotAFile(Exception):
    """What is read is no export. The text repeats nothing of it."""


class CannotOpen(Exception):
    """A contact cannot be opened. The text repeats nothing of it."""


class PrivateKeys:
    """The org's private keys (32 bytes each), found by their public parts."""

    def __init__(self, texts: Iterable[str]) -> None:
        keys = [PrivateKey(from_base64url(text)) for text in texts]
        self._keys = {bytes(key.public_key): key for key in keys}

    def open(self, contact: Json) -> Json:
        """The personal data of a contact of an export; raises CannotOpen."""
        payload, recipient = contact.get("payload"), contact.get("publicKey") or contact.get("encryptKey")
        if not payload:
            raise CannotOpen("sealed: the org had no key")
        try:
            if not recipient:
                return _object(payload)
            private = self._keys.get(from_base64url(recipient["public"]))
            if private is None:
                raise CannotOpen(f"encrypted for key {recipient['id']}, which is not at hand")
            box = Box(private, PublicKey(from_base64url(contact["signKey"]["public"])))
            return _object(box.decrypt(from_base64url(payload), from_base64url(contact["nonce"])))
        except (CryptoError, KeyError, TypeError, ValueError):
            raise CannotOpen("cannot be decrypted") from None


# --- reading: rows of NDJSON, or of CSV in the same form


def rows_of(path: Path) -> Iterator[Json]:
    """The rows of a file; raises NotAFile."""
    read = of_csv if path.suffix.lower() == ".csv" else of_ndjson
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from read(file)
    except (ValueError, KeyError, AttributeError, csv.Error):
        raise NotAFile(f"{path} is no {'CSV' if read is of_csv else 'NDJSON'} file of an export") from None


def of_ndjson(file: IO[str]) -> Iterator[Json]:
    """The rows of NDJSON."""
    for line in file:
        if line.strip():
            row = _object(line)
            yield row | {"contact": {**row["contact"]}}


def of_csv(file: IO[str]) -> Iterator[Json]:
    """The rows of CSV, in the form that NDJSON has."""
    csv.field_size_limit(2**24)
    for cells in csv.DictReader(file, strict=True):
        given = {name: text if text != "" else None for name, text in cells.items()}
        for name in BINARY:
            given[name] = (given[name] or "").removeprefix("'") or None
        yield {
            **{name: given[name] for name in ("actionId", "actionType", "createdAt")},
            "customFields": _object(given["customFields"] or "{}"),
            "contact": {
                **{name: given[name] for name in ("contactRef", "dupeRank", "payload", "nonce")},
                "publicKey": _key(given, "publicKey"),
                "signKey": _key(given, "signKey"),
            },
            "privacy": {
                **{name: given[name] for name in ("optIn", "givenAt", "emailStatus", "emailStatusChanged")},
                "withConsent": given["withConsent"] == "true",
            },
            "tracking": {
                "source": given["source"],
                "medium": given["medium"],
                "campaign": given["utmCampaign"],
                "content": given["content"],
            },
            "campaign": {"name": given["campaign"]},
            "actionPage": {"name": given["actionPage"], "locale": given["locale"]},
            "donation": given["amount"]
            and {
                **{name: given[name] for name in ("amount", "currency", "frequencyUnit")},
                "payload": _object(given["donation"] or "{}"),
            },
        }


def _key(given: Mapping[str, str | None], name: str) -> Json | None:
    return {"id": given[f"{name}Id"], "public": given[name]} if given[name] else None


def _object(text: str | bytes) -> Json:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - the text is wrong, not the caller
    return found


# --- opening: what came encrypted goes to its place


def opened(row: Json, keys: PrivateKeys) -> Json:
    """A row with its personal data in `person`, and what is private of the action in its place; with `problem` where
    that cannot be.
    """
    try:
        person = keys.open(row["contact"])
    except CannotOpen as problem:
        return {**row, "person": {}, "problem": str(problem)}
    fields, payload = person.pop("fields", {}), person.pop("donation", {})
    if row["privacy"]["withConsent"]:  # a further action brings the contact of the signature
        row["customFields"] = {**row["customFields"], **fields}
        if row["donation"]:
            row["donation"]["payload"] = {**row["donation"]["payload"], **payload}
    address = person.pop("address", None) or {}
    return {**row, "person": {**person, **address}, "problem": None}


def opened_everywhere(value: Any, keys: PrivateKeys, problems: list[str]) -> Any:
    """A JSON document in which every encrypted contact has its personal data beside it, as `opened`."""
    if isinstance(value, list):
        return [opened_everywhere(each, keys, problems) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: opened_everywhere(each, keys, problems) for name, each in value.items()}
    if value.get("payload") and value.get("nonce"):
        try:
            found["opened"] = keys.open(value)
        except CannotOpen as problem:
            problems.append(str(problem))
    return found


# --- writing


def spreadsheet(rows: Callable[[], Iterator[Json]], file: IO[str]) -> int:
    """Write the rows as CSV, after looking once which fields there are; how many have a problem."""
    people: dict[str, None] = dict.fromkeys(USUAL)
    fields: dict[str, None] = {}
    for row in rows():
        people.update(dict.fromkeys(row["person"]))
        fields.update(dict.fromkeys(row["customFields"]))
    extra = sorted(people.keys() - set(USUAL))
    names = [*USUAL, *extra]
    head = [*COLUMNS, *(f"contact {name}" if name in COLUMNS else name for name in names)]
    taken = {*head, "problem"}
    head += [f"field {name}" if name in taken else name for name in fields]
    out = csv.writer(file)
    out.writerow([cell(name) for name in [*head, "problem"]])
    problems = 0
    for row in rows():
        cells = [*(within(row, path) for path in COLUMNS.values()), *(row["person"].get(name) for name in names)]
        cells += [row["customFields"].get(name) for name in fields]
        out.writerow([cell(value) for value in [*cells, row["problem"]]])
        problems += row["problem"] is not None
    return problems


def within(row: Json, path: tuple[str, ...]) -> object:
    """What stands at the path, None where it ends before."""
    found: object = row
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula: "" for null, JSON for what is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if value.startswith(FORMULA) else value


def from_base64url(text: str) -> bytes:
    """The bytes of base64url, with or without padding; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def write(source: Path, output: Path, keys: PrivateKeys) -> int:
    """Turn the file into the output; how many contacts could not be opened. Raises NotAFile, OSError."""
    part = output.with_name(f"{output.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
        ) as file:
            if source.suffix.lower() == ".json":
                problems = _rewrite(source, file, keys)
            else:
                file.write("\ufeff")  # spreadsheets know UTF-8 by it
                problems = spreadsheet(lambda: (opened(row, keys) for row in rows_of(source)), file)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, output)  # unlike a rename, it takes nobody's place
    finally:
        part.unlink(missing_ok=True)
    return problems


def _rewrite(source: Path, file: IO[str], keys: PrivateKeys) -> int:
    try:
        document = json.loads(source.read_text(encoding="utf-8-sig"))
    except ValueError:
        raise NotAFile(f"{source} is no JSON") from None
    problems: list[str] = []
    json.dump(opened_everywhere(document, keys, problems), file, ensure_ascii=False, indent=2)
    return len(problems)


def main(arguments: list[str] | None = None) -> int:
    """Turn one file into another; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="FILE", help="an export: .ndjson, .csv or .json")
    parser.add_argument("--keys", type=Path, metavar="FILE", help=f"private keys, one a line; else {KEYS_VARIABLE}")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="what is written, as a new file")
    args = parser.parse_args(arguments)
    try:
        text = args.keys.read_text() if args.keys else os.environ.get(KEYS_VARIABLE, "")
        keys = PrivateKeys(line.strip() for line in text.splitlines() if line.strip())
    except (OSError, ValueError, TypeError, CryptoError):
        parser.error("the keys cannot be read: they are 32 bytes in base64url, one a line")
    try:
        problems = write(args.source, args.output, keys)
    except NotAFile as fault:
        print(fault, file=sys.stderr)
        return 1
    except OSError as fault:
        parser.error(f"{fault.filename or args.output}: {fault.strerror}")
    if problems:
        print(f"{problems} contacts could not be opened; the output says which and why", file=sys.stderr)
    return 3 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
