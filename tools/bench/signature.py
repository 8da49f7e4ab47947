"""A usual signature: name, address, a comment, an answer about mails, and where it came from."""

from __future__ import annotations

from typing import Any

HEADERS = {
    "Referer": "https://petition.example.org/save-the-bees?utm_source=newsletter",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Content-Type": "application/json",
}


def email_of(number: int) -> str:
    """The address of this supporter: each number is another person."""
    return f"supporter.{number:07d}@example.org"


def body_of(number: int) -> dict[str, Any]:
    """The body of POST /v1/pages/{page}/actions."""
    return {
        "contact": {
            "firstName": "Agnieszka",
            "lastName": "Kowalska",
            "email": email_of(number),
            "address": {"country": "PL", "postcode": "00-950", "locality": "Warszawa"},
        },
        "action": {"actionType": "petition", "customFields": {"comment": "Without bees there is no bread. Thank you!"}},
        "privacy": {"optIn": True},
        "tracking": {"source": "newsletter", "medium": "email", "campaign": "spring", "content": "first_button"},
    }
