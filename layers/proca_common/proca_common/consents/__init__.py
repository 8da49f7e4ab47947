"""Consents: who receives a supporter's personal data, and for what (domain 3.6)."""

from __future__ import annotations

from dataclasses import dataclass

COMMUNICATION_SCOPES = ("email",)


@dataclass(frozen=True, slots=True)
class Consent:
    """What one org receives a contact for: to write to the supporter (None: not asked), to deliver the signature."""

    org: int
    communication_consent: bool | None
    delivery_consent: bool
    communication_scopes: tuple[str, ...] = COMMUNICATION_SCOPES


def split_consents(
    *,
    page_org: int,
    lead_org: int,
    delivery: bool,
    force_delivery: bool,
    opt_in: bool | None,
    lead_opt_in: bool | None,
) -> tuple[Consent, ...]:
    """The orgs that receive the contact, the page org first: none, one or both, never a third (domain 3.6).

    The page org has the contact for delivery unless it is a partner whose page leaves delivery to the lead org; the
    lead org has it for delivery then, and where the campaign forces it. Who does not deliver receives it only with
    opt-in.
    """
    partner = page_org != lead_org
    page_delivers = not partner or delivery
    consents = [Consent(page_org, opt_in, page_delivers)]
    if partner:
        consents.append(Consent(lead_org, lead_opt_in, not page_delivers or force_delivery))
    return tuple(consent for consent in consents if consent.delivery_consent or consent.communication_consent)
