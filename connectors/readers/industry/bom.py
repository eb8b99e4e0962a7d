"""Bills of materials in rows: by level, or by parent and component."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.readers.industry.columns import columns_of, number_of
from connectors.readers.record import Quantity, Value
from connectors.readers.register import Register, shown

MEANINGS = {
    meaning: frozenset(spellings.split())
    for meaning, spellings in {
        "level": "level bomlevel lvl lev nivel stufe indent explosionlevel",
        "parent": "parent parentpart parentpartnumber parentitem parentid assembly assemblynumber "
        "conjunto itempai pai codigopai baugruppe parentmaterial header matnr",
        "component": "component componentnumber componentid child childpart childitem part "
        "partnumber "
        "partno partnum item itemnumber itemno componente codigo codigodoitem material idnrk "
        "materialnumber mpn pn",
        "quantity": "quantity qty quantidade qtd qtde menge qtyper quantityper componentquantity "
        "requiredquantity qtyperassembly",
        "unit": "unit uom um unidade un me meins unitofmeasure componentunit",
        "description": "description componentdescription partdescription itemdescription "
        "descricao name "
        "partname bezeichnung ojtxp itemname nome",
        "position": "position pos findnumber itemposition posnr find posicao",
        "revision": "revision rev revlevel revisao",
        "manufacturer": "manufacturer maker fabricante hersteller",
        "material_type": "materialtype type tipo category",
    }.items()
}


def fits(header: Sequence[str]) -> bool:
    """Whether a header is one of a bill of materials."""
    found = columns_of(header, MEANINGS).places
    has_place = "level" in found or "parent" in found
    return has_place and "quantity" in found and ("component" in found or "description" in found)


def place(header: Sequence[str], rows: Sequence[Sequence[str]], register: Register) -> None:
    """Add one record a part, with the assembly that it belongs to."""
    columns = columns_of(header, MEANINGS)
    above: dict[int, str] = {}
    names: dict[str, str] = {}
    for row in rows:
        text = {meaning: columns.cell(row, meaning) for meaning in MEANINGS}
        component = text["component"] or text["description"]
        if not component:
            continue
        depth = _depth(text["level"])
        parent = text["parent"]
        if not parent and depth is not None:
            parent = next((above[d] for d in range(depth - 1, -1, -1) if d in above), "")
        if depth is not None:
            above = {d: name for d, name in above.items() if d < depth} | {depth: component}
        names[component] = text["description"]
        amount = number_of(text["quantity"])
        quantity: Value = text["quantity"] if amount is None else Quantity(amount, text["unit"])
        values: dict[str, Value | None] = {
            **{key: told for key, told in text.items() if key != "unit"},
            "component": component,
            "parent": parent,
            "quantity": quantity,
            **columns.others(row),
        }
        register.state(
            "part",
            "",
            values,
            record_id=f"{parent}/{component}" if parent else component,
            subject=f"product:{component}",
            told=_told(
                component, parent, text, shown(quantity), names.get(parent, ""), register.lang
            ),
        )


def _told(
    component: str, parent: str, text: dict[str, str], quantity: str, name: str, lang: str | None
) -> str:
    """`Part B-12 Bearing: 2 pcs in A-1 Pump (level 2)`."""
    described = text["description"] if text["description"] != component else ""
    of = " ".join(filter(None, [parent, name if name != parent else ""]))
    where = f" {'em' if lang == 'pt' else 'in'} {of}" if of else ""
    level = f" ({'nível' if lang == 'pt' else 'level'} {text['level']})" if text["level"] else ""
    part = " ".join(filter(None, ["Item" if lang == "pt" else "Part", component, described]))
    return f"{part}: {quantity}{where}{level}"


def _depth(level: str) -> int | None:
    """`2`, `..2`, `1.2.1` and `++` are depths."""
    level = level.strip()
    if re.fullmatch(r"[.\-+*\s]*\d+", level):
        return int(re.sub(r"\D", "", level)[:4])
    if re.fullmatch(r"\d+(\.\d+)+", level):
        return level.count(".") + 1
    return len(level) if re.fullmatch(r"[.+*\-]+", level) else None
