"""What kind of answer a question wants, in English and Portuguese, and whether a text holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.text.numbers import Day, facts
from assistant.text.units import UNITS
from assistant.text.words import fold

Kind = Literal[
    "number", "money", "duration", "date", "time", "person", "place", "list", "steps", "reason"
]

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "time",
        re.compile(
            r"\b(?:what time|which hours?|(?:a|que|quais) (?:que )?horas?"
            r"|horario)\b"
        ),
    ),
    (
        "duration",
        re.compile(
            r"\b(?:how (?:long|often|soon|late)|how many (?:\w+ ){0,2}(?:seconds|minutes"
            r"|hours|days|weeks"
            r"|months|years)|(?:por )?quanto tempo|com que frequencia|prazo|validade|interval\w*"
            r"|quantos? (?:\w+ )?(?:segundos|minutos|dias|meses|anos)"
            r"|quantas (?:\w+ )?(?:horas|semanas)"
            r"|de quant[oa]s em quant[oa]s|deadline|notice period)\b"
        ),
    ),
    (
        "date",
        re.compile(
            r"^(?:\W*(?:e|and|desde|ate|a partir de|since|until|by|from|para)\s)?(?:when"
            r"|quando)\b"
            r"|\b(?:which (?:date|day|year|month)|what (?:date|day|year|month)"
            r"|(?:em )?que dia|que data|qual a data|data d[aeo]|since when|until when"
            r"|a partir de quando)\b"
        ),
    ),
    (
        "money",
        re.compile(
            r"\b(?:how much (?:does|do|is|are|was|did|will) .*(?:cost|pay|charge|worth|earn"
            r"|price)|price"
            r"|(?:what|which|o que|qual) .*(?:charge|ask|quote)\b.* (?:for|now)|cost|fee|salary"
            r"|quanto (?:custa|custam|custou|cobra|vale|recebe|ganha|pag\w+)"
            r"|preco"
            r"|por quanto (?!tempo)|tarifa|salario|em (?:milhoes de )?reais)\b"
        ),
    ),
    (
        "number",
        re.compile(
            r"\b(?:how (?:many|much|loud|heavy|high|deep|fast|large|big|far|old|hot|cold)"
            r"|quant[oa]s?"
            r"|(?:what|which|qual|quais|que|e|is|was|foi|era) (?:is |was |e |foi "
            r"|era )?(?:the |an? |o |a )?"
            r"(?:\w+ ){0,5}?(?:limite?|rate|percentage|amount|value|number|torque|dos[ea]"
            r"|total|maximum|minimum"
            r"|ratio|tax[ae]|percentual|valor|numero|maxim[oa]|minim[oa]|indice|potencia"
            r"|power|margem"
            r"|margin|temperatur[ea]|pressao|pressure|voltage\w*|lucro|receita|income|revenue"
            r"|profit|size"
            r"|weight|peso|altura|speed|velocidade|capacity|capacidade|level|nivel|score|nota))\b"
        ),
    ),
    (
        "person",
        re.compile(
            r"^(?:\W*(?:to|for|by|with|from|of|para|com|de|a|por)\s)?(?:who|whom|whose|quem)\b"
            r"|\b(?:(?:which|what|qual|que) (?:person|employee|technician|manager|doctor"
            r"|nurse|engineer|supplier|pessoa|funcionari[oa]|tecnic[oa]|gerente|medic[oa]"
            r"|enfermeir[oa]"
            r"|engenheir[oa]|responsavel|diretora?|fornecedor\w*))\b"
        ),
    ),
    (
        "place",
        re.compile(
            r"\b(?:where|onde|which (?:room|building|city)|em (?:que|qual) (?:sala|cidade))\b"
        ),
    ),
    (
        "list",
        re.compile(
            r"\b(?:what are|which (?!(?:\w*[siu]s|was|has|does)\b)\w+s\b"
            r"|what \w+s (?:are|do|does|must|should|need|can)|list"
            r"|quais|^que \w+s|o que (?:e|nao e|sao) (?:proibid|permitid|necessari|obrigatori"
            r"|exigid)\w*|liste)\b"
        ),
    ),
    (
        "steps",
        re.compile(
            r"\b(?:how (?:do|does|can|should|to) (?!\w+ (?:cost|pay))|what (?:do|should"
            r"|must) (?:i|we|you|one|the"
            r"|an?|they)\b.*\bdo|steps|como (?:eu |se )?\w+|o que (?:eu |se |o \w+ "
            r"|a \w+ )?(?:devo|deve|devemos"
            r"|faco|fazer|preciso)|passos|procedimento)\b"
        ),
    ),
    ("reason", re.compile(r"\b(?:why|por que|porque|qual o motivo|what caused|o que causou)\b")),
)

_MONTH = (
    r"jan\w*|feb\w*|fev\w*|mar(?:ch|co)?|apr\w*|abr\w*|may|mai\w*|jun\w*|jul\w*|aug\w*|ago\w*"
    r"|sep\w*"
    r"|set\w*|oct\w*|out\w*|nov\w*|dec\w*|dez\w*"
)
_SPELLED = (
    r"two|three|four|five|six|seven|eight|nine|ten|twelve|dois|duas|tres|quatro|cinco|seis"
    r"|sete|oito"
    r"|nove|dez|doze|quinze|vinte|trinta"
)
_HOLDS: dict[Kind, re.Pattern[str]] = {
    "number": re.compile(rf"\d|\b(?:{_SPELLED}|none|nenhum\w*)\b"),
    "money": re.compile(
        r"(?:r\$|us\$|\$|€|£)\s*\d|\b\d[\d.,]*\s*(?:reais|dollars|euros|mil"
        r"|million)|\bfree\b|\bgratis|\bisent\w+"
    ),
    "duration": re.compile(
        rf"(?:\d|\b(?:{_SPELLED}|one|um|uma)\b)[\s-]*(?:\(\w+\)\s*)?"
        r"(?:full |calendar |business |working )?"
        r"(?:seconds?|minutes?|min\b|hours?|h\b|days?|weeks?|months?|years?|segundos?"
        r"|minutos?|horas?|dias?"
        r"|semanas?|mes(?:es)?|anos?)|\b(?:daily|weekly|monthly|quarterly|yearly|annual\w*"
        r"|diari\w+|semana\w*"
        r"|mensa\w*|bimestra\w*|trimestra\w*|semestra\w*|anua\w*)\b"
    ),
    "date": re.compile(
        rf"\b\d{{1,2}}(?:st|nd|rd|th|º)?[\s-]+(?:of |de )?(?:{_MONTH})\b"
        rf"|\b(?:{_MONTH})\.?\s+(?:de )?\d|"
        r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{4}-\d\d(?:-\d\d)?\b|\b(?:19|20)\d\d\b"
        r"|\b(?:mon|tues|wednes"
        r"|thurs|fri|satur|sun)day|\b(?:segunda|terca|quarta|quinta|sexta)s?(?:-feira)?\b"
        r"|\bsabado|\bdomingo"
        r"|\b\d+ (?:days?|dias?)\b"
    ),
    "time": re.compile(
        r"\b\d{1,2}(?::\d\d|\s*h(?:\d\d|oras?)?\b|\s*[ap]\.?m\b)|\b(?:noon"
        r"|midnight|meio-dia)"
    ),
    "place": re.compile(
        r"\b(?:room|floor|building|office|shelf|site|ward|sala|andar|predio"
        r"|galpao|setor|rua|avenida|corredor|armario|unidade|ala|at|in|em|na|no)\b"
    ),
}
_PERSON = re.compile(
    r"\b[A-ZÀ-Ý][a-zà-ÿ]+\s+(?:(?:d[aeo]s?|e)\s+)?[A-ZÀ-Ý][a-zà-ÿ]+|[\w.]+@\w+|\b(?:Dr|Dra|Sr"
    r"|Sra|Mr|Ms|Mrs)\."
)
_ROLE = re.compile(
    r"\b(?:manager|director|engineer|leader|nurse|doctor|physician|officer|team|committee"
    r"|supervisor|head"
    r"|gerente|diretor\w*|engenheir\w+|lider|enfermeir\w+|medic\w+|equipe|comite"
    r"|supervisor\w*|chefe"
    r"|tecnic\w+|coordenador\w*|responsave\w+)\b"
)
_CODE = re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Z][A-Z\d]*(?:-[A-Z\d]+)*\b")
_YEAR = re.compile(r"(?<![\w-])(?:19|20)\d\d(?![\w-])")

_WITHOUT_UNIT: frozenset[Kind] = frozenset({"list", "person", "place", "date", "time", "reason"})
_COUNTED = re.compile(
    r"(?:how many|quant[oa]s|de quant[oa]s em quant[oa]s)\s+(?:full |calendar |business |working )?"
    r"((?:dias? ute?is|[^\W\d_]+))"
)
_NEAR_UNITS = {"day": ("business day",), "week": ("day",), "month": ("day",), "year": ("month",)}
_MONEY = ("BRL", "USD", "$", "EUR", "GBP")
_QUANTITIES = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), frozenset(units))
    for pattern, units in (
        (r"torque|aperto", ("Nm",)),
        (r"decibels?|decibeis|loud|noise|ruido|barulho", ("dB",)),
        (r"voltage\w*|tensao|volts?", ("V",)),
        (r"(?:motor )?power|potencia", ("kW", "W", "kVA")),
        (r"pressure|pressao", ("bar", "psi", "kPa", "MPa", "mmHg")),
        (r"temperature|temperatura", ("C", "F")),
        (r"weigh\w*|heavy|peso|pesa", ("kg", "g", "t")),
        (r"speed|rotacao|velocidade", ("rpm", "mm/s", "km", "m")),
        (r"percent\w*|margin|margem|percentual|ratio|indice|cdi|yield", ("%", "pp")),
        (r"salary|salario|price|preco|fee|tarifa|bolsa|diaria|custa|cost|costs", _MONEY),
        (r"dos[ei]s?|dosagem|dosage", ("mg", "g", "ug", "ml", "mg/kg", "%")),
    )
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The kinds of answer wanted, and the years, full dates and codes (`P-101`) that are named.

    `units` are those that the answer may have, as `assistant.text.units` names them; empty for any.
    """

    kinds: frozenset[Kind]
    years: frozenset[str]
    codes: frozenset[str]
    days: frozenset[Day] = frozenset()
    units: frozenset[str] = frozenset()


