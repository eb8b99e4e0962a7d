"""Maintenance work orders: exports of SAP PM, IBM Maximo and others, and annotated ones.

`Work order 4711 · pump P-101 · 2024-03-02 · bearing noise → bearing replaced, 3.5 h`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from connectors.readers.elements import parse
from connectors.readers.elements import read as read_elements
from connectors.readers.industry.columns import (
    Columns,
    bare,
    columns_of,
    date_of,
    is_day_first,
    number_of,
    told,
)
from connectors.readers.labels import said
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value
from connectors.readers.register import Register, shown
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

Table = Sequence[Sequence[str]]

MEANINGS = {
    meaning: frozenset(spellings.split())
    for meaning, spellings in {
        "order": "wonum workorder workorderid workordernumber workorderno wo woid wonumber aufnr "
        "ordernumber order orderno auftrag auftragsnummer ordem numerodaordem ordemdeservico "
        "numeroos os nordem ponumber workordernum jobid qmnum notification notificationnumber nota",
        "asset": "assetnum asset assetid assetnumber equipment equipmentid equipmentnumber "
        "equipmentno equnr equipment equipamento ativo codigodoativo machine machineid tag",
        "asset_description": "assetdescription equipmentdescription eqktx "
        "functionallocationdescription "
        "descriptionoftechnicalobject descricaodoequipamento machinename assetname equipmentname",
        "location": "location functionallocation functionalloc workorderfunctionallocation tplnr "
        "localdeinstalacao local locationid funcloc",
        "summary": "description shorttext ktext originalshorttext text workdescription descricao "
        "textobreve workorderdescription summary title wodescription qmtxt problemdescription",
        "details": "longdescription descriptionlongdescription longtext details descricaolonga",
        "problem": "problem problemcode problemtext damage damagecode damagetext fecod symptom "
        "failure "
        "failurecode failuremode defeito sintoma falha problema failureclass",
        "cause": "cause causecode causetext rootcause urcod causa causaraiz codigodacausa",
        "action": "action actiontaken remedy remedycode activity activitytext workperformed "
        "resolution solution acao acaotomada solucao servicoexecutado correctiveaction taken",
        "reported": "reportdate reporteddate createdon created creationdate datecreated erdat "
        "notificationdate datadeabertura dataabertura dtabertura reported dateopened opendate",
        "planned": "basicstartdate workorderbasicstartdate gstrp targstartdate schedstart "
        "scheduledstart plannedstart datainicioprevista startdate date data orderdate",
        "started": "actstart actstartdate actualstart actualstartdate gstri datainicio inicio",
        "finished": "actfinish actualfinish actualfinishdate actfinishdate getri completiondate "
        "completed datecompleted closedate dateclosed datafim dataconclusao termino enddate",
        "hours": "actlabhrs hours actualhours labourhours laborhours actualwork ismnw horas "
        "horastrabalhadas hh manhours duration durationhours repairhours",
        "downtime": "downtime downtimehours breakdownduration horasparadas tempodeparada",
        "type": "worktype wotype ordertype auart workordertype tipo tipodeordem maintenancetype",
        "priority": "wopriority priority priok prioridade",
        "status": "status systemstatus userstatus situacao estado wostatus",
        "cost": "totalcost acttotalcost cost totalactualcost actualcost "
        "workordertotalactualcost custo "
        "custototal",
        "work_center": "workcenter workcentre mainworkcenter mainworkctr arbpl centrodetrabalho "
        "lead "
        "crew supervisor",
        "site": "siteid site plant werks centro planta sitename",
        "reporter": "reportedby createdby ernam solicitante",
        "technician": "technician assignedto executante tecnico mechanic performedby",
    }.items()
}
_OWN = frozenset(
    {"wonum", "workorder", "workorderid", "workordernumber", "workorderno", "woid", "wonumber"}
    | {"aufnr", "ordemdeservico", "workordernum", "numeroos", "qmnum"}
)
_DATES = ("reported", "planned", "started", "finished")
_DETAILS = ("problem", "cause", "details", "downtime", "type", "status", "priority", "cost")
_TOLD = frozenset(
    {"order", "asset", "asset_description", "location", "summary", "action", "hours"}
    | {*_DETAILS, *_DATES}
)
"""Meanings that a sentence words in a way of its own."""
_PLACED = frozenset({"asset", "location"})
_WORK = frozenset({"cause", "action", "problem", "hours", "downtime"})
_PORTUGUESE = frozenset(
    {"ordem", "ordemdeservico", "equipamento", "descricao", "causa", "acao", "solucao", "horas"}
)
_LISTS = ("member", "rdfs:member", "value", "results", "workorders", "workOrders")


def fits(header: Sequence[str]) -> bool:
    """Whether a header is one of work orders: an order or a place, a text, and what was done."""
    found = columns_of(header, MEANINGS).places
    if "summary" not in found and not {"problem", "action"} <= set(found):
        return False
    names = {bare(cell) for cell in header}
    is_placed = bool(_PLACED & set(found))
    has_own = bool(names & _OWN)
    has_functional = any("functionalloc" in name or name == "tplnr" for name in names)
    has_work = len(_WORK & set(found)) >= 1
    return is_placed and (has_own or has_functional or has_work) and len(found) >= 4


def place(header: Sequence[str], rows: Table, register: Register) -> None:
    """Add one record a row."""
    columns = columns_of(header, MEANINGS)
    if not register.lang and {bare(cell) for cell in header} & _PORTUGUESE:
        register.lang = "pt"
    cells = [columns.cell(row, name) for name in _DATES for row in rows[:5000]]
    day_first = is_day_first(cells, default=register.lang == "pt")
    for row in rows:
        _state(columns, row, register, day_first)


def _state(columns: Columns, row: Sequence[str], register: Register, day_first: bool) -> None:
    text = {meaning: columns.cell(row, meaning) for meaning in columns.places}
    days = {name: date_of(text.get(name, ""), day_first=day_first) for name in _DATES}
    hours, cost = number_of(text.get("hours", "")), number_of(text.get("cost", ""))
    downtime = number_of(text.get("downtime", ""))
    values: dict[str, Value | None] = {
        **{meaning: told for meaning, told in text.items() if meaning not in _DATES},
        **days,
        "hours": Quantity(hours, "h") if hours is not None else text.get("hours"),
        "downtime": Quantity(downtime, "h") if downtime is not None else text.get("downtime"),
        "cost": cost if cost is not None else text.get("cost"),
        **columns.others(row),
    }
    day = next((days[n] for n in ("finished", "started", "reported", "planned") if days[n]), None)
    about = " ".join(filter(None, (text.get("asset_description"), text.get("asset"))))
    order = text.get("order", "")
    name = said("work_order", register.lang)
    what = text.get("summary") or text.get("problem", "")
    head = [
        f"{name[:1].upper()}{name[1:]} {order}".strip(),
        about,
        text.get("location", "") if text.get("location") != text.get("asset") else "",
        shown(day) if day is not None else "",
        what + (f" → {text['action']}" if text.get("action") else "")
        + (f", {shown(hours)} h" if hours is not None else ""),
    ]  # fmt: skip
    details = [
        f"{said(key, register.lang)}: {shown(value)}"
        for key in _DETAILS
        if (value := values.get(key)) is not None and value not in ("", what)
    ]
    asset = text.get("asset") or text.get("location")
    register.state(
        "work_order",
        "",
        values,
        record_id=order,
        subject=f"asset:{asset}" if asset else "",
        told="; ".join([" · ".join(filter(None, head)), *details, *told(columns, row, _TOLD)]),
    )


def read(source: Source) -> Reading:
    """Read work orders in XML (Maximo's MXWO and like ones); other XML is read as it stands."""
    root = parse(source.path.read_bytes())
    rows = [row for element in root.iter() if (row := _row(element))]
    header = list(dict.fromkeys(name for row in rows for name in row))
    if not fits(header):
        return read_elements(source)
    return _reading(header, [[row.get(n, "") for n in header] for row in rows], source)


def _row(element: etree._Element) -> dict[str, str]:
    """The leaves of an element that is one order, with the codes of its failure report."""
    if not isinstance(element.tag, str):
        return {}
    leaves = {
        etree.QName(child).localname: clean(child.text or "")
        for child in element
        if isinstance(child.tag, str) and not len(child) and (child.text or "").strip()
    }
    if not {bare(name) for name in leaves} & _OWN:
        return {}
    for report in element.iter("{*}FAILUREREPORT"):
        kind = clean(report.findtext("{*}TYPE") or "")
        told = report.findtext("{*}DESCRIPTION") or report.findtext("{*}FAILURECODE")
        if kind in ("PROBLEM", "CAUSE", "REMEDY"):
            leaves[kind] = clean(told or "")
    return leaves


def _reading(header: Sequence[str], rows: Table, source: Source) -> Reading:
    register = Register(cap=source.limits.rows)
    place(header, rows, register)
    return Reading(
        source.media_type,
        best_title(None, None, source.name),
        tuple(register.outline.blocks),
        register.lang,
        tuple(register.records),
        tuple(register.warnings),
    )


def is_json(value: Any) -> bool:
    """Whether a JSON value is a list of work orders, as Maximo's API has it."""
    rows = _objects(value)
    return bool(rows) and fits(list(dict.fromkeys(name for row in rows[:50] for name in row)))


def read_json(value: Any, source: Source) -> Reading:
    """Read work orders in JSON."""
    rows = _objects(value)
    header = list(dict.fromkeys(name for row in rows for name in row))
    table = [[_scalar(row.get(name)) for name in header] for row in rows]
    return _reading(header, table, source)


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        value = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), [])
    is_rows = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    return value if is_rows else []


