"""What the pages say when something can't be done: one sentence with the next step."""

from __future__ import annotations

from ui.client import ApiError, Gone, Problem, SignedOut, Unreachable
from ui.safety import label
from ui.text import Speech, mark

_SENTENCES = {
    "overloaded": mark("The assistant is busy. Ask again in {seconds} s."),
    "too-many-requests": mark("Too many attempts. Wait {seconds} s and try again."),
    "model-unavailable": mark(
        "The model that writes the answers can't be reached. Try again in a minute; "
        "if it stays so, tell your administrator."
    ),
    "database-unavailable": mark(
        "The document store can't be reached. Try again in a minute; "
        "if it stays so, tell your administrator."
    ),
    "audit-unavailable": mark(
        "Answers are paused because they can't be recorded. Tell your administrator."
    ),
    "deadline-exceeded": mark(
        "The answer took too long and was stopped. Ask again, or ask about less at once."
    ),
    "disk-full": mark("The assistant has no disk space left. Tell your administrator."),
    "stopping": mark("The assistant is being restarted. Ask again in a minute."),
    "forbidden": mark("Your account may not do this. Ask your administrator for the permission."),
    "request-too-large": mark("That is too long. Shorten it and send it again."),
    "invalid-request": mark("The assistant could not read that. Change it and send it again."),
}


_ADVICE = {
    "invalid-request": mark("Something in this is not valid:"),
    "conflict": mark("This can't be done now:"),
    "on-hold": mark("This can't be done now:"),
    "not-found": mark("There is no such thing here:"),
    "settings": mark("The source can't be used as it is configured:"),
    "sync": mark("The source can't be used:"),
}


def advice(say: Speech, error: ApiError) -> str:
    """Say what went wrong to somebody who looks after the assistant, in the API's words too."""
    match error:
        case Problem(slug="source-silent"):
            return say("The source did not answer within a minute. Check that it can be reached.")
        case Problem(slug=slug) if slug in _ADVICE and str(error):
            return f"{say(_ADVICE[slug])} {label(str(error))}"
    return sentence(say, error)


def sentence(say: Speech, error: ApiError) -> str:
    """Say what happened and what to do next."""
    match error:
        case Unreachable():
            return say(
                "The assistant can't be reached right now. Wait a moment and try again; "
                "if it stays so, tell your administrator."
            )
        case SignedOut():
            return say("Your session has ended. Sign in again to go on.")
        case Gone():
            return say("This is no longer available to you.")
        case Problem(slug=slug) if slug in _SENTENCES:
            return say(_SENTENCES[slug], seconds=error.retry_after_s)
    return say("Something went wrong inside the assistant. Try again; nothing you typed is lost.")
