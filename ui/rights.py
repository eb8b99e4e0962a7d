"""People, groups and who may read what, in words and as the pieces of a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ui.naming import (
    Names,
    age,
    in_full,
    origin,
    path_html,
    principal_html,
    rule_html,
    short,
)
from ui.people import (
    Account,
    Amount,
    Comparison,
    Explanation,
    Group,
    Key,
    Members,
    Readers,
    Reading,
    Shelf,
    Simulation,
)
from ui.safety import plain
from ui.standing import chip_html
from ui.text import Speech, mark

ROLES = {
    "employee": (mark("Employee"), mark("asks questions and reads documents")),
    "integrator": (mark("Integrator"), mark("connects sources")),
    "admin": (mark("Administrator"), mark("looks after sources, people and access")),
    "auditor": (mark("Auditor"), mark("reads the audit log, changes nothing")),
}

LISTS = {
    "allow": mark("may read"),
    "deny": mark("may not read"),
    "all_of": mark("must also hold"),
}


def role(say: Speech, name: str) -> str:
    """Name a role."""
    return say(ROLES[name][0]) if name in ROLES else name


def state(say: Speech, one: Account) -> tuple[str, str]:
    """Return whether somebody may sign in: a tone and words."""
    if one.disabled_at is not None:
        return "bad", say("Disabled")
    if one.is_service:
        return "busy", say("Service")
    return "good", say("Active")


def people_html(say: Speech, people: Sequence[Account]) -> str:
    """Return people as rows that can be opened."""
    rows = "".join(_person(say, one) for one in people)
    return f'<div class="trail people" role="list">{rows}</div>'


def _person(say: Speech, one: Account) -> str:
    roles = ", ".join(role(say, name) for name in one.roles) or say("no role")
    sessions = say.plural("{n} session", "{n} sessions", one.n_sessions) if one.n_sessions else ""
    return (
        f'<button type="button" role="listitem" class="trace" data-open="p{plain(one.id)}">'
        f'<span class="about"><b>{plain(one.name)}</b> <span class="quiet">{plain(one.login)}'
        f'</span></span><span class="about">{plain(roles)}</span>'
        f'<span class="seq">{plain(sessions)}</span>{chip_html(*state(say, one))}</button>'
    )


def facts(say: Speech, one: Account) -> list[str]:
    """Say who somebody is."""
    words = [one.login, *([one.company] if one.company else [])]
    words.append(
        say("signs in through {provider}", provider=one.provider)
        if one.provider
        else say("API keys only")
        if one.is_service
        else say("signs in with a password kept here")
    )
    words.append(say("since {day}", day=say.day(one.created_at)))
    if one.n_sessions:
        words.append(say.plural("{n} session", "{n} sessions", one.n_sessions))
    if one.n_keys:
        words.append(say.plural("{n} key", "{n} keys", one.n_keys))
    return words


def held_html(say: Speech, groups: Sequence[Group], names: Names) -> str:
    """Return the groups that somebody is in, with the way to each."""
    rows = [
        (
            _group(one),
            path_html(one.path, names),
            plain(origin(say, one)),
            plain(age(say, one)),
        )
        for one in groups
    ]
    titles = (say("Group"), say("By way of"), say("Told by"), say("As of"))
    return table_html(titles, rows)


def groups_html(say: Speech, groups: Sequence[Group]) -> str:
    """Return groups as rows that can be opened."""
    rows = "".join(
        f'<button type="button" role="listitem" class="trace" data-open="g{n}">'
        f'<span class="about">{_group(one)}</span>'
        f'<span class="about">{plain(origin(say, one))}</span>'
        f'<span class="seq">{plain(age(say, one))}</span>'
        f"<span>{plain(say.plural('{n} member', '{n} members', one.n_members))}</span></button>"
        for n, one in enumerate(groups)
    )
    return f'<div class="trail people" role="list">{rows}</div>'


def members_html(say: Speech, found: Members) -> str:
    """Return the direct members of a group."""
    rows = []
    for one in found.members:
        if one.person_id is not None:
            tone = ("bad", say("Disabled")) if one.disabled else ("good", say("Person"))
            named = f"<b>{plain(one.full_name or one.login)}</b> {plain(one.login)}"
        elif one.principal.startswith("group:"):
            tone = ("busy", say("Group"))
            named = principal_html(say, one.principal, found.known)
        else:
            tone, named = ("late", say("Not known here")), f"<b>{plain(one.principal)}</b>"
        rows.append((named, chip_html(*tone)))
    return table_html((say("Member"), ""), rows)


def keys_html(say: Speech, keys: Sequence[Key]) -> str:
    """Return keys with what each may do and until when."""
    rows = []
    for one in keys:
        ended = one.expires_at <= datetime.now(UTC)
        tone = (
            ("bad", say("Revoked"))
            if one.revoked_at is not None
            else ("late", say("Expired"))
            if ended
            else ("good", say("until {day}", day=say.day(one.expires_at)))
        )
        name = f'<div class="quiet">{plain(one.name)}</div>' if one.name else ""
        rows.append(
            (
                f"<b>{plain(one.owner)}</b>{name}",
                f"<code>{plain(one.id)}</code>",
                plain(", ".join(one.scopes)),
                chip_html(*tone),
            )
        )
    return table_html((say("Owner"), say("Key"), say("May"), ""), rows)


def reading_html(say: Speech, found: Reading) -> str:
    """Return what a person may read, rule by rule."""
    rows = [
        (
            _place(one),
            say.number(one.n_documents),
            rule_html(one.rule, found.known),
            path_html(one.path, found.known),
        )
        for one in found.shelves
    ]
    titles = (say("Collection"), say("Documents"), say("Rule"), say("By way of"))
    return table_html(titles, rows) if rows else ""


def readers_html(say: Speech, found: Readers) -> str:
    """Return who may read a document, each by which rule."""
    rows = [
        (
            f"<b>{plain(one.name or one.login)}</b> {plain(one.login)}",
            rule_html(one.rule, found.known),
            path_html(one.path, found.known),
        )
        for one in found.readers
    ]
    table = table_html((say("Reader"), say("Rule"), say("By way of")), rows) if rows else ""
    return acl_html(say, found) + table


def acl_html(say: Speech, found: Readers) -> str:
    """Return the ACL of a document."""
    lists = (("allow", found.allow), ("deny", found.deny), ("all_of", found.all_of))
    rows = "".join(
        f"<li><b>{plain(say(LISTS[kind]))}</b> {_listed(say, names, found)}</li>"
        for kind, names in lists
        if names
    )
    nobody = f"<li>{plain(say('nobody may read it'))}</li>"
    return f'<ul class="readers">{rows or nobody}</ul>'


def explanation_html(say: Speech, found: Explanation) -> str:
    """Return the entries that a decision was made from."""
    rows = [
        (
            plain(say(LISTS.get(one.list, one.list))),
            principal_html(say, one.principal, found.known),
            path_html(one.path, found.known) if one.held else plain(say("does not hold it")),
            chip_html("good" if found.allowed else "bad", say("decides")) if one.decisive else "",
        )
        for one in found.entries
    ]
    return table_html((say("List"), say("Entry"), say("By way of"), ""), rows) if rows else ""


def comparison_html(say: Speech, found: Comparison) -> str:
    """Return what two people read alone and together."""
    sides = [
        (say("Only {login}", login=found.one.login), found.one.only),
        (say("Only {login}", login=found.other.login), found.other.only),
        (say("Both"), found.both),
    ]
    rows = [
        (f"<b>{plain(title)}</b>", plain(one.collection), say.number(one.n_documents))
        for title, amounts in sides
        for one in amounts
    ]
    titles = (say("Who"), say("Collection"), say("Documents"))
    held = "".join(
        f"<li><b>{plain(say('Only {login}', login=side.login))}</b> "
        f"{plain(', '.join(in_full(one, found.known) for one in side.only_principals))}</li>"
        for side in (found.one, found.other)
        if side.only_principals
    )
    return table_html(titles, rows) + (f'<ul class="readers">{held}</ul>' if held else "")


def simulation_html(say: Speech, found: Simulation) -> str:
    """Return who would gain and lose what."""
    rows = [
        (f"<b>{plain(effect.login)}</b>", chip_html(tone, title), *_amount(say, one))
        for effect in found.effects
        for tone, title, amounts in (
            ("good", say("gains"), effect.gained),
            ("bad", say("loses"), effect.lost),
        )
        for one in amounts
    ]
    titles = (say("Who"), "", say("Collection"), say("Documents"))
    return table_html(titles, rows) if rows else ""


def simulation_words(say: Speech, found: Simulation) -> str:
    """Say what a change would do."""
    if not found.effects:
        return say("Nobody would gain or lose anything. Nothing was changed.")
    people = say.plural("{n} person", "{n} people", len(found.effects))
    return say(
        "Concerns {people}: {gained} gained, {lost} lost (people × documents). "
        "Nothing was changed.",
        people=people,
        gained=found.n_gained,
        lost=found.n_lost,
    )


def rule_words(say: Speech, rule: str, names: Names) -> str:
    """Say why a person may read a document or not."""
    kind, _, principal = rule.partition(" ")
    name = in_full(principal, names)
    if kind == "allow":
        return say("“{principal}” may read it, and the person holds that.", principal=name)
    if kind == "deny":
        return say("“{principal}” may not read it, and that wins.", principal=name)
    if kind == "missing":
        return say("The person lacks “{principal}”, which is needed too.", principal=name)
    known = {
        "not allowed": say("Nothing that the person holds may read it."),
        "nobody": say("Nobody may read it: the source names no reader."),
        "access data too old": say("The source has not confirmed its access lately."),
        "disabled": say("The person is disabled."),
        "no role that reads documents": say("The person has no role that reads documents."),
    }
    return known.get(rule, rule)


def table_html(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{plain(title)}</th>' for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="runs"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _group(one: Group) -> str:
    """Return a group as people call it, with its own name where that is another."""
    if not one.title:
        return f"<b>{plain(short(one.name))}</b>"
    return f'<b>{plain(one.title)}</b> <span class="quiet">{plain(short(one.name))}</span>'


def _listed(say: Speech, principals: Sequence[str], found: Readers) -> str:
    shown = []
    for one in principals:
        known = found.known.get(one)
        told = f", {origin(say, known)}" if known is not None and known.title else ""
        shown.append(plain(in_full(one, found.known) + told))
    return " · ".join(shown)


def _amount(say: Speech, one: Amount) -> tuple[str, str]:
    return plain(one.collection), say.number(one.n_documents)


def _place(one: Shelf) -> str:
    """Return a collection, with its source where that is called otherwise."""
    source = f'<div class="quiet">{plain(one.source)}</div>' if one.source != one.collection else ""
    return f"<b>{plain(one.collection)}</b>{source}"
