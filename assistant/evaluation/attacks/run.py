"""A run of attacks: a company is attacked, asked, and searched for what must not have happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.evaluation.attacks import unsafe, urls
from assistant.evaluation.attacks.attack import CHANNELS, Fill, load
from assistant.evaluation.attacks.checks import CHECKS
from assistant.evaluation.attacks.company import Company, attacked
from assistant.evaluation.attacks.invariants import INVARIANTS
from assistant.evaluation.attacks.trail import Json, Trail
from assistant.ports import Generator

N_EXAMPLES = 40


@dataclass(slots=True)
class Outcome:
    """What a run found: violations by invariant and by kind of attack, and examples of them."""

    n_attacks: int = 0
    n_run: int = 0
    not_run: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    examples: list[Json] = field(default_factory=list)

    def add(self, identity: str, kind: str, found: Sequence[tuple[str, str, str]]) -> None:
        """Count an attack that ran, with its violations: invariant, check and what happened."""
        self.n_run += 1
        tally = self.by_kind.setdefault(kind, Counter())
        tally["run"] += 1
        tally["violated"] += bool(found)
        for invariant in {invariant for invariant, _, _ in found}:
            self.violations[invariant] += 1
        for invariant, check, what in list({(f[0], f[1]): f for f in found}.values()):
            if len(self.examples) < N_EXAMPLES:
                example = {"invariant": invariant, "check": check, "what": what[:200]}
                self.examples.append({"id": identity, "kind": kind, **example})

    def as_json(self) -> Json:
        """Return the outcome as the command prints it; every invariant is counted."""
        return {
            "n_attacks": self.n_attacks,
            "n_run": self.n_run,
            "not_run": dict(self.not_run),
            "violations": {name: self.violations[name] for name in (*INVARIANTS, *_OTHERS)},
            "by_kind": {kind: dict(tally) for kind, tally in sorted(self.by_kind.items())},
            "examples": self.examples,
        }


_OTHERS = ("ssrf", "files")


def run(folder: Path, company: Company, generator: Generator, fill: Fill | None = None) -> Outcome:
    """Run every attack of a folder against the company, whose answers a generator writes."""
    fill = fill or Fill.random()
    outcome = Outcome()
    attacks = load(folder, fill)
    known = [a for a in attacks if a.check in CHECKS and a.channel in CHANNELS]
    outcome.n_attacks = len(attacks)
    outcome.not_run.update(a.check or "(no check)" for a in attacks if a not in known)
    for trail in asyncio.run(attacked(known, company, generator, fill)) if known else ():
        outcome.add(trail.attack.id, trail.attack.kind, judged(trail))
    for found in (urls.run(folder), unsafe.run(folder)):
        outcome.n_attacks += len(found.run) + sum(found.not_run.values())
        outcome.not_run += found.not_run
        for identity, kind, what in found.run:
            outcome.add(identity, kind, [(found.name, kind, one) for one in what])
    return outcome


def judged(trail: Trail) -> list[tuple[str, str, str]]:
    """Return the violations in a trail: of every invariant, and of the attack's own check."""
    found = [
        (name, name, what) for name, invariant in INVARIANTS.items() for what in invariant(trail)
    ]
    name, check = CHECKS[trail.attack.check]
    return found + [(name, trail.attack.check, what) for what in check(trail)]
