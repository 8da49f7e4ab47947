"""A demo that could not fail would show nothing: what is wrong is named."""

import copy
import re
from collections import Counter
from collections.abc import Callable

import pytest

from tools import demo
from tools.clear_text import KINDS, Found


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> tuple[demo.Act, ...]:
    """Everybody received what they should."""
    acts = copy.deepcopy(demo.ACTS)
    for number, act in enumerate(acts, start=1):
        act.id, act.status = number, "repeat" if act.rank else "delivered"
    orgs = {org.title: copy.deepcopy(org) for org in demo.ORGS}
    for act in acts:
        act.receivers = tuple(orgs[org.title] for org in act.receivers)
        for org in act.receivers:
            names = ("firstName", "lastName", "email", "country")
            org.rows[act.id] = dict(zip(names, demo.contact_cells(act.person), strict=True)) | {
                "dupeRank": str(act.rank)
            }
    monkeypatch.setattr(demo, "ACTS", acts)
    monkeypatch.setattr(demo, "ORGS", tuple(orgs.values()))
    return acts


def seeing() -> Found:
    """A search that sees, and found nothing."""
    return Found(control=Counter(KINDS))


def test_all_is_well(acts: tuple[demo.Act, ...]) -> None:
    demo.check(seeing())


def lose(acts: tuple[demo.Act, ...]) -> None:
    del acts[0].receivers[0].rows[acts[0].id]


def tell_the_lead(acts: tuple[demo.Act, ...]) -> None:
    acts[6].receivers[1].rows[acts[5].id] = acts[5].receivers[0].rows[acts[5].id]


def confuse(acts: tuple[demo.Act, ...]) -> None:
    acts[1].receivers[0].rows[acts[1].id]["email"] = "somebody.else@example.org"


def forget_the_first(acts: tuple[demo.Act, ...]) -> None:
    acts[3].receivers[0].rows[acts[3].id]["dupeRank"] = "0"


def count_twice(acts: tuple[demo.Act, ...]) -> None:
    acts[3].status = "delivered"


WRONG: list[tuple[Callable[[tuple[demo.Act, ...]], None], str]] = [
    (lose, "Bee Guardians did not receive the register of Mathilda for Save the bees"),
    (tell_the_lead, "River Alliance received the register of Benedikt for Clean rivers"),
    (confuse, "the register of Benedikt for Save the bees was decrypted to somebody else"),
    (forget_the_first, "the register of Mathilda for Save the bees has rank 0 and status repeat"),
    (count_twice, "the register of Mathilda for Save the bees has rank 1 and status delivered"),
]


@pytest.mark.parametrize(("go_wrong", "named"), WRONG)
def test_what_an_org_has_wrongly_is_named(
    acts: tuple[demo.Act, ...], go_wrong: Callable[[tuple[demo.Act, ...]], None], named: str
) -> None:
    go_wrong(acts)

    with pytest.raises(demo.Failed, match=re.escape(named)):
        demo.check(seeing())


def test_clear_text_fails_the_demo(acts: tuple[demo.Act, ...]) -> None:
    found = seeing()
    found.places.append("log lines: somewhere")

    with pytest.raises(demo.Failed, match="personal data is kept in clear text in 1 places"):
        demo.check(found)


def test_a_search_that_sees_nothing_fails_the_demo(acts: tuple[demo.Act, ...]) -> None:
    found = seeing()
    found.control["messages"] = 0

    with pytest.raises(demo.Failed, match="not even its control words in messages"):
        demo.check(found)
