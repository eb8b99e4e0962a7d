"""NF-e and NFC-e, the electronic invoices of Brazil (Manual de Orientação do Contribuinte 7.0).

Invoices with their authorisation (`nfeProc`), alone, or in a batch, and events such as a
cancellation. Worded in Portuguese; the access key's check digit is verified.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from connectors.readers.branches import (
    Element,
    attribute,
    every,
    first,
    local,
    number,
    refuse,
    text,
)
from connectors.readers.elements import parse
from connectors.readers.ledger import Ledger, joined, worded
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value
from connectors.readers.retail.gtin import is_gtin, product
from connectors.readers.retail.nfe_tax import taxes
from connectors.readers.source import Source

_MODELS = {"55": "NF-e", "65": "NFC-e"}
_PURPOSES = {"1": "normal", "2": "complementar", "3": "ajuste", "4": "devolução"}
_TOTALS = {
    "products": "vProd",
    "freight": "vFrete",
    "insurance": "vSeg",
    "discount": "vDesc",
    "other": "vOutro",
    "icms_base": "vBC",
    "icms": "vICMS",
    "icms_st": "vST",
    "ipi": "vIPI",
    "pis": "vPIS",
    "cofins": "vCOFINS",
    "import_duty": "vII",
    "total": "vNF",
}
_LABELS = {
    "products": "produtos",
    "freight": "frete",
    "insurance": "seguro",
    "discount": "desconto",
    "other": "outras despesas",
    "icms_base": "base do ICMS",
    "icms": "ICMS",
    "icms_st": "ICMS ST",
    "ipi": "IPI",
    "pis": "PIS",
    "cofins": "COFINS",
    "import_duty": "II",
    "total": "total",
    "key": "chave de acesso",
    "issued": "emissão",
    "operation": "natureza da operação",
    "purpose": "finalidade",
    "seller": "emitente",
    "seller_id": "CNPJ/CPF do emitente",
    "seller_place": "município do emitente",
    "buyer": "destinatário",
    "buyer_id": "CNPJ/CPF do destinatário",
    "buyer_place": "município do destinatário",
    "items": "itens",
    "protocol": "protocolo",
    "status": "situação",
    "test": "ambiente de homologação",
    "note": "informações complementares",
    "code": "código",
    "gtin": "GTIN",
    "ncm": "NCM",
    "cest": "CEST",
    "cfop": "CFOP",
    "quantity": "quantidade",
    "unit_price": "valor unitário",
    "amount": "valor",
    "description": "informação do item",
}


def read(source: Source) -> Reading:
    """Read all invoices and events; raises `ReadError` with line and element of what is broken."""
    root = parse(source.path.read_bytes())
    ledger = Ledger(source)
    invoices = [root] if local(root.tag) == "infNFe" else list(root.iter("{*}infNFe"))
    events = list(root.iter("{*}infEvento"))
    protocols = {text(p, "chNFe"): p for p in root.iter("{*}infProt")}
    if not invoices and not events:
        refuse(root, "holds neither infNFe nor infEvento, one of which is required")
    for invoice in invoices:
        _invoice(ledger, invoice, protocols)
    for event in events:
        if text(event, "tpEvento"):
            _event(ledger, event)
    return ledger.reading(source.media_type, ledger.outline.first_heading, "pt")


def key_digit(digits: str) -> str:
    """Return the check digit of an access key's first 43 digits (modulo 11, weights 2 to 9)."""
    rest = sum(int(d) * (2 + i % 8) for i, d in enumerate(reversed(digits))) % 11
    return "0" if rest < 2 else str(11 - rest)


def _invoice(ledger: Ledger, invoice: Element, protocols: dict[str, Element]) -> None:
    key = _key(ledger, invoice)
    head, seller = first(invoice, "ide"), first(invoice, "emit")
    if head is None or seller is None:
        refuse(invoice, f"has no {'ide' if head is None else 'emit'}")
    items = every(invoice, "det")
    if not items:
        refuse(invoice, "has no det, so no item")
    buyer, totals = first(invoice, "dest"), first(invoice, "total/ICMSTot")
    model = _MODELS.get(text(head, "mod"), "NF-e")
    name = f"{model} nº {text(head, 'nNF')}, série {text(head, 'serie')}"
    protocol = protocols.get(key)
    values: dict[str, Value | None] = {
        "key": key,
        "issued": _moment(text(head, "dhEmi", "dEmi")),
        "operation": text(head, "natOp"),
        "purpose": _PURPOSES.get(text(head, "finNFe"), ""),
        "seller": text(seller, "xNome"),
        "seller_id": text(seller, "CNPJ", "CPF"),
        "seller_place": _place(first(seller, "enderEmit")),
        "buyer": text(buyer, "xNome"),
        "buyer_id": text(buyer, "CNPJ", "CPF", "idEstrangeiro"),
        "buyer_place": _place(first(buyer, "enderDest") if buyer is not None else None),
        "items": len(items),
        **{k: _reais(totals, tag) for k, tag in _TOTALS.items() if totals is not None},
        "protocol": text(protocol, "nProt"),
        "status": joined(text(protocol, "cStat"), text(protocol, "xMotivo"), by=" "),
        "test": text(head, "tpAmb") == "2" or None,
        "note": text(invoice, "infAdic/infCpl"),
    }
    ledger.heading(f"{name} · {values['seller']}", 1)
    subject = f"company:{values['seller_id']}" if values["seller_id"] else ""
    ledger.state(joined(name, *_told(values)), "invoice", values, own_id=key, subject=subject)
    for item in items:
        _item(ledger, item, key, name)
    _check(ledger, invoice, items, totals)


