"""The fingerprint of a person, and the contact ref that shows it (domain 2.9, design 3)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256


def fingerprint(seed: str, text: str) -> bytes:
    """The 32 bytes SHA-256(seed ‖ text), both as UTF-8; `text` is `Contact.fingerprint_text`."""
    return sha256((seed + text).encode()).digest()


def contact_ref(seed: str, text: str) -> str:
    """The fingerprint as base64url without padding: 43 characters."""
    return urlsafe_b64encode(fingerprint(seed, text)).rstrip(b"=").decode()
