"""What proof of work costs: who signs, and us. One processor, this machine: python -m tools.bench.proof_of_work"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Literal, get_args

import altcha

from proca_common.guards.proof_of_work import ProofOfWorkVerifier, argon2id, make_challenge
from proca_common.guards.settings import ProofOfWork
from tools.bench.table import grid

Algorithm = Literal["SCRYPT", "ARGON2ID"]
KEY = b"the key of a bench" * 2
PAGE = 1
ROUNDS = 20


def cpu_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median CPU of one round, in ms."""
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        taken.append((time.process_time() - begun) * 1000)
    return median(taken)


def costs(algorithm: Algorithm) -> tuple[str, ...]:
    """A row: a challenge, one try, a whole solution (tries on average, at the default digits), verifying it."""
    wanted = ProofOfWork(algorithm=algorithm)
    easy = wanted.model_copy(update={"digits": 1})
    derive = {"SCRYPT": altcha.derive_key_scrypt, "ARGON2ID": argon2id}[algorithm]
    now_ms = time.time_ns() // 1_000_000
    challenge = altcha.Challenge.from_dict(make_challenge(easy, PAGE, now_ms, KEY))
    solution = altcha.solve_challenge(challenge, derive)
    if solution is None:
        raise SystemExit("a challenge with one digit was not solved in 90 s")
    sent = altcha.Payload(challenge, solution).to_base64()
    verifier = ProofOfWorkVerifier(KEY)
    tries = 16**wanted.digits
    one_try = cpu_ms(lambda: derive(challenge.parameters, b"s" * 16, b"p" * 20))
    made = cpu_ms(lambda: make_challenge(wanted, PAGE, now_ms, KEY), ROUNDS * 10)
    verified = cpu_ms(lambda: verifier.verify(sent, PAGE, now_ms))
    return (
        algorithm,
        f"{wanted.memory_mib} MiB",
        f"{made:.2f} ms",
        f"{one_try:.1f} ms",
        f"{tries}",
        f"{one_try * tries / 1000:.2f} s",
        f"{verified:.1f} ms",
    )


def text() -> str:
    """The table for the defaults of each algorithm."""
    head = ("proof of work", "memory", "challenge", "one try", "tries", "a solution", "verifying it")
    algorithms: tuple[Algorithm, ...] = get_args(Algorithm)
    return grid([head, *map(costs, algorithms)])


if __name__ == "__main__":
    print(text())
