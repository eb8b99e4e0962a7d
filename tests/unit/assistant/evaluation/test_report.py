"""Figures as JSON, tables and Markdown."""

from __future__ import annotations

import io
import json

from rich.console import Console

from assistant.evaluation import report
from assistant.evaluation.run import Answers, Evaluation, Ranking

BARE = Evaluation("bank", "en", 4, 9, 3, 1.5, {"bm25": Ranking(0.61234567, 0.5, 1.0)})
FULL = Evaluation(
    "shop",
    "pt",
    2,
    2,
    2,
    0.5,
    {"hybrid": Ranking(1.0, 1.0, 1.0)},
    Answers(0.5, 1.0, None, 1.0, 0.0, 0),
)


def test_the_json_of_a_set_is_one_document() -> None:
    assert json.loads(json.dumps(report.all_as_json([BARE], mixed=False))) == {
        "set": "bank",
        "lang": "en",
        "n_docs": 4,
        "n_chunks": 9,
        "n_queries": 3,
        "seconds": 1.5,
        "systems": {"bm25": {"ndcg@10": 0.6123, "recall@10": 0.5, "mrr@10": 1.0}},
        "answers": None,
    }
    assert report.as_json(FULL)["answers"] == {
        "containment": 0.5,
        "citation_valid": 1.0,
        "citation_precision": None,
        "abstained_unanswerable": 1.0,
        "false_abstention": 0.0,
        "leaks": 0,
    }


def test_the_json_of_several_sets_lists_them() -> None:
    document = report.all_as_json([BARE, FULL], mixed=True)
    assert document == {"mixed": True, "sets": [report.as_json(BARE), report.as_json(FULL)]}


def test_markdown_has_a_row_for_each_system_and_a_table_of_answers() -> None:
    lines = report.as_markdown([BARE, FULL]).splitlines()
    assert "| bank | 3 en | bm25 | 0.612 | 0.500 | 1.000 |" in lines
    assert "| shop | 2 pt | hybrid | 1.000 | 1.000 | 1.000 |" in lines
    assert "| citations of gold documents | – |" in lines
    assert "| leaks | 0 |" in lines
    assert "answers" not in report.as_markdown([BARE])


def test_tables_show_the_same_figures() -> None:
    console = Console(file=io.StringIO(), width=120, record=True)
    for table in report.tables([BARE, FULL]):
        console.print(table)
    shown = console.export_text()
    assert "0.612" in shown
    assert "shop (pt)" in shown
    assert len(report.tables([BARE])) == 1