def _key(ledger: Ledger, invoice: Element) -> str:
    """The access key of 44 digits; a wrong check digit gives a warning."""
    key = attribute(invoice, "Id").removeprefix("NFe")
    if len(key) != 44 or not (key.isascii() and key.isdigit()):
        refuse(invoice, f"has the Id {attribute(invoice, 'Id')[:60]!r}, no access key of 44 digits")
    if key_digit(key[:43]) != key[43]:
        ledger.warn(
            f"A chave de acesso {key} (linha {invoice.sourceline}) termina em {key[43]}; "
            f"o dígito verificador é {key_digit(key[:43])}."
        )
    return key


def _item(ledger: Ledger, item: Element, key: str, name: str) -> None:
    sold = first(item, "prod")
    if sold is None:
        refuse(item, "has no prod")
    units, unit = number(sold, "qCom"), text(sold, "uCom")
    if units is None or number(sold, "vProd") is None:
        refuse(sold, f"has no {'qCom' if units is None else 'vProd'}")
    code, ean = text(sold, "cProd"), text(sold, "cEAN")
    values: dict[str, Value | None] = {
        "invoice": key,
        "code": code,
        "name": text(sold, "xProd"),
        "gtin": ean if is_gtin(ean) else "",
        "ncm": text(sold, "NCM"),
        "cest": text(sold, "CEST"),
        "cfop": text(sold, "CFOP"),
        "quantity": Quantity(units, unit),
        "unit_price": _reais(sold, "vUnCom"),
        "amount": _reais(sold, "vProd"),
        "freight": _reais(sold, "vFrete"),
        "discount": _reais(sold, "vDesc"),
        "other": _reais(sold, "vOutro"),
    }
    tax_values, tax_words = taxes(first(item, "imposto"))
    described = text(item, "infAdProd")
    number_ = attribute(item, "nItem")
    ledger.line(
        joined(
            f"Item {number_} da {name}: {values['name']}", *_told(values), *tax_words, described
        ),
        "invoice_item",
        {**values, **tax_values, "description": described},
        own_id=f"{key}/{number_}",
        subject=product(ean if ean != "SEM GTIN" else "", code),
    )


def _event(ledger: Ledger, event: Element) -> None:
    key, name = text(event, "chNFe"), text(event, "detEvento/descEvento")
    values: dict[str, Value | None] = {
        "key": key,
        "type": text(event, "tpEvento"),
        "name": name,
        "time": _moment(text(event, "dhEvento")),
        "reason": text(event, "detEvento/xJust", "detEvento/xCorrecao"),
        "protocol": text(event, "detEvento/nProt"),
    }
    ledger.heading(f"{name or 'Evento'} · NF-e {key}", 1)
    ledger.state(
        joined(
            f"Evento {name or text(event, 'tpEvento')} da NF-e {key}",
            worded(values["time"], "pt"),
            str(values["reason"]),
        ),
        "invoice_event",
        values,
        own_id=attribute(event, "Id") or f"{key}/{text(event, 'nSeqEvento')}",
    )


def _told(values: dict[str, Value | None]) -> list[str]:
    silent = ("invoice", "name")
    return [
        f"{_LABELS[key]}: {shown}"
        for key, value in values.items()
        if key not in silent and not _is_nothing(value) and (shown := worded(value, "pt"))
    ]


def _is_nothing(value: Value | None) -> bool:
    return isinstance(value, Quantity) and value.amount == 0


def _reais(element: Element, name: str) -> Quantity | None:
    value = number(element, name)
    return None if value is None else Quantity(value, "BRL")


def _place(address: Element | None) -> str:
    return joined(text(address, "xMun"), text(address, "UF"), by="/")


def _moment(text_: str) -> Value | None:
    try:
        return (
            datetime.fromisoformat(text_)
            if len(text_) > 10
            else datetime.fromisoformat(text_).date()
        )
    except ValueError:
        return None


def _check(ledger: Ledger, invoice: Element, items: list[Element], totals: Element | None) -> None:
    """Warn when the items that count don't give the declared total of products."""
    declared = number(totals, "vProd") if totals is not None else None
    counted = [item for item in items if text(item, "prod/indTot") != "0"]
    total = sum((number(item, "prod/vProd") or Decimal() for item in counted), Decimal())
    if declared is not None and totals is not None and declared != total:
        ledger.warn(
            f"Linha {totals.sourceline}: o total dos produtos é {worded(declared, 'pt')}, "
            f"os itens somam {worded(total, 'pt')}."
        )
