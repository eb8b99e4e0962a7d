"""How sources and runs stand, in words and as the pieces of a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ui.safety import plain
from ui.sources import FailureGroup, Look, Run, RunHead, Schedule, Source, Stage
from ui.text import Speech, mark

CLOCKS = {
    "content": (mark("Content"), mark("new and changed documents")),
    "deletes": (mark("Deletions"), mark("documents that are gone")),
    "access": (mark("Access"), mark("who may read each document")),
    "groups": (mark("Groups"), mark("who is in which group")),
}

STATES = {
    "queued": mark("Waiting for a worker"),
    "running": mark("Running"),
    "paused": mark("Paused"),
    "done": mark("Done"),
    "failed": mark("Failed"),
    "stopped": mark("Interrupted"),
    "cancelled": mark("Cancelled"),
}

TONES = {
    "queued": "busy",
    "running": "busy",
    "paused": "late",
    "done": "good",
    "failed": "bad",
    "stopped": "late",
    "cancelled": "late",
}

KINDS = {
    "sync": mark("Sync"),
    "dry_run": mark("Dry run"),
    "retry": mark("Retry of what failed"),
}

STAGES = {
    "check": mark("Connecting"),
    "groups": mark("Groups"),
    "list": mark("Listing"),
    "fetch": mark("Fetching"),
    "read": mark("Reading"),
    "chunk": mark("Dividing into passages"),
    "embed": mark("Embedding"),
    "commit": mark("Storing"),
}

CAUSES = {
    "corrupt": (
        mark("Damaged or not what its name says"),
        mark("Open the file in its program and save it again."),
    ),
    "encrypted": (
        mark("Protected by a password"),
        mark("Put a copy without the password at the source."),
    ),
    "empty": (
        mark("Nothing to read in it"),
        mark("Look whether the file is complete, or leave it out."),
    ),
    "too_large": (mark("Too large"), mark("Divide the file, or raise the limit.")),
    "too_many_pages": (mark("Too many pages"), mark("Divide the file, or raise the limit.")),
    "bomb": (
        mark("Unpacks to far more than its size"),
        mark("Find out where the file came from before you trust it."),
    ),
    "unsafe_xml": (
        mark("XML that refers to other files"),
        mark("Find out where the file came from before you trust it."),
    ),
    "unsupported": (
        mark("A format that no reader knows"),
        mark("Save it in another format, or add a reader."),
    ),
    "timeout": (mark("Took too long to read"), mark("Retry; if it stays so, divide the file.")),
    "out_of_memory": (
        mark("Needed too much memory to read"),
        mark("Divide the file, or raise the limit."),
    ),
    "crashed": (mark("The reader broke off"), mark("Retry; if it stays so, report the file.")),
    "unreadable": (
        mark("Could not be fetched from the source"),
        mark("Check that the source can be reached, then retry."),
    ),
    "personal_data": (
        mark("Personal data that the policy refuses"),
        mark("Take it out at the source, or change the policy of the collection."),
    ),
    "unlisted": (
        mark("Could not be listed at the source"),
        mark("Mend it at the source; the next sync looks again."),
    ),
}


def state(say: Speech, source: Source) -> tuple[str, str]:
    """Return how a source stands: a tone (good, busy, late, bad, new) and words."""
    active, last = source.active_run, source.last_run
    if active is not None:
        words = say(STATES.get(active.state, active.state))
        if active.kind != "sync":
            words = f"{say(KINDS.get(active.kind, active.kind))}: {words}"
        return TONES.get(active.state, "busy"), words
    if last is None:
        return "new", say("Never synced")
    if last.state == "failed":
        return "bad", say("Last sync failed")
    if source.late:
        return "late", say("Late")
    if last.state != "done":
        return TONES.get(last.state, "late"), say(STATES.get(last.state, last.state))
    return "good", say("Up to date")


def chip_html(tone: str, words: str) -> str:
    """Return a state as a coloured word."""
    return f'<span class="state {tone}">{plain(words)}</span>'


def facts(say: Speech, source: Source) -> list[str]:
    """Say what a source is and holds."""
    words = [source.connector, *([source.industry] if source.industry else [])]
    words.append(say.plural("{n} document", "{n} documents", source.n_documents))
    words.append(say.plural("{n} passage", "{n} passages", source.n_chunks))
    if source.n_failures:
        words.append(say.plural("{n} quarantined", "{n} quarantined", source.n_failures))
    return words


def clocks_html(say: Speech, source: Source) -> str:
    """Return the four clocks and the next run."""
    cells = [_clock(say, source, name) for name in CLOCKS]
    cells.append(_cell(say("Next run"), next_run(say, source), "", ""))
    return f'<div class="clocks">{"".join(cells)}</div>'


def next_run(say: Speech, source: Source) -> str:
    """Say when a source is synced next."""
    if source.active_run is not None and source.active_run.kind == "sync":
        return say("now")
    if source.next_run_at is None:
        return say("when you start it")
    if source.next_run_at <= datetime.now(UTC):
        return say("due now")
    return say.until(source.next_run_at)


def schedule(say: Speech, wanted: Schedule | None) -> str:
    """Say when a source is synced."""
    if wanted is None:
        return say("Only when somebody starts it")
    if wanted.every_s is not None:
        return say("Every {duration}", duration=say.exactly(wanted.every_s))
    return say("At {cron} ({timezone})", cron=wanted.cron, timezone=wanted.timezone)


def outcome(say: Speech, run: Run) -> str:
    """Say what a run did, or would do: +12 ~3 −5 documents, 40 access changes."""
    counts = {name: run.counts.get(name, 0) for name in ("added", "changed", "deleted")}
    signs = dict(zip(counts, "+~−", strict=True))
    written = " ".join(f"{signs[name]}{say.number(n)}" for name, n in counts.items())
    words = [
        say("{counts} documents", counts=written),
        say.plural("{n} access change", "{n} access changes", run.counts.get("access_changed", 0)),
    ]
    if failed := run.counts.get("failed", 0):
        words.append(say.plural("{n} failure", "{n} failures", failed))
    return ", ".join(words)


def run_words(say: Speech, run: RunHead) -> str:
    """Name a run with its state."""
    kind = say(KINDS.get(run.kind, run.kind))
    return f"{kind} · {say(STATES.get(run.state, run.state))}"


def progress_html(say: Speech, run: Run) -> str:
    """Return how far a run is: a bar, its stages with their seconds, and the item at hand."""
    now = run.progress
    share = min(1.0, now.done / now.total) if now.total else 0.0
    far = (
        say("{done} of {total} items", done=now.done, total=now.total)
        if now.total
        else say.plural("{n} item", "{n} items", max(now.done, now.n_read))
    )
    stage = say(STAGES.get(now.stage, now.stage)) if run.state == "running" else ""
    words = [run_words(say, run), *([stage] if stage else []), far, outcome(say, run)]
    tone = TONES.get(run.state, "busy")
    bar = f'<div class="bar{"" if now.total else " open"}"><i style="width:{share:.1%}"></i></div>'
    item = f'<div class="item">{plain(now.item)}</div>' if now.item else ""
    return (
        f'<div class="run-progress" role="status"><div class="words {tone}">'
        f"{plain(' · '.join(words))}</div>{bar}{stages_html(say, run)}{item}</div>"
    )


def stages_html(say: Speech, run: Run) -> str:
    """Return what each stage took."""
    if not run.stages:
        return ""
    cells = "".join(
        f'<span class="stage{" now" if name == run.progress.stage and run.is_active else ""}">'
        f"<b>{plain(say(STAGES.get(name, name)))}</b> {say.number(stage.n)} · "
        f"{plain(say('{seconds} s', seconds=say.seconds(stage.seconds)))}</span>"
        for name, stage in sorted(run.stages.items(), key=_place)
    )
    return f'<div class="stages">{cells}</div>'


def _place(stage: tuple[str, Stage]) -> int:
    """Return where a stage stands among the others, unknown ones last."""
    return list(STAGES).index(stage[0]) if stage[0] in STAGES else len(STAGES)


def runs_html(say: Speech, runs: Sequence[Run]) -> str:
    """Return runs as a table, the newest first."""
    titles = (say("Started"), say("Run"), say("State"), say("Outcome"), say("Took"))
    head = "".join(f'<th scope="col">{plain(title)}</th>' for title in titles)
    return (
        f'<table class="runs"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(_row(say, run) for run in runs)}</tbody></table>"
    )


def failures_html(say: Speech, group: FailureGroup) -> str:
    """Return the quarantined items of a cause."""
    items = []
    for one in group.failures:
        words = [
            say.plural("{n} attempt", "{n} attempts", one.attempts),
            say("last {ago}", ago=say.ago(one.last_at)),
        ]
        if one.next_try_at is not None:
            words.append(say("next try {until}", until=say.until(one.next_try_at)))
        items.append(
            f"<li><b>{plain(one.id)}</b><span>{plain(one.error)}</span>"
            f'<span class="quiet">{plain(" · ".join(words))}</span></li>'
        )
    return f'<ul class="failures">{"".join(items)}</ul>'


def look_html(say: Speech, look: Look) -> str:
    """Return what a test found, above all who could read."""
    words = [
        say.plural("{n} item looked at", "{n} items looked at", look.n_items),
        say.plural("{n} group", "{n} groups", look.n_groups),
    ]
    if look.n_failed:
        words.append(say.plural("{n} failure", "{n} failures", look.n_failed))
    rows = "".join(
        f"<li><b>{plain(reader_words(say, reader))}</b> {say.number(n)}</li>"
        for reader, n in look.readers.items()
    )
    readers = (
        f'<div class="over">{plain(say("Who could read, by number of items"))}</div>'
        f'<ul class="readers">{rows}</ul>'
        if rows
        else ""
    )
    return f'<div class="looked"><p>{plain(" · ".join(words))}</p>{readers}</div>'


def reader_words(say: Speech, reader: str) -> str:
    """Name somebody who may read."""
    return {"everyone": say("Everyone"), "nobody": say("Nobody")}.get(reader, reader)


def _clock(say: Speech, source: Source, name: str) -> str:
    title, about = CLOCKS[name]
    seconds = getattr(source.lags, f"{name}_s")
    if seconds is None:
        return _cell(say(title), say("not known yet"), "", say(about))
    as_of = say.ago(datetime.now(UTC) - timedelta(seconds=seconds))
    return _cell(say(title), as_of, say("late") if name in source.late else "", say(about))


def _cell(title: str, value: str, warning: str, about: str) -> str:
    care = f' <span class="care">{plain(warning)}</span>' if warning else ""
    told = f' title="{plain(about)}"' if about else ""
    return f'<div class="clock"{told}><span>{plain(title)}</span><b>{plain(value)}{care}</b></div>'


def _row(say: Speech, run: Run) -> str:
    took = ""
    if run.started_at is not None and run.finished_at is not None:
        took = say.lasting((run.finished_at - run.started_at).total_seconds())
    notes = " ".join(part for part in (run.error, run.note) if part)
    cells = (
        plain(say.moment(run.started_at or run.queued_at)),
        plain(say(KINDS.get(run.kind, run.kind))),
        chip_html(TONES.get(run.state, "late"), say(STATES.get(run.state, run.state))),
        plain(outcome(say, run)) + (f'<div class="quiet">{plain(notes)}</div>' if notes else ""),
        plain(took),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
