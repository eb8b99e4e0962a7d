"""Events of the audit log in words, and as the pieces of a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ui.audit import Account, Again, LogEvent, Prompted, Proof, Replay, Verification
from ui.safety import plain
from ui.text import Speech, mark

KINDS = {
    "": mark("Everything"),
    "query.accepted": mark("Questions"),
    "query": mark("Questions, step by step"),
    "auth": mark("Signing in and out"),
    "doc": mark("Documents opened and deleted"),
    "policy": mark("People, roles, keys, policy"),
    "acl": mark("Changes of access"),
    "access": mark("Access examined, or given for a while"),
    "connector": mark("Changes of sources"),
    "sync": mark("Sync runs"),
    "hold": mark("Legal holds"),
    "erasure": mark("Erasures"),
    "retention": mark("Retention"),
    "backup": mark("Backups"),
    "audit": mark("Looks into this log"),
}

EVENTS = {
    "auth.signed_in": mark("Signed in"),
    "auth.signed_out": mark("Signed out"),
    "auth.failed": mark("Sign-in refused"),
    "query.accepted": mark("Question"),
    "query.prompted": mark("Passages read"),
    "query.finished": mark("Answer"),
    "query.refused": mark("Question refused"),
    "query.aborted": mark("Answer stopped"),
    "sync.started": mark("Sync began"),
    "sync.finished": mark("Sync ended"),
    "sync.ordered": mark("Sync ordered"),
    "connector.changed": mark("Source changed"),
    "doc.opened": mark("Document opened"),
    "doc.deleted": mark("Document deleted"),
    "acl.changed": mark("Access changed"),
    "policy.person_changed": mark("Person changed"),
    "policy.groups_provided": mark("Groups provided"),
    "policy.key_changed": mark("API key changed"),
    "policy.changed": mark("Policy changed"),
    "policy.person_pushed": mark("Person provisioned"),
    "policy.group_pushed": mark("Group provisioned"),
    "access.examined": mark("Access examined"),
    "access.break_glass_asked": mark("Access for a while asked"),
    "access.break_glass_approved": mark("Access for a while given"),
    "access.break_glass_refused": mark("Access for a while refused"),
    "access.break_glass_ended": mark("Access for a while ended"),
    "access.break_glass_used": mark("Access for a while used"),
    "audit.read": mark("Log read"),
    "backup.created": mark("Backup made"),
    "backup.restored": mark("Backup restored"),
    "hold.changed": mark("Legal hold changed"),
    "erasure.started": mark("Erasure began"),
    "erasure.done": mark("Erasure done"),
    "erasure.released": mark("Erasure released"),
    "retention.done": mark("Retention done"),
}

TONES = {
    "auth.failed": "bad",
    "query.refused": "bad",
    "query.aborted": "late",
    "doc.deleted": "late",
    "access.break_glass_asked": "late",
    "access.break_glass_approved": "late",
    "access.break_glass_used": "late",
    "hold.changed": "late",
    "erasure.started": "late",
    "erasure.done": "late",
    "query.accepted": "good",
    "query.finished": "good",
}

_SHOWN = (
    "question",
    "login",
    "source",
    "change",
    "purpose",
    "method",
    "named",
    "collection",
    "reason",
    "answer",
    "document_id",
)
USED = "access.break_glass_used"
PARTS = {
    "document": mark("opened"),
    "search": mark("found by a search"),
    "records": mark("its records read"),
}
_SYSTEM = "system"
N_WORDS = 160


def named(say: Speech, kind: str) -> str:
    """Name a type of events."""
    return say(EVENTS[kind]) if kind in EVENTS else kind


def events_html(say: Speech, events: Sequence[LogEvent], who: Callable[[str], str]) -> str:
    """Return events as rows that can be opened."""
    rows = "".join(_event(say, one, who) for one in events)
    return f'<div class="trail" role="list">{rows}</div>'


def _event(say: Speech, one: LogEvent, who: Callable[[str], str]) -> str:
    tone, about = TONES.get(one.type, ""), plain(details(say, one))
    return (
        f'<button type="button" role="listitem" class="trace" data-open="e{one.seq}">'
        f'<span class="when">{plain(say.instant(one.at))}</span>'
        f'<span class="state {tone}">{plain(named(say, one.type))}</span>'
        f'<span class="about"><b>{plain(actor(say, one, who))}</b> {about}</span>'
        f'<span class="seq">#{one.seq}</span></button>'
    )


def actor(say: Speech, one: LogEvent, who: Callable[[str], str]) -> str:
    """Name who did it."""
    person_id = one.actor.person_id
    if not person_id:
        return say("Somebody not signed in")
    return say("The assistant itself") if person_id == _SYSTEM else who(person_id)


def details(say: Speech, one: LogEvent) -> str:
    """Return the few words of an event that tell what it is about."""
    told = [str(one.data[name]) for name in _SHOWN if one.data.get(name)]
    if one.type == "query.prompted":
        told = [str(one.data.get("standalone_question", ""))]
    if one.type == USED:
        part = str(one.data.get("part", ""))
        told.append(say("read for a question") if one.query_id else say(PARTS.get(part, part)))
    text = " · ".join(told)
    return text if len(text) <= N_WORDS else text[: N_WORDS - 1] + "…"


def outcome(say: Speech, account: Account) -> tuple[str, str]:
    """Return how a question ended: a tone and words."""
    if account.outcome == "open":
        return "busy", say("No answer yet")
    if account.outcome == "aborted":
        return "late", say("Stopped: {reason}", reason=account.reason)
    if account.abstained:
        return "late", say("Abstained")
    return "good", say("Answered")


def proof_state(say: Speech, proof: Proof) -> tuple[str, str]:
    """Return whether a proof holds: a tone and words."""
    if proof.state == "proven":
        return "good", say("Proven")
    if proof.state == "unsigned":
        return "late", say("Not signed yet")
    return "bad", say("Not proven")


def facts_html(say: Speech, account: Account) -> str:
    """Return under which rules, index and model a question was answered."""
    cells = [
        (say("Policy epoch"), _number(say, account.policy_epoch)),
        (say("Index generation"), account.index_generation or "–"),
        (say("Model"), account.generator or "–"),
        (say("Embeddings"), account.embedder.partition("@")[0] or "–"),
        (
            say("Passages"),
            say("{n} found, {used} read", n=account.n_found, used=len(account.chunks)),
        ),
        (say("Sentences withheld"), say.number(account.n_withheld)),
    ]
    return grid_html(cells)


def grid_html(cells: Sequence[tuple[str, str]]) -> str:
    """Return titled values side by side."""
    shown = "".join(
        f'<div class="clock"><span>{plain(title)}</span><b>{plain(value)}</b></div>'
        for title, value in cells
    )
    return f'<div class="clocks">{shown}</div>'


def chunks_html(say: Speech, account: Account, replay: Replay | None) -> str:
    """Return the passages that were prompted, each with its decision; then and now if replayed."""
    titles = [say("Document"), say("Decision then"), say("In the answer")]
    again = {one.chunk_id: one for one in replay.chunks} if replay is not None else {}
    if replay is not None:
        titles += [say("Found again"), say("Decision now")]
    head = "".join(f'<th scope="col">{plain(title)}</th>' for title in ["", *titles])
    rows = "".join(
        _chunk(say, n, one, again.get(one.chunk_id)) for n, one in enumerate(account.chunks, 1)
    )
    return f'<table class="runs chunks"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _chunk(say: Speech, n: int, one: Prompted, again: Again | None) -> str:
    where = say("version {version}, passage {chunk}", version=one.version, chunk=str(one.chunk_id))
    cited = say("cited") if one.verdicts else say("read, not cited")
    cells = [
        f"{n}",
        f"<code>{plain(one.document_id)}</code>"
        f'<div class="quiet" title="SHA-256 {plain(one.sha256)}">{plain(where)}</div>',
        _decision(say, allowed=one.allowed, rule=one.rule),
        plain(cited),
    ]
    if again is not None:
        place = (
            say("place {place}", place=again.place)
            if again.place is not None
            else say("not found again")
        )
        gone = f'<div class="care">{plain(say("deleted or replaced since"))}</div>'
        cells.append(plain(place) + (gone if again.text == "gone" else ""))
        cells.append(_decision(say, allowed=again.allowed_now, rule=again.rule_now))
    changed = again is not None and again.allowed_now != one.allowed
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    kind = "changed" if changed else "same"
    return f'<tr class="{kind}">{row}</tr>'


def _decision(say: Speech, *, allowed: bool, rule: str) -> str:
    tone, words = ("good", say("allowed")) if allowed else ("bad", say("refused"))
    chip = f'<span class="state {tone}">{plain(words)}</span>'
    return f'{chip}<div class="quiet rule">{plain(rule)}</div>'


def proof_html(say: Speech, proof: Proof) -> str:
    """Return the way from an event to the signed root, hash by hash."""
    if proof.head is None:
        return f'<p class="note">{plain(say("The sealer signs within a minute; look again."))}</p>'
    if proof.state == "broken":
        return f'<p class="care">{plain(proof.fault)}</p>'
    steps = [
        (say("Event {n}", n=str(proof.seq)), say("hashed as it stands in the log")),
        (
            say.plural("{n} hash", "{n} hashes", len(proof.path)),
            say("lead from it to the root of the tree"),
        ),
        (say("Root over {n} events", n=proof.head.size), proof.head.root),
        (
            say("Signed {when}", when=say.instant(proof.head.sealed_at)),
            say("with the key {key}", key=proof.head.key_id),
        ),
    ]
    shown = "".join(
        f"<li><b>{plain(title)}</b><span>{plain(about)}</span></li>" for title, about in steps
    )
    return f'<ol class="chain">{shown}</ol>'


def replay_words(say: Speech, replay: Replay) -> tuple[str, list[str]]:
    """Return what a replay found: a tone and sentences."""
    words = []
    if replay.identical:
        tone = "good"
        words.append(say("The same search brings the same passages in the same order."))
    elif replay.same:
        tone = "good"
        words.append(say("The same search brings the same passages in another order."))
    else:
        tone = "late"
        words.append(say("The same search brings other passages now."))
    if replay.n_lost:
        words.append(
            say.plural(
                "{n} document of then was deleted or replaced and can't be searched again.",
                "{n} documents of then were deleted or replaced and can't be searched again.",
                replay.n_lost,
            )
        )
    n_closed = sum(not one.allowed_now for one in replay.chunks)
    if n_closed:
        words.append(
            say.plural(
                "The asker may no longer read {n} passage.",
                "The asker may no longer read {n} passages.",
                n_closed,
            )
        )
    words += [say("Changed since: {change}", change=change) for change in replay.changed]
    return tone, words


def verification_words(say: Speech, found: Verification) -> str:
    """Say what a verification found."""
    if found.ok:
        events = say.plural("{n} event", "{n} events", found.n_events)
        heads = say.plural("{n} signed head", "{n} signed heads", found.n_heads)
        return say("All of it verifies: {events}, {heads}.", events=events, heads=heads)
    if found.first_bad_seq is None:
        return say("The log does not verify: {reason}.", reason=found.reason)
    return say(
        "The log does not verify from event {seq} on: {reason}.",
        seq=str(found.first_bad_seq),
        reason=found.reason,
    )


def event_rows(event: dict[str, Any]) -> str:
    """Return the fields of an event's data as a table."""
    rows = "".join(
        f"<tr><th scope='row'>{plain(str(name))}</th><td>{plain(_value(value))}</td></tr>"
        for name, value in event["data"].items()
    )
    return f'<table class="runs fields"><tbody>{rows}</tbody></table>'


def _value(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"key", "sealed"}:
        return "🔒"
    return str(value)


def _number(say: Speech, value: int | None) -> str:
    return "–" if value is None else say.number(value)
