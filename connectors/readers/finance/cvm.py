"""Open data of the CVM and the Banco Central: statements of companies, funds, and time series.

CVM's files are Latin-1, separated by semicolons, with a decimal point; `ESCALA_MOEDA` of MIL means
thousands. The series of the Banco Central have a decimal comma. Worded in Portuguese.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.readers.headed import Row
from connectors.readers.ledger import Ledger, joined, named, worded
from connectors.readers.model import Reading
from connectors.readers.record import Period, Quantity, Value, day, decimal, snake
from connectors.readers.source import Source
from connectors.readers.text import readable_stem

_SCALES = {"MIL": 1_000, "UNIDADE": 1, "": 1, "MILHAO": 1_000_000, "MILHÃO": 1_000_000}
_CURRENCIES = {"REAL": "BRL", "DOLAR": "USD", "DÓLAR": "USD", "": "BRL"}
_AMOUNTS = ("vl_", "captc_", "resg_")


def read_rows(source: Source, rows: list[Row]) -> Reading:
    """Read a table; raises `ReadError` with the line where an amount or day is broken."""
    ledger = Ledger(source)
    for row in rows:
        if row.get("cd_conta"):
            _account(ledger, row)
        elif "valor" in {snake(name) for name in row.cells}:
            _observation(ledger, row, readable_stem(source.name))
        else:
            _fund(ledger, row)
    return ledger.reading(source.media_type, None, "pt")


def number(row: Row, name: str) -> Decimal | None:
    """Return an amount with a decimal point, or a comma after points that group."""
    written = row.get(name)
    if not written:
        return None
    plain = written.replace(".", "").replace(",", ".") if "," in written else written
    value = decimal(plain)
    if value is None:
        row.refuse(f"has {name.upper()} {written[:30]!r}, which is not a number")
    return value


def _day(row: Row, name: str) -> date | None:
    written = row.get(name)
    if not written:
        return None
    found = day(written)
    if found is None:
        try:
            found = datetime.strptime(written[:10], "%d/%m/%Y").replace(tzinfo=UTC).date()
        except ValueError:
            row.refuse(f"has {name.upper()} {written[:30]!r}, which is not a date")
    return found


def _account(ledger: Ledger, row: Row) -> None:
    company, cnpj = row.get("denom_cia"), row.get("cnpj_cia")
    group = row.get("grupo_dfp", "grupo_itr")
    written, scale = number(row, "vl_conta"), row.get("escala_moeda").upper()
    if scale not in _SCALES:
        row.refuse(f"has ESCALA_MOEDA {scale[:20]!r}, which is unknown")
    unit = _CURRENCIES.get(row.get("moeda").upper(), row.get("moeda"))
    value = None if written is None else Quantity(_whole(written * _SCALES[scale]), unit)
    start, end = _day(row, "dt_ini_exerc"), _day(row, "dt_fim_exerc") or _day(row, "dt_refer")
    path = (company or cnpj, group or "Contas")
    if ledger.outline.path != path:
        ledger.heading(path[0], 1)
        ledger.heading(path[1], 2)
    order = row.get("ordem_exerc")
    code, label = row.get("cd_conta"), row.get("ds_conta")
    period = f"{worded(start, 'pt')} a {worded(end, 'pt')}" if start else worded(end, "pt")
    column = row.get("coluna_df")
    ledger.line(
        joined(
            f"{label} (conta {code}) — {period}: {worded(value, 'pt') or 'sem valor'}",
            named("coluna", column),
            named("exercício", order.lower()),
            named("versão", row.get("versao")),
        ),
        "fact",
        {
            "concept": code,
            "label": label,
            "period": Period(start, end),
            "value": value,
            "statement": group,
            "column": column,
            "order": order,
            "reference": _day(row, "dt_refer"),
            "version": row.get("versao"),
            "company": company,
            "company_id": cnpj,
            "cvm_code": row.get("cd_cvm"),
            "fixed": {"S": True, "N": False}.get(row.get("st_conta_fixa")),
        },
        own_id=joined(
            cnpj, row.get("dt_refer"), row.get("versao"), group, order, code, column, by="/"
        ),
        subject=f"company:{company or cnpj}",
    )


def _fund(ledger: Ledger, row: Row) -> None:
    identity = row.get("cnpj_fundo_classe", "cnpj_fundo", "cnpj_cia")
    name = row.get("denom_social", "denom_cia")
    values: dict[str, Value | None] = {}
    for column, written in row.cells.items():
        key = snake(column)
        values[key] = written
        if key.startswith(_AMOUNTS):
            amount = number(row, key)
            values[key] = None if amount is None else Quantity(amount, "BRL")
        elif key.startswith("dt_"):
            values[key] = _day(row, key)
    at = _day(row, "dt_comptc") or _day(row, "dt_refer")
    if ledger.outline.path != (identity,):
        ledger.heading(identity, 1)
    silent = ("dt_comptc", "cnpj_fundo_classe", "cnpj_fundo", "cnpj_cia")
    told = (
        f"{key.replace('_', ' ')}: {shown}"
        for key, value in values.items()
        if key not in silent and (shown := worded(value, "pt"))
    )
    ledger.line(
        joined(f"{worded(at, 'pt')} {name or identity}", *told),
        "fund_day" if row.get("dt_comptc") else "filing",
        values,
        own_id=joined(identity, row.get("dt_comptc", "dt_refer"), by="/"),
        subject=f"company:{name or identity}",
    )


def _observation(ledger: Ledger, row: Row, series: str) -> None:
    at, value = _day(row, "data"), number(row, "valor")
    if not ledger.outline.path:
        ledger.heading(series, 1)
    ledger.line(
        f"{series} — {worded(at, 'pt')}: {worded(value, 'pt') or 'sem valor'}",
        "observation",
        {"series": series, "date": at, "value": value},
        own_id=joined(series, at.isoformat() if at else "", by="/"),
    )


def _whole(value: Decimal) -> Decimal:
    """An amount without decimals that are all zero, of which CVM writes ten."""
    return value.to_integral_value() if value == value.to_integral_value() else value.normalize()
