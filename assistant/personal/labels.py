"""What the words around a number say it is: a label before it, or the header of its column.

The nearest label counts: in "CPF 529.982.247-25, telefone 11987654321" each number has its own.
English and Portuguese, keys of JSON (`"cpfDoCliente":`, `card_number`) and headers of tables too.
"""

from __future__ import annotations

import re

BEFORE = 48
"""Characters before a number in which a label counts, without its line's earlier numbers."""

_LABELS = {
    "cpf": r"cpfs?|c\.p\.f\.?|cadastro de pessoas? f[ií]sicas?|tax ?id",
    "cnpj": r"cnpjs?|cgc|cadastro nacional d[ae] pessoas? jur[ií]dicas?",
    "rg": r"rg|r\.g\.|registro geral|c[eé]dula de identidade|carteira de identidade|identidade"
    r"|identity card",
    "pis": r"pis(?: ?/ ?pasep)?|pasep|nis|nit|n[uú]mero de identifica[cç][aã]o social",
    "cns": r"cns|cart[aã]o (?:nacional )?d[eo] sa[uú]de|cart[aã]o (?:do )?sus|sus|national health"
    r" card",
    "ssn": r"ssn|social security(?: (?:number|no\.?|num\.?|#))?|soc\.? sec\.?|seguro social",
    "nhs": r"nhs(?: (?:number|no\.?))?",
    "passport": r"passports?|passaportes?",
    "mrn": r"mrn|medical record(?: (?:number|no\.?|num\.?))?|chart (?:number|no\.?)"
    r"|prontu[aá]rios?|patient (?:id|number|no\.?)|registro hospitalar|hospital (?:number|no\.?)",
    "card": r"(?:credit|debit|payment|bank)?[ _-]?cards?|cc|ccn|pan|cart(?:[aã]o|[oõ]es)"
    r"|cartoes|visa|master ?card|amex|american express|maestro|elo|hipercard|diners|discover",
    "iban": r"iban|international bank account",
    "phone": r"(?:tele)?phones?|telephones?|tel\.?|tels\.?|fax|mobiles?|cell(?:phone| phone)?s?"
    r"|celular(?:es)?|telefones?|fones?|fone|whats ?app|zap|contact(?: (?:number|no\.?))?|contatos?"
    r"|call(?:ed|ing)?|dial|reach|ring|text|sms|hotline|helpline|desk|office|landline|ramal|lig(?:ue|"
    r"ar|uei)|sac|disque|fal(?:e|ar)|cham(?:e|ar)|contat(?:e|ar)|answering|answer at",
    "birth_date": r"born(?: on)?|d\.?o\.?b\.?|date of birth|birth ?dates?|birthday|nascimento"
    r"|nascid[oa]s?(?: em)?|data de nasc\.?|dt\.? ?nasc\.?|nasc\.|aniversario|anivers[aá]rio",
    "ip": r"ip(?:v[46])?|ip address|endere[cç]o ip|host|server|servidor|gateway|dns|login from",
    "other": r"orders?|pedidos?|protocolos?|protocol|invoices?|notas? fiscal|nf-?e?|sku|part (?:no"
    r"\.?|number)|serial(?: (?:no\.?|number))?|s[eé]rie|tracking|rastreio|rastreamento|c[oó]digo "
    r"de barras|barcode|ean|gtin|upc|isbn|issn|chave de acesso|ticket|chamado|lote|batch|lot|asset"
    r"|equipment|work orders?|ordem de servi[cç]o|os|processo|contrato|contract|case|claim|imei"
    r"|c[oó]digo|code|reference|refer[eê]ncia|ref\.?|timestamp|epoch|version|vers[aã]o|build"
    r"|se[cç][aã]o|section|figure|figura|patent|patente|doi|pmid|model|modelo|transa[cç][aã]o id",
}
_FIND = re.compile(
    r"(?<![a-zà-ÿ])(?:"
    + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _LABELS.items())
    + r")(?![a-zà-ÿ])"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_AFTER = re.compile(
    r"[ \t]*[-–(]?[ \t]*(?:office|fax|mobile|cell phone|celular|home|work|tel|phone|desk"
    r"|residencial|comercial|whats ?app)(?![a-zà-ÿ])",
    re.IGNORECASE,
)
# "Pedido nº 123" is no phone number; "o contrato com 123" says nothing about the number.
_ADJACENT = re.compile(
    r"[\s:#\"'=(_.-]*(?:n[ºo°.]*|numbers?|n[uú]mero|num\.?|id|code|de|d[oa])?[\s:#\"'=(_.-]*"
)
_DELIMITERS = ("|", "\t", ";", ",")
_MAX_CELL = 400
"""Lines of a table that are looked up for its header."""


def label(text: str, start: int) -> str:
    """Return the kind that the nearest label before a place names, "other", or "" for none."""
    line_start = text.rfind("\n", 0, start) + 1
    found = _last(text[max(line_start, start - BEFORE) : start])
    if found:
        return found
    header = _header(text, line_start, start)
    if header:
        return _last(header)
    # A label may stand on a line of its own: "Phone:\n358 0594".
    above = text[max(0, line_start - BEFORE) : line_start].rstrip()
    if above.endswith(":") and not text[line_start:start].strip():
        return _last(above.rpartition("\n")[2])
    return ""


def is_called_phone(text: str, end: int) -> bool:
    """Say whether the words behind a number call it one of a phone: "655 437 108 office"."""
    return bool(_AFTER.match(text, end, end + 24))


def _last(window: str) -> str:
    last = ""
    words = _CAMEL.sub(" ", window).lower()
    for match in _FIND.finditer(words):
        if match.lastgroup != "other" or _ADJACENT.fullmatch(words, match.end()):
            last = match.lastgroup or ""
    return last


def _header(text: str, line_start: int, at: int) -> str:
    """Return the header of the column that a place stands in, if its line is a table's row."""
    line = text[line_start : _line_end(text, at)]
    for delimiter in _DELIMITERS:
        n_cells = line.count(delimiter)
        if not n_cells:
            continue
        first = _first_row(text, line_start, delimiter, n_cells)
        if first is not None:
            column = text.count(delimiter, line_start, at)
            return first.split(delimiter)[column]
    return ""


def _first_row(text: str, line_start: int, delimiter: str, n_cells: int) -> str | None:
    """Return the first of the neighbouring lines above that have as many cells."""
    first: str | None = None
    end = line_start - 1
    for _ in range(_MAX_CELL):
        if end <= 0:
            break
        begin = text.rfind("\n", 0, end) + 1
        if text.count(delimiter, begin, end) != n_cells:
            break
        first = text[begin:end]
        end = begin - 1
    return first


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
