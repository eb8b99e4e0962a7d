"""Who may read what and why, and what a change would give and take."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from assistant import wiring
from assistant.access import policy
from assistant.access.comparison import Comparison, compare
from assistant.access.explanation import Entry, Explanation, explain
from assistant.access.identity import caller_with_login
from assistant.access.invisibility import why
from assistant.access.names import called, names_in
from assistant.access.readers import Readers, Reading, readers, reading
from assistant.access.rights import Amount
from assistant.access.simulation import Change, Simulation, acl_of, membership, simulate
from assistant.audit.event import SYSTEM, AccessExamined, Event
from assistant.cli import break_glass
from assistant.cli.console import AsJson, Data, out, print_json, print_table, settings
from assistant.domain import Principal
from assistant.errors import InvalidRequest
from assistant.settings import Settings
from assistant.store.group_names import GroupName
from assistant.store.readable import Target

app = typer.Typer(help="Who may read what, and why.", no_args_is_help=True)
app.add_typer(break_glass.app, name="break-glass")

Principals = Annotated[list[str] | None, typer.Option(help="A principal of the new ACL.")]


@app.command(name="explain")
def explain_(
    user: Annotated[str, typer.Option(help="The person's login.")],
    doc: Annotated[str, typer.Option(help="The document's id.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Explain why somebody may read a document or not: user, groups, entry of the ACL, rule."""
    chosen = settings(data)
    with _examining(chosen, AccessExamined("explain", (user,), doc)) as conn:
        found = explain(conn, user, doc, chosen.sync.acl_max_age_s)
        told, names = _named(conn, found)
    if as_json:
        print_json(told)
        return
    verb = "may" if found.allowed else "may not"
    out.print(f"{user} {verb} read {doc}: {found.rule}", markup=False)
    rows = [
        (one.list, called(names, one.principal), _way(one, names), "←" if one.decisive else "")
        for one in found.entries
    ]
    print_table("Its ACL", ("list", "principal", "how they hold it", "decides"), rows)
    out.print(_as_of(found), markup=False)


