"""Requests of access for a while, in words and as the pieces of a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ui import rights
from ui.break_glass import Candidate, Candidates, Request, Requests
from ui.naming import Names
from ui.rights import table_html
from ui.safety import plain
from ui.standing import chip_html
from ui.text import Speech, mark

STATES = {
    "asked": ("late", mark("Waits")),
    "active": ("good", mark("Open")),
    "ended": ("new", mark("Ended")),
    "lapsed": ("new", mark("Lapsed")),
    "refused": ("bad", mark("Refused")),
}


def state(say: Speech, one: Request) -> tuple[str, str]:
    """Return what became of a request: a tone and words."""
    tone, words = STATES[one.state]
    return tone, say(words)


def until(say: Speech, moment: datetime) -> str:
    """Say until when something holds, and how long that is."""
    return say("until {moment} ({left})", moment=say.moment(moment), left=say.until(moment))


def notice(say: Speech, mine: Requests) -> str:
    """Say in a few words how somebody's own requests stand."""
    opened, waiting = mine.which("active"), mine.which("asked")
    if opened:
        ends = min(one.expires_at for one in opened if one.expires_at is not None)
        return say("Open for you until {moment}", moment=say.moment(ends))
    if waiting:
        return say.plural("{n} request waits", "{n} requests wait", len(waiting))
    return say("What I asked for")


def standing(say: Speech, one: Request) -> list[str]:
    """Say how a request stands to whoever asked, and to whoever decides."""
    hours = say.exactly(one.hours * 3600)
    if one.state == "asked":
        return [
            say("asked {ago} for {hours}", ago=say.ago(one.asked_at), hours=hours),
            say("lapses {when} unless somebody decides", when=say.until(one.lapses_at)),
        ]
    if one.state == "active" and one.expires_at is not None:
        by = say("approved by {name}", name=one.decided_by)
        return [by, until(say, one.expires_at)]
    if one.state == "refused":
        return [say("refused by {name}", name=one.decided_by), *_when(say, one.ended_at)]
    if one.state == "lapsed":
        return [say("nobody decided within a day")]
    if one.approved_at is None:
        return [say("withdrawn"), *_when(say, one.ended_at)]
    ended = min(at for at in (one.ended_at, one.expires_at) if at is not None)
    return [
        say("approved by {name}", name=one.decided_by),
        say(
            "open from {first} to {last}", first=say.moment(one.approved_at), last=say.moment(ended)
        ),
    ]


def card_html(say: Speech, one: Request, *, who: bool) -> str:
    """Return a request: what for, why, and how it stands; with `who`, also who asked."""
    person = f'<span class="quiet">{plain(one.name)} ({plain(one.login)})</span>' if who else ""
    kind = f'<span class="quiet">{plain(say("Collection"))}</span>' if one.collection else ""
    answer = (
        f'<p class="answer">{plain(say("Answer: {words}", words=one.answer))}</p>'
        if one.answer
        else ""
    )
    words = " · ".join(standing(say, one))
    return (
        f'<div class="request"><div class="top"><b>{plain(one.what)}</b>{kind}{person}'
        f"{chip_html(*state(say, one))}</div><p>{plain(one.reason)}</p>{answer}"
        f'<div class="quiet">{plain(words)}</div></div>'
    )


def rows_html(say: Speech, found: Sequence[Request]) -> str:
    """Return requests as rows that can be opened."""
    rows = "".join(
        f'<button type="button" role="listitem" class="trace" data-open="r{plain(one.id)}">'
        f'<span class="when">{plain(say.instant(one.asked_at))}</span>'
        f'<span class="state {STATES[one.state][0]}">{plain(state(say, one)[1])}</span>'
        f'<span class="about"><b>{plain(one.name)}</b> {plain(one.what)}</span>'
        f'<span class="seq">{plain(standing(say, one)[-1])}</span></button>'
        for one in found
    )
    return f'<div class="trail" role="list">{rows}</div>'


def effect(say: Speech, one: Candidate, names: Names) -> str:
    """Say what approving would change for a document."""
    if one.readable:
        return say("is read already: {rule}", rule=one.rule)
    if one.rule == "not allowed":
        return say("would be opened")
    return say("would stay closed: {why}", why=rights.rule_words(say, one.rule, names))


def candidates_html(say: Speech, found: Candidates) -> str:
    """Return the documents that a request may mean."""
    rows = [
        (
            f"<code>{plain(one.document_id)}</code>",
            plain(one.source),
            plain(one.collection),
            plain(effect(say, one, found.known)),
        )
        for one in found.documents
    ]
    titles = (say("Document"), say("Source"), say("Collection"), say("If you approve"))
    return table_html(titles, rows)


def _when(say: Speech, moment: datetime | None) -> list[str]:
    return [say.moment(moment)] if moment is not None else []
