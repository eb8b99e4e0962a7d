"""Who takes part in an ISO 20022 payment: parties, their accounts, and their banks."""

from __future__ import annotations

from connectors.readers.branches import Element, text


def party(element: Element | None) -> str:
    """Return a party's name, else its identification."""
    return text(
        element,
        "Nm",
        "Pty/Nm",
        "Agt/FinInstnId/Nm",
        "Id/OrgId/AnyBIC",
        "Id/OrgId/BICOrBEI",
        "Id/OrgId/Othr/Id",
        "Id/PrvtId/Othr/Id",
        "Pty/Id/OrgId/AnyBIC",
        "Pty/Id/OrgId/Othr/Id",
        "Pty/Id/PrvtId/Othr/Id",
    )


def agent(element: Element | None) -> str:
    """Return a bank's name, else its code."""
    return text(
        element,
        "FinInstnId/Nm",
        "FinInstnId/CmbndId/Nm",
        "FinInstnId/BICFI",
        "FinInstnId/BIC",
        "FinInstnId/ClrSysMmbId/MmbId",
        "FinInstnId/ClrSysMmbId/Id",
        "FinInstnId/Othr/Id",
        "FinInstnId/PrtryId/Id",
    )


def account(element: Element) -> tuple[str, str]:
    """Return an account's number and the subject of records about it."""
    number = text(
        element,
        "Id/IBAN",
        "Id/Othr/Id",
        "Id/PrtryAcct/Id",
        "Id/BBAN",
        "Id/UPIC",
        "Prxy/Id",
        "Id",
    ).replace(" ", "")
    return number, f"account:{number}" if number else ""