def _scalar(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        return ""
    return clean(str(getattr(value, "raw", value)))


_ANNOTATED = (("PhysicalObject", "objects"), ("State/Undesirable", "problem"), ("State", "state"),
              ("Activity", "action"), ("Process/Undesirable", "problem"), ("Process", "process"),
              ("Property", "property"))  # fmt: skip
"""Classes of the MaintIE scheme (LREC 2024) → the value that a marked text becomes."""


def is_annotated(value: Any) -> bool:
    """Whether a JSON value is a list of texts with tokens and marked entities."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, dict)
            and isinstance(one.get("text"), str)
            and isinstance(one.get("tokens"), list)
            and isinstance(one.get("entities"), list)
            for one in value
        )
    )


def read_annotated(value: Any, source: Source) -> Reading:
    """Read annotated work orders: the text, and what is marked as object, problem or action."""
    register = Register(cap=source.limits.rows)
    for number, one in enumerate(value, 1):
        marked: dict[str, list[str]] = {}
        for key, span in _marked(one):
            marked.setdefault(key, []).append(span)
        values: dict[str, Value | None] = {key: ", ".join(told) for key, told in marked.items()}
        register.state(
            "work_order",
            one["text"],
            {"summary": clean(one["text"]), **values},
            record_id=str(number),
            silent=("summary",),
        )
    return Reading(
        source.media_type,
        best_title(None, None, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


def _marked(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for entity in one["entities"]:
        match entity:
            case {"start": int(start), "end": int(end), "type": str(kind)}:
                key = next((k for name, k in _ANNOTATED if kind.startswith(name)), "other")
                yield key, clean(" ".join(map(str, one["tokens"][start:end])))
