"""How sources and runs are put into words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from assistant.api.schemas.syncs import RunState
from connectors.readers.errors import Cause
from ui import standing
from ui.sources import Lags, Run, RunHead, Schedule, Source
from ui.text import Lang, Speech

EN, PT = Speech("en"), Speech("pt")


def source(**facts: object) -> Source:
    return Source.model_validate({"name": "s", "title": "S", "connector": "files", **facts})


def test_every_cause_and_state_has_words() -> None:
    assert set(get_args(Cause)) | {"unreadable", "unlisted"} <= set(standing.CAUSES)
    assert set(get_args(RunState)) == set(standing.STATES) == set(standing.TONES)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "+1,200 ~3 −5 documents, 40 access changes, 1 failure"),
        ("pt", "+1.200 ~3 −5 documentos, 40 mudanças de acesso, 1 falha"),
    ],
)
def test_outcome(lang: Lang, words: str) -> None:
    counts = {"added": 1200, "changed": 3, "deleted": 5, "access_changed": 40, "failed": 1}
    run = Run(id=1, kind="sync", state="done", queued_at=datetime.now(UTC), counts=counts)
    assert standing.outcome(Speech(lang), run) == words


def test_a_late_clock_is_marked_in_words() -> None:
    lags = Lags(content_s=7200.0, access_s=60.0)
    html = standing.clocks_html(EN, source(lags=lags, late=("content",)))
    assert '2 hours ago <span class="care">late</span>' in html
    assert html.count("late") == 1
    assert html.count("not known yet") == 2


def test_state_names_the_worst() -> None:
    done, failed = (RunHead(id=1, kind="sync", state=state) for state in ("done", "failed"))
    paused = RunHead(id=2, kind="retry", state="paused")
    assert standing.state(EN, source()) == ("new", "Never synced")
    assert standing.state(EN, source(last_run=done)) == ("good", "Up to date")
    assert standing.state(EN, source(last_run=done, late=("access",))) == ("late", "Late")
    assert standing.state(EN, source(last_run=failed)) == ("bad", "Last sync failed")
    active = source(last_run=failed, active_run=paused)
    assert standing.state(EN, active) == ("late", "Retry of what failed: Paused")


@pytest.mark.parametrize(
    ("every_s", "words"),
    [(86_400, "Every 1 day"), (5400, "Every 90 minutes"), (7200, "Every 2 hours")],
)
def test_an_interval_is_exact(every_s: float, words: str) -> None:
    assert standing.schedule(EN, Schedule(every_s=every_s)) == words


def test_next_run() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10, seconds=5)
    assert standing.next_run(PT, source(next_run_at=soon)) == "em 10 minutos"
    assert standing.next_run(EN, source(next_run_at=datetime.now(UTC))) == "due now"
    assert standing.next_run(EN, source()) == "when you start it"


def test_names_of_a_source_are_no_html() -> None:
    run = Run(
        id=1, kind="<b>", state="done", queued_at=datetime.now(UTC), error="<img src=x onerror=y>"
    )
    html = standing.runs_html(EN, [run])
    assert "<img" not in html
    assert "<b>" not in html
