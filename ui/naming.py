"""What people call those whom access lists speak of, and who says so, as pieces of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ui.people import GroupName
from ui.safety import plain
from ui.text import Speech

Names = Mapping[str, GroupName]

PUSHED, TOLD = "group:scim:", "group:oidc:"


def title(principal: str, names: Names) -> str:
    """Return what people call a principal; otherwise it without what tells where it is from."""
    known = names.get(principal)
    return known.title if known is not None and known.title else short(principal)


def short(principal: str) -> str:
    """Return a principal without what tells where it is from."""
    kind, _, name = principal.partition(":")
    if kind == "user":
        return name.rpartition("|")[2]
    return name.partition(":")[2] or name if kind == "group" else principal


def in_full(principal: str, names: Names) -> str:
    """Return a principal as it stands in access lists, after what people call it if known."""
    known = names.get(principal)
    return f"{known.title} ({principal})" if known is not None and known.title else principal


def origin(say: Speech, group: GroupName) -> str:
    """Say who tells a group's members."""
    if group.name.startswith(PUSHED):
        return say("{directory}, over SCIM", directory=group.source_title or "–")
    if group.name.startswith(TOLD):
        return say("Identity provider, at sign-in")
    return group.source_title or say("Identity provider")


def age(say: Speech, group: GroupName) -> str:
    """Say since when a group's members are known."""
    return say.ago(group.as_of) if group.as_of is not None else ""


def principal_html(say: Speech, principal: str, names: Names) -> str:
    """Return a principal by the name that people know, with its full name and who tells it."""
    known = names.get(principal)
    if known is None:
        return f"<b>{plain(principal)}</b>"
    full = f"{principal} · " if known.title else ""
    about = plain(f"{full}{origin(say, known)}")
    return f'<b>{plain(known.title or principal)}</b><div class="quiet">{about}</div>'


def path_html(path: Sequence[str], names: Names) -> str:
    """Return the way from a person to a principal."""
    if not path:
        return ""
    steps = '<i class="arrow">→</i>'.join(
        f"<span>{plain(title(one, names))}</span>" for one in path
    )
    return f'<div class="path" title="{plain(" → ".join(path))}">{steps}</div>'


def rule_html(rule: str, names: Names) -> str:
    """Return a rule, which may end with a principal."""
    kind, _, principal = rule.partition(" ")
    known = names.get(principal)
    shown = f"{kind} {known.title}" if known is not None and known.title else rule
    return f'<span class="quiet rule" title="{plain(rule)}">{plain(shown)}</span>'
