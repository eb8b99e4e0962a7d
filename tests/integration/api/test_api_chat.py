"""Questions over HTTP, from the first event to the receipt."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from assistant.audit.receipt import verify_receipt
from assistant.errors import AuditUnavailable, ModelUnavailable
from assistant.store import conversations
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company, events_of
from tests.support.scripted import ScriptedGenerator
from tests.support.streams import asked, events

INCOME = "What was the net income of 2025?"


def types_of(assistant: Assistant) -> list[str]:
    return [event["type"] for event in events_of(assistant.database)]


def eventually(assistant: Assistant, kind: str) -> dict[str, Any]:
    """Wait for an audit event that is written after the client has gone."""
    for _ in range(1000):
        found = [event for event in events_of(assistant.database) if event["type"] == kind]
        if found:
            return found[-1]
        time.sleep(0.01)
    pytest.fail(f"no {kind} in the audit log")


def test_an_answer_is_streamed_with_its_citations_and_ends_with_itself(
    sign_in: SignIn, assistant: Assistant
) -> None:
    ana = sign_in("ana")
    told = asked(ana, INCOME)
    names = [name for name, _ in told]
    assert names[0] == "status"
    assert names[-2:] == ["usage", "done"]
    assert [data["step"] for name, data in told if name == "status"] == [
        "searching",
        "reading",
        "answering",
    ]
    numbers: set[int] = set()
    for name, data in told:
        if name == "citation":
            numbers.add(data["n"])
        if name == "delta":
            assert set(data["citations"]) <= numbers, "a citation comes before its use"
    answer = told[-1][1]
    assert "The net income of 2025 was 41 million reais. [1]" in answer["answer"]
    assert not answer["abstained"]
    first = answer["citations"][0]
    assert first["document"] == "Annual Report"
    assert first["quote"] == "The net income of 2025 was 41 million reais."
    assert "sales" not in json.dumps(told).lower()
    assert verify_receipt(
        ana.get(f"/v1/receipts/{answer['receipt']}").json(), assistant.audit.public_key
    )


def test_the_same_answer_comes_whole_and_stands_in_its_conversation(
    sign_in: SignIn, assistant: Assistant
) -> None:
    ana = sign_in("ana")
    answer = ana.post("/v1/answers", json={"question": INCOME}).json()
    assert answer["sentences"][0]["text"] == "The net income of 2025 was 41 million reais."
    shown = ana.get(f"/v1/conversations/{answer['conversation_id']}").json()
    assert shown["title"] == INCOME
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"]
    assert shown["messages"][0]["question"] == INCOME
    assert shown["messages"][1]["id"] == answer["id"]
    assert shown["messages"][1]["answer"] == answer
    listed = ana.get("/v1/conversations").json()["conversations"]
    assert [one["id"] for one in listed] == [answer["conversation_id"]]
    assert types_of(assistant)[-3:] == ["query.accepted", "query.prompted", "query.finished"]


def test_a_follow_up_is_understood_from_the_conversation(
    sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    ana = sign_in("ana")
    first = ana.post("/v1/answers", json={"question": INCOME}).json()
    told = asked(ana, "And in 2024?", conversation_id=first["conversation_id"])
    assert told[0][0] == "status"
    assert told[0][1]["step"] == "condensed"
    assert "net income" in told[0][1]["detail"]["question"]
    assert "net income" in generator.prompts[-1].question
    assert told[-1][1]["conversation_id"] == first["conversation_id"]
    shown = ana.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert len(shown["messages"]) == 4


def test_nothing_to_quote_is_an_abstention_with_the_closest_passages(
    sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    generator.script = lambda prompt: []
    answer = sign_in("ana").post("/v1/answers", json={"question": INCOME}).json()
    assert answer["abstained"]
    assert answer["sentences"] == []
    assert answer["citations"] == []
    assert answer["answer"]
    assert answer["closest"][0]["document"] == "Annual Report"
    absent = sign_in("bruno").post("/v1/answers", json={"question": INCOME}).json()
    assert absent["answer"] == answer["answer"], "absent and forbidden read alike"


def test_the_language_can_be_forced(sign_in: SignIn, generator: ScriptedGenerator) -> None:
    generator.script = lambda prompt: []
    ana = sign_in("ana")
    english = ana.post("/v1/answers", json={"question": INCOME}).json()
    forced = ana.post("/v1/answers", json={"question": INCOME, "lang": "pt"}).json()
    assert (english["lang"], forced["lang"]) == ("en", "pt")
    assert forced["answer"] != english["answer"]


def test_what_a_passage_does_not_say_is_withheld(
    sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    generator.script = lambda prompt: [
        "The net income of 2025 was 41 million reais. [1]\n",
        "The net income of 2025 was 99 million reais. [1]\n",
    ]
    told = asked(sign_in("ana"), INCOME)
    withheld = [data for name, data in told if name == "verdict"]
    assert [one["verdict"] for one in withheld] == ["number_mismatch"]
    assert "99" not in told[-1][1]["answer"]


def test_what_a_model_mixes_in_from_others_is_not_even_shown_as_withheld(
    sign_in: SignIn, generator: ScriptedGenerator
) -> None:
    foreign = "The sales target of the north region is 12 million reais."
    generator.script = lambda prompt: [f"{foreign} [1]\n", f"{foreign}\n", "Income [1]\n"]
    told = asked(sign_in("ana"), INCOME)
    withheld = [data for name, data in told if name == "verdict"]
    assert [one["text"] for one in withheld[:2]] == ["", ""]
    assert "12 million" not in str(told)
    assert "north region" not in str(told)


def test_filters_restrict_what_is_read(sign_in: SignIn, generator: ScriptedGenerator) -> None:
    ana = sign_in("ana")
    ana.post("/v1/answers", json={"question": INCOME, "filters": {"collections": ["other"]}})
    assert generator.prompts == [], "nothing found, so nothing is generated"
    ana.post("/v1/answers", json={"question": INCOME, "filters": {"since": "2020-01-01"}})
    ana.post("/v1/answers", json={"question": INCOME, "filters": {"langs": ["en"]}})
    assert generator.prompts[-1].passages


def test_a_client_that_leaves_stops_the_generator_and_is_recorded(
    sign_in: SignIn, assistant: Assistant, generator: ScriptedGenerator
) -> None:
    generator.hold(1)
    ana = sign_in("ana")
    with ana.stream("POST", "/v1/chat", json={"question": INCOME}) as response:
        for name, data in events(response):
            if name == "status" and data["step"] == "answering":
                break
    aborted = eventually(assistant, "query.aborted")
    assert aborted["data"]["reason"] == "client left"
    assert (generator.n_closed, generator.n_completed) == (1, 0)
    assert "query.finished" not in types_of(assistant)
    assert ana.get("/v1/conversations").json()["conversations"] == []


def test_a_client_that_leaves_while_it_waits_for_the_whole_answer_is_noticed_too(
    sign_in: SignIn, assistant: Assistant, generator: ScriptedGenerator
) -> None:
    generator.hold(1)
    ana = sign_in("ana")
    with pytest.raises(httpx.ReadTimeout):
        ana.post("/v1/answers", json={"question": INCOME}, timeout=1.0)
    eventually(assistant, "query.aborted")
    assert (generator.n_closed, generator.n_completed) == (1, 0)


def test_nothing_is_generated_that_the_audit_log_does_not_hold(
    sign_in: SignIn,
    assistant: Assistant,
    generator: ScriptedGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = sign_in("ana")

    def refuse(*args: object) -> int:
        raise AuditUnavailable()

    monkeypatch.setattr(type(assistant.audit), "append", refuse)
    for path in ("/v1/chat", "/v1/answers"):
        refused = ana.post(path, json={"question": INCOME})
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:assistant:problem:audit-unavailable"
    assert generator.prompts == []
    monkeypatch.undo()
    assert ana.get("/v1/conversations").json()["conversations"] == []


def test_an_answer_that_can_not_be_recorded_ends_in_a_problem(
    sign_in: SignIn, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = sign_in("ana")
    append = type(assistant.audit).append

    def refuse_the_end(self: Any, conn: Any, event: Any) -> int:
        if event.data.type == "query.finished":
            raise AuditUnavailable()
        return append(self, conn, event)

    monkeypatch.setattr(type(assistant.audit), "append", refuse_the_end)
    told = asked(ana, INCOME)
    assert told[-1][0] == "problem"
    assert told[-1][1]["status"] == 503
    assert "done" not in [name for name, _ in told]


def test_a_model_that_fails_in_the_middle_ends_in_a_problem(
    sign_in: SignIn, assistant: Assistant, generator: ScriptedGenerator
) -> None:
    generator.fails = ModelUnavailable()
    ana = sign_in("ana")
    told = asked(ana, INCOME)
    assert told[-1][0] == "problem"
    assert told[-1][1]["type"] == "urn:assistant:problem:model-unavailable"
    assert ana.post("/v1/answers", json={"question": INCOME}).status_code == 503
    assert types_of(assistant).count("query.aborted") == 2


def test_an_error_of_the_program_says_nothing_of_its_inside(
    sign_in: SignIn,
    assistant: Assistant,
    generator: ScriptedGenerator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    generator.fails = RuntimeError("the net income was 41 million")
    ana = sign_in("ana")
    told = asked(ana, INCOME)
    assert told[-1][0] == "problem"
    assert told[-1][1]["type"] == "urn:assistant:problem:internal-error"
    whole = ana.post("/v1/answers", json={"question": INCOME})
    assert whole.status_code == 500
    assert "41" not in whole.text + json.dumps(told[-1][1])
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged
    assert "41 million" not in logged
    aborted = [e for e in events_of(assistant.database) if e["type"] == "query.aborted"]
    assert [event["data"]["reason"] for event in aborted] == ["internal-error"] * 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "question"),
        ({"question": "   "}, "question"),
        ({"question": "x" * 4001}, "4000"),
        ({"question": "Why?", "lang": "de"}, "lang"),
        ({"question": "Why?", "colour": "red"}, "colour"),
        ({"question": "Why?", "filters": {"since": "yesterday"}}, "since"),
    ],
)
def test_a_wrong_question_is_a_problem_that_names_the_part(
    sign_in: SignIn, body: dict[str, Any], words: str
) -> None:
    refused = sign_in("ana").post("/v1/chat", json=body)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "urn:assistant:problem:invalid-request"
    assert words in problem["detail"]
    assert problem["instance"] == "/v1/chat"


def test_text_that_can_not_be_stored_is_refused(sign_in: SignIn) -> None:
    refused = sign_in("ana").post("/v1/answers", json={"question": "net\0income"})
    assert refused.status_code == 422, refused.text


def test_feedback_goes_to_an_answer_of_the_conversation(sign_in: SignIn, company: Company) -> None:
    ana = sign_in("ana")
    answer = ana.post("/v1/answers", json={"question": INCOME}).json()
    other = ana.post("/v1/answers", json={"question": INCOME}).json()
    path = f"/v1/conversations/{answer['conversation_id']}/messages"
    good = {"reason": "good", "comment": "quite"}
    assert ana.post(f"{path}/{answer['id']}/feedback", json=good).status_code == 204
    assert ana.post(f"{path}/{other['id']}/feedback", json=good).status_code == 404
    assert ana.post(f"{path}/{answer['id']}/feedback", json={"reason": "meh"}).status_code == 422
    bruno = sign_in("bruno")
    assert bruno.post(f"{path}/{answer['id']}/feedback", json=good).status_code == 404


def test_a_deleted_conversation_is_gone(sign_in: SignIn, assistant: Assistant) -> None:
    ana = sign_in("ana")
    answer = ana.post("/v1/answers", json={"question": INCOME}).json()
    path = f"/v1/conversations/{answer['conversation_id']}"
    assert ana.delete(path).status_code == 204
    assert ana.get(path).status_code == 404
    assert ana.delete(path).status_code == 404
    again = {"question": INCOME, "conversation_id": answer["conversation_id"]}
    assert ana.post("/v1/chat", json=again).status_code == 404
    with assistant.database.begin() as conn:
        person_id = answer["id"] and ana.get("/v1/me").json()["person"]["id"]
        assert conversations.list_conversations(conn, person_id) == []
