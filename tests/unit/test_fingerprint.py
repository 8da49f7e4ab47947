"""Fingerprints and contact refs (domain 2.9, 16.1)."""

from __future__ import annotations

from datetime import date

import pytest

from proca_common.contacts import Contact, ContactInput, check, contact_ref, fingerprint

SEED = "unit-seed"


@pytest.mark.parametrize("email", ["jane@example.org", " Jane@Example.org "])
def test_basic_is_the_normalised_email(email: str) -> None:
    contact = check("basic", ContactInput.model_validate({"firstName": "Jane", "email": email}), date(2026, 8, 1))
    assert isinstance(contact, Contact)
    assert contact_ref(SEED, contact.fingerprint_text) == "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("Ursurs@localhost", "8HcowBa3cgJAUhHHGNjzAdnfPOMej7QFcr7Cd36lHvw"),
        ("UrsKellerurs@localhost1979-08-01", "oUux2dPFtvQzp5QMr5MZ5UMTkRZ43rKg-3UIVlUX_CA"),
        ("ATpassportK7654321", "YvhfdOVlhZr080MDZqaf46bEbz-YMFI_wkfHuPCJhG0"),
        ("BENeleDe Smet1985-11-309000", "XIPgS5H24g1wbHzPbuptNGKTBSx7UpJsgm97nFbTeYQ"),
    ],
)
def test_vectors(text: str, ref: str) -> None:
    assert contact_ref(SEED, text) == ref


def test_a_fingerprint_is_32_bytes_and_depends_on_the_seed() -> None:
    assert len(fingerprint(SEED, "ø")) == 32
    assert fingerprint(SEED, "ø") != fingerprint("another", "ø")
    assert fingerprint("ab", "c") == fingerprint("a", "bc")