def asked(question: str) -> Asked:
    """Read a question."""
    folded = fold(question)
    kinds: set[Kind] = {kind for kind, pattern in _ASKS if pattern.search(folded)}
    if kinds & {"duration", "money", "time", "date"}:
        kinds.discard("number")
    if kinds & {"number", "money", "duration", "date", "time", "person", "reason"}:
        kinds -= {"steps"}
    units = frozenset[str]() if kinds & _WITHOUT_UNIT else _units(folded)
    return Asked(frozenset(kinds), years(question), codes(question), days(question), units)


def _units(folded: str) -> frozenset[str]:
    """Return the units of the answer: those counted (`how many days`) or of the quantity named."""
    counted = _COUNTED.search(folded)
    if counted and (unit := UNITS.get(counted.group(1))):
        return frozenset({unit, *_NEAR_UNITS.get(unit, ())})
    return frozenset(
        unit for pattern, units in _QUANTITIES if pattern.search(folded) for unit in units
    )


def days(text: str) -> frozenset[Day]:
    """Return the dates of a text that have a day and a month."""
    return frozenset(
        day for fact in facts(text) if fact.kind == "date" for day in fact.days if day[1] and day[2]
    )


def codes(text: str) -> frozenset[str]:
    """Return the asset, model and document codes of a text, without hyphens."""
    return frozenset(code.replace("-", "") for code in _CODE.findall(text))


def years(text: str) -> frozenset[str]:
    """Return the years that stand alone in a text."""
    return frozenset(_YEAR.findall(text))


def holds(kind: Kind, text: str) -> bool:
    """Tell whether a text holds something of the kind; a list or a step can be any text."""
    if kind == "person":
        return _PERSON.search(text) is not None or _ROLE.search(fold(text)) is not None
    pattern = _HOLDS.get(kind)
    return pattern is None or pattern.search(fold(text)) is not None
