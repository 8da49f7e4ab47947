"""Requests made from the API's document, valid ones and spoilt ones, sent to a deployed stack (schemathesis).

An answer fails that is a server's error, has a status, type, header or body that the document does not know, or takes
what the document refuses. Half of the requests are about things that are there, so that they get beyond 404.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.e2e.site import Site
from tools import openapi

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
TOO_LARGE = 413
WHOLE_CONTACT = {"firstName": "Ida", "email": "ida@example.org"}

_document = schemathesis.openapi.from_dict(openapi.document())
_operations = [found.ok() for found in _document.get_all_operations()]
OPERATIONS = {
    found.definition.raw["operationId"]: found for found in _operations if "security" not in found.definition.raw
}


@dataclass
class Fuzzer:
    """Sends requests; `answers` counts them by operation and status."""

    site: Site
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.org = self.site.org()
        page, asking = self.site.page(self.org), self.site.page(self.org)
        self.site.client.admin("campaign", "set", asking.campaign, "proof_of_work=true")
        names = [self.site.client.call("GET", f"/v1/pages/{each.id}").json["name"] for each in (page, asking)]
        signed = self.site.sign(page).json["contactRef"]
        self.real = {
            ("path", "page"): [page.id, page.id, asking.id],
            ("path", "contactRef"): [signed, "bm90X3lldF9rbm93bg"],
            ("query", "page"): [asking.id, page.id],
            ("query", "name"): names,
        }

    def fuzz(self, name: str, *, examples: int, seed: int) -> int:
        """Send about four times as many requests to an operation, the same ones for the same seed; how many it was."""
        before = self.answers.total()
        with requests.Session() as session:
            for mode, real in itertools.product(GenerationMode, (True, False)):
                self._fuzz(name, self._cases(name, mode, real=real), examples, seed, session)
        return self.answers.total() - before

    def _cases(self, name: str, mode: GenerationMode, *, real: bool) -> st.SearchStrategy[Any]:
        operation = OPERATIONS[name]
        if not real:
            return operation.as_strategy(generation_mode=mode)
        declared = [(each.location.value, each.name) for each in operation.iter_parameters()]
        known = [key for key in declared if key in self.real]
        choices = [dict(zip(known, values, strict=True)) for values in itertools.product(*map(self.real.get, known))]
        cases = st.one_of([operation.as_strategy(generation_mode=mode, **_given(choice)) for choice in choices])
        return cases.map(_with_whole_contact) if mode is GenerationMode.POSITIVE else cases

    def _fuzz(self, name: str, cases: st.SearchStrategy[Any], examples: int, seed: int, session: Any) -> None:
        def send(case: Any) -> None:
            answer = case.call(base_url=self.site.client.stack.api_url, session=session)
            self.answers[name, answer.status_code] += 1
            # A body that is too large is refused for that alone, which the checker does not know to be a refusal.
            told = [check for check in CHECKS if check is not checks.negative_data_rejection]
            case.validate_response(answer, checks=told if answer.status_code == TOO_LARGE else CHECKS)

        chosen = settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        with contextlib.suppress(Unsatisfiable):  # where anything may be sent, nothing is spoilt
            chosen(with_seed(seed)(given(cases)(send)))()


def _given(choice: dict[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    """Values by their places, as `as_strategy` takes them."""
    found: dict[str, dict[str, Any]] = {}
    for (place, name), value in choice.items():
        found.setdefault("path_parameters" if place == "path" else place, {})[name] = value
    return found


def _with_whole_contact(case: Any) -> Any:
    """The case; a contact in it has what most campaigns require, so that the signature is taken."""
    if isinstance(case.body, dict) and isinstance(case.body.get("contact"), dict):
        # Not in place: it may be an example of the document.
        case.body = {**case.body, "contact": {**case.body["contact"], **WHOLE_CONTACT}}
    return case
