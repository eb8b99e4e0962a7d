"""UBL 2 documents: invoices, credit and debit notes, and orders, with lines, taxes and totals."""

from __future__ import annotations

from decimal import Decimal

from connectors.readers.branches import (
    Element,
    attribute,
    every,
    first,
    local,
    money,
    number,
    refuse,
    text,
    texts,
    when,
)
from connectors.readers.elements import parse
from connectors.readers.errors import ReadError
from connectors.readers.ledger import Ledger, joined, named
from connectors.readers.model import Reading
from connectors.readers.record import Period, Quantity, Value
from connectors.readers.retail.gtin import product
from connectors.readers.source import Source

_KINDS = {
    "Invoice": ("invoice", "Invoice", "InvoiceLine", "InvoicedQuantity"),
    "CreditNote": ("credit_note", "Credit note", "CreditNoteLine", "CreditedQuantity"),
    "DebitNote": ("debit_note", "Debit note", "DebitNoteLine", "DebitedQuantity"),
    "Order": ("order", "Order", "OrderLine", "Quantity"),
}
_TOTALS = ("LegalMonetaryTotal", "RequestedMonetaryTotal", "AnticipatedMonetaryTotal")


def read(source: Source) -> Reading:
    """Read all documents; raises `ReadError` with line and element where one is broken."""
    root = parse(source.path.read_bytes())
    documents = (
        [root] if local(root.tag) in _KINDS else list(root.iter(*(f"{{*}}{k}" for k in _KINDS)))
    )
    if not documents:
        raise ReadError(
            "corrupt", f"The XML breaks its format: {local(root.tag)} holds no document."
        )
    ledger = Ledger(source)
    for document in documents:
        _document(ledger, document)
    return ledger.reading(source.media_type, ledger.outline.first_heading)


def _document(ledger: Ledger, document: Element) -> None:
    kind, name, line_name, _ = _KINDS[local(document.tag)]
    number_ = text(document, "ID")
    if not number_:
        refuse(document, "has no ID")
    lines = every(document, line_name)
    if not lines:
        refuse(document, f"has no {line_name}")
    currency = text(document, "DocumentCurrencyCode", "PricingCurrencyCode")
    seller, seller_id = _party(document, "AccountingSupplierParty", "SellerSupplierParty")
    buyer, buyer_id = _party(document, "AccountingCustomerParty", "BuyerCustomerParty")
    totals = next((t for path in _TOTALS if (t := first(document, path)) is not None), None)
    amounts: dict[str, Value | None] = {}
    for key, path in (
        ("net", "TaxExclusiveAmount"),
        ("gross", "TaxInclusiveAmount"),
        ("prepaid", "PrepaidAmount"),
        ("total", "PayableAmount"),
    ):
        amounts[key] = money(totals, path, currency) if totals is not None else None
    amounts["tax"] = money(document, "TaxTotal/TaxAmount", currency)
    start, end = when(document, "InvoicePeriod/StartDate"), when(document, "InvoicePeriod/EndDate")
    values: dict[str, Value | None] = {
        "seller": seller,
        "seller_id": seller_id,
        "buyer": buyer,
        "buyer_id": buyer_id,
        "date": when(document, "IssueDate"),
        "due": when(document, "DueDate", "PaymentMeans/PaymentDueDate"),
        "period": Period(start, end) if start or end else None,
        "type": text(document, "InvoiceTypeCode", "CreditNoteTypeCode", "OrderTypeCode"),
        "currency": currency,
        **amounts,
        "order": text(document, "OrderReference/ID"),
        "corrects": text(document, "BillingReference/InvoiceDocumentReference/ID"),
        "contract": text(document, "ContractDocumentReference/ID"),
        "buyer_reference": text(document, "BuyerReference"),
        "payee_account": text(document, "PaymentMeans/PayeeFinancialAccount/ID"),
        "payment_terms": text(document, "PaymentTerms/Note"),
        "lines": len(lines),
        "note": joined(*texts(document, "Note"), by=" "),
    }
    subject = f"company:{seller}" if seller else ""
    ledger.heading(joined(f"{name} {number_}", seller, by=" · "), 1)
    told = (named(key.replace("_", " "), value) for key, value in values.items())
    ledger.state(joined(f"{name} {number_}", *told), kind, values, own_id=number_, subject=subject)
    for line in lines:
        _line(ledger, document, line, currency)
    for allowance in every(document, "AllowanceCharge"):
        _allowance(ledger, allowance, number_, currency)
    for tax in every(document, "TaxTotal/TaxSubtotal"):
        _tax(ledger, tax, number_, currency)
    _check(ledger, document, lines, totals)