@app.command(name="reading")
def reading_(
    user: Annotated[str, typer.Option(help="The person's login.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Count what somebody may read, by source, collection and the rule that opens it."""
    chosen = settings(data)
    with _examining(chosen, AccessExamined("reading", (user,))) as conn:
        found = reading(conn, user, chosen.sync.acl_max_age_s)
        told, names = _named(conn, found)
    if as_json:
        print_json(told)
        return
    rows = [
        (s.source, s.collection, s.n_documents, s.rule, _path(s.path, names)) for s in found.shelves
    ]
    print_table(
        f"{user} may read {found.n_documents} documents; {found.n_closed} stay closed",
        ("source", "collection", "documents", "rule", "by way of"),
        rows,
    )


@app.command(name="readers")
def readers_(
    doc: Annotated[str, typer.Option(help="The document's id, or its path or address.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List who may read a document, and by which rule."""
    chosen = settings(data)
    with _examining(chosen, AccessExamined("readers", (), doc)) as conn:
        found = readers(conn, doc, chosen.sync.acl_max_age_s)
        told, names = _named(conn, found)
    if as_json:
        print_json(told)
        return
    rows = [(r.login, r.name, r.rule, _path(r.path, names)) for r in found.readers]
    title = f"{len(rows)} of {found.n_people} people may read {found.document_id}"
    print_table(title, ("login", "name", "rule", "by way of"), rows)


@app.command(name="compare")
def compare_(
    user: Annotated[list[str], typer.Option(help="A login; give two.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Count what each of two people reads that the other doesn't, by collection."""
    if len(user) != 2:
        raise InvalidRequest("Name two people: --user ANA --user BRUNO.")
    chosen = settings(data)
    with _examining(chosen, AccessExamined("compare", tuple(user))) as conn:
        found = compare(conn, user[0], user[1], chosen.sync.acl_max_age_s)
        told, known = _named(conn, found)
    if as_json:
        print_json(told)
        return
    print_table("Documents", ("who", "collection", "documents", "such as"), _rows(found))
    for side in (found.one, found.other):
        names = ", ".join(called(known, one) for one in side.only_principals) or "nothing"
        out.print(f"{side.login} alone holds {names}.", markup=False)


@app.command(name="simulate")
def simulate_(
    join: Annotated[
        list[str] | None, typer.Option(help="MEMBER=GROUP: a login or group joins a group.")
    ] = None,
    leave: Annotated[list[str] | None, typer.Option(help="MEMBER=GROUP, and leaves it.")] = None,
    doc: Annotated[str, typer.Option(help="A document whose ACL would change, by id.")] = "",
    folder: Annotated[str, typer.Option(help="SOURCE/PATH: all documents beneath.")] = "",
    allow: Principals = None,
    deny: Principals = None,
    all_of: Principals = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show who would gain and lose what by a change of groups or of an ACL; nothing is written."""
    chosen = settings(data)
    target = _target(doc, folder)
    if target is None and (allow or deny or all_of):
        raise InvalidRequest("Whose ACL? Name it with --doc or --folder.")
    with _examining(chosen, AccessExamined("simulate", (), doc)) as conn:
        change = Change(
            joins=frozenset(membership(conn, *_pair(text)) for text in join or ()),
            leaves=frozenset(membership(conn, *_pair(text)) for text in leave or ()),
            target=target,
            acl=acl_of(allow or (), deny or (), all_of or ()) if target else None,
        )
        found = simulate(conn, change, chosen.sync.acl_max_age_s)
    if as_json:
        print_json(dataclasses.asdict(found))
        return
    _print_effects(found)


@app.command(name="why")
def why_(
    login: Annotated[str, typer.Option("--as", help="Whose eyes to look with.")],
    doc: Annotated[str, typer.Option(help="The document's id.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say what this person is told of a document they don't see, which reveals nothing of it."""
    chosen = settings(data)
    with _examining(chosen, AccessExamined("why", (login,), doc)) as conn:
        found = why(conn, caller_with_login(conn, login), doc, chosen.sync.acl_max_age_s)
    if as_json:
        print_json(dataclasses.asdict(found))
        return
    if found.visible:
        out.print("You can read it.")
        return
    out.print("There is no such document here, or you may not see it.")
    titles = ", ".join(contact.title for contact in found.contacts)
    out.print(
        f"Ask those who look after: {titles}." if titles else "Ask an administrator.", markup=False
    )


@app.command()
def check_policy(
    file: Annotated[Path, typer.Argument(help="A policy file, as `access.policy` names one.")],
    as_json: AsJson = False,
) -> None:
    """Check a policy file without putting it in force; print its hash and what it rules."""
    text = policy.text_of(file)
    rules = policy.parsed(text, str(file))
    found = {
        "sha256": policy.sha256(text),
        "collections": sorted(rules.collections),
        "purposes": sorted(rules.purposes),
        "tenants": sorted(rules.tenants),
    }
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        out.print(f"{name}: {value if isinstance(value, str) else ', '.join(value)}", markup=False)


@contextmanager
def _examining(chosen: Settings, examined: AccessExamined) -> Iterator[Connection]:
    """Open a transaction that records the look once it was successful."""
    with wiring.database(chosen) as database:
        log = wiring.audit_log(chosen, database)
        with database.begin() as conn:
            yield conn
            log.append(conn, Event(SYSTEM, examined))


def _named(
    conn: Connection, found: Explanation | Reading | Readers | Comparison
) -> tuple[dict[str, Any], dict[Principal, GroupName]]:
    """Return a finding for JSON with the groups it speaks of, and those by principal."""
    told = dataclasses.asdict(found)
    names = names_in(conn, told)
    return {**told, "names": [dataclasses.asdict(one) for one in names.values()]}, names


def _way(entry: Entry, names: dict[Principal, GroupName]) -> str:
    return _path(entry.path, names) if entry.path else ("by anybody" if entry.held else "–")


def _path(path: Sequence[Principal], names: dict[Principal, GroupName]) -> str:
    return " → ".join(called(names, one) for one in path)


def _as_of(found: Explanation) -> str:
    age = "never" if found.access_age_s is None else f"{found.access_age_s:,.0f} s ago"
    limit = f"at most {found.max_age_s:,.0f} s" if found.max_age_s else "no limit"
    return (
        f"ACL {found.access_id} of source {found.source}, confirmed {age} ({limit}); "
        f"policy epoch {found.policy_epoch}"
    )


def _rows(found: Comparison) -> list[tuple[str, str, int, str]]:
    parts = (
        (f"only {found.one.login}", found.one.only),
        (f"only {found.other.login}", found.other.only),
        ("both", found.both),
    )
    return [(who, *_cells(amount)) for who, amounts in parts for amount in amounts]


def _cells(amount: Amount) -> tuple[str, int, str]:
    return amount.collection, amount.n_documents, ", ".join(amount.examples)


def _print_effects(found: Simulation) -> None:
    rows = [
        (effect.login, sign, *_cells(amount))
        for effect in found.effects
        for sign, amounts in (("+", effect.gained), ("−", effect.lost))
        for amount in amounts
    ]
    print_table("Effect", ("who", "", "collection", "documents", "such as"), rows)
    out.print(
        f"+{found.n_gained} −{found.n_lost} people × documents, {len(found.effects)} people; "
        f"{found.n_targeted} documents would have another ACL. Nothing was written."
    )


def _target(doc: str, folder: str) -> Target | None:
    if doc and folder:
        raise InvalidRequest("Name a document or a folder, not both.")
    if doc:
        return Target(document_id=doc)
    if folder:
        source, _, prefix = folder.partition("/")
        return Target(source=source, prefix=prefix)
    return None


def _pair(text: str) -> Sequence[str]:
    member, found, group = text.partition("=")
    if not found:
        raise InvalidRequest(f"{text!r} is no membership; write MEMBER=GROUP.")
    return member, group
