"""Who receives the contact (domain 3.6, 16.5)."""

from __future__ import annotations

from itertools import product

import pytest

from proca_common.consents import Consent, split_consents

P, L = 8, 3
TRI = [True, False, None]


def consents(
    same: bool, delivery: bool, force: bool, opt_in: bool | None, lead_opt_in: bool | None
) -> tuple[Consent, ...]:
    return split_consents(
        page_org=P,
        lead_org=P if same else L,
        delivery=delivery,
        force_delivery=force,
        opt_in=opt_in,
        lead_opt_in=lead_opt_in,
    )


@pytest.mark.parametrize("force_where_it_does_not_matter", [True, False])
@pytest.mark.parametrize(
    ("same", "delivery", "force", "opt_in", "lead_opt_in", "expected"),
    [
        (True, False, None, False, None, [Consent(P, False, True)]),
        (True, True, None, None, True, [Consent(P, None, True)]),
        (False, True, False, True, False, [Consent(P, True, True)]),
        (False, True, False, False, True, [Consent(P, False, True), Consent(L, True, False)]),
        (False, True, True, None, None, [Consent(P, None, True), Consent(L, None, True)]),
        (False, False, False, False, False, [Consent(L, False, True)]),
        (False, False, False, True, True, [Consent(P, True, False), Consent(L, True, True)]),
    ],
)
def test_matrix(
    *,
    same: bool,
    delivery: bool,
    force: bool | None,
    opt_in: bool | None,
    lead_opt_in: bool | None,
    expected: list[Consent],
    force_where_it_does_not_matter: bool,
) -> None:
    forced = force_where_it_does_not_matter if force is None else force
    assert consents(same, delivery, forced, opt_in, lead_opt_in) == tuple(expected)


@pytest.mark.parametrize(("opt_in", "lead_opt_in"), list(product(TRI, TRI)))
@pytest.mark.parametrize(
    ("split", "delivery", "force", "page", "lead"),
    [
        (False, True, True, "delivery", "-"),
        (False, True, False, "delivery", "-"),
        (False, False, True, "delivery", "-"),
        (False, False, False, "delivery", "-"),
        (True, True, False, "delivery", "opt-in"),
        (True, True, True, "delivery", "delivery"),
        (True, False, True, "opt-in", "delivery"),
        (True, False, False, "opt-in", "delivery"),
    ],
)
def test_table(
    *,
    split: bool,
    delivery: bool,
    force: bool,
    page: str,
    lead: str,
    opt_in: bool | None,
    lead_opt_in: bool | None,
) -> None:
    expected = []
    for org, why, answer in ((P, page, opt_in), (L, lead, lead_opt_in)):
        if why == "delivery" or (why == "opt-in" and answer is True):
            expected.append(Consent(org, answer, why == "delivery"))
    assert consents(not split, delivery, force, opt_in, lead_opt_in) == tuple(expected)


@pytest.mark.parametrize("inputs", list(product([True, False], [True, False], [True, False], TRI, TRI)))
def test_one_org_at_least_has_the_signature_for_delivery(
    inputs: tuple[bool, bool, bool, bool | None, bool | None],
) -> None:
    found = consents(*inputs)
    assert any(consent.delivery_consent for consent in found)
    assert len({consent.org for consent in found}) == len(found)


def test_not_asked_stays_not_asked_and_the_scope_is_email() -> None:
    (consent,) = consents(True, True, False, None, None)
    assert consent.communication_consent is None
    assert consent.communication_scopes == ("email",)