def _party(document: Element, *roles: str) -> tuple[str, str]:
    for role in roles:
        party = first(document, f"{role}/Party")
        if party is not None:
            name = text(party, "PartyLegalEntity/RegistrationName", "PartyName/Name")
            number_ = text(
                party,
                "PartyTaxScheme/CompanyID",
                "PartyLegalEntity/CompanyID",
                "PartyIdentification/ID",
                "EndpointID",
            )
            return name or number_, number_
    return "", ""


def _line(ledger: Ledger, document: Element, line: Element, currency: str) -> None:
    kind, name, _, quantity_name = _KINDS[local(document.tag)]
    body = first(line, "LineItem")
    body = line if body is None else body
    item = first(body, "Item")
    if item is None:
        refuse(line, "has no Item")
    quantity = first(body, quantity_name)
    units = number(body, quantity_name)
    standard = text(item, "StandardItemIdentification/ID")
    own = text(item, "SellersItemIdentification/ID")
    described = text(item, "Name", "Description")
    invoice, line_id = text(document, "ID"), text(body, "ID")
    properties = [
        f"{text(p, 'Name')}={text(p, 'Value')}" for p in every(item, "AdditionalItemProperty")
    ]
    values: dict[str, Value | None] = {
        "document": invoice,
        "name": described,
        "description": text(item, "Description"),
        "item_id": own,
        "gtin": standard,
        "quantity": Quantity(units, attribute(quantity, "unitCode"))
        if units is not None and quantity is not None
        else None,
        "price": money(body, "Price/PriceAmount", currency),
        "amount": money(body, "LineExtensionAmount", currency),
        "tax_category": text(item, "ClassifiedTaxCategory/ID"),
        "tax_rate": number(item, "ClassifiedTaxCategory/Percent"),
        "order_line": text(body, "OrderLineReference/LineID"),
        "origin": text(item, "OriginCountry/IdentificationCode"),
        "properties": tuple(properties),
        "note": joined(*texts(body, "Note"), by=" "),
    }
    silent = ("document", "name")
    told = (named(k.replace("_", " "), v) for k, v in values.items() if k not in silent)
    ledger.line(
        joined(f"Line {line_id} of {name.lower()} {invoice}: {described}", *told),
        f"{kind}_line",
        values,
        own_id=f"{invoice}/{line_id}",
        subject=product(standard, own, described),
    )


def _allowance(ledger: Ledger, allowance: Element, document: str, currency: str) -> None:
    is_charge = text(allowance, "ChargeIndicator").lower() in ("true", "1")
    amount = money(allowance, "Amount", currency)
    reason = text(allowance, "AllowanceChargeReason", "AllowanceChargeReasonCode")
    name = "Charge" if is_charge else "Allowance"
    ledger.line(
        joined(f"{name} on {document}: {reason}", named("amount", amount)),
        name.lower(),
        {"document": document, "reason": reason, "amount": amount},
    )


def _tax(ledger: Ledger, tax: Element, document: str, currency: str) -> None:
    values: dict[str, Value | None] = {
        "document": document,
        "scheme": text(tax, "TaxCategory/TaxScheme/ID"),
        "category": text(tax, "TaxCategory/ID"),
        "rate": number(tax, "TaxCategory/Percent", "Percent"),
        "taxable": money(tax, "TaxableAmount", currency),
        "amount": money(tax, "TaxAmount", currency),
        "exemption": text(tax, "TaxCategory/TaxExemptionReason"),
    }
    told = (named(key, value) for key, value in values.items() if key != "document")
    ledger.line(joined(f"Tax on {document}", *told), "tax", values)


def _check(ledger: Ledger, document: Element, lines: list[Element], totals: Element | None) -> None:
    """Warn when the lines don't add up to the total that the document declares for them."""
    declared = number(totals, "LineExtensionAmount") if totals is not None else None
    amounts = [
        number(line, "LineExtensionAmount", "LineItem/LineExtensionAmount") for line in lines
    ]
    total = sum((amount for amount in amounts if amount is not None), Decimal())
    if declared is not None and totals is not None and None not in amounts and declared != total:
        ledger.warn(
            f"{local(document.tag)} {text(document, 'ID')} (line {totals.sourceline}) declares "
            f"{declared:,f} for its lines, they give {total:,f}."
        )
