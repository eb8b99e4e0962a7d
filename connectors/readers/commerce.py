"""Formats of finance and retail by their namespaces, or by the grammar of their lines."""

from __future__ import annotations

import re

IXBRL = "application/inline-xbrl+xml"
XBRL = "application/xbrl+xml"
ISO20022 = "application/iso20022+xml"
OFX = "application/x-ofx"
MT940 = "application/x-mt940"
ACH = "application/x-nacha"
EPCIS = "application/epcis+xml"
UBL = "application/ubl+xml"
NFE = "application/nfe+xml"
FEED = "application/merchant-feed+xml"

BY_SUFFIX = {
    ".ofx": OFX,
    ".qfx": OFX,
    ".qbo": OFX,
    ".sta": MT940,
    ".mt940": MT940,
    ".940": MT940,
    ".942": MT940,
    ".mt942": MT940,
    ".ach": ACH,
}
"""Suffixes that decide where a text could be anything: what breaks the grammar is refused."""

_XML = (
    (r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]|pain\.00[18])\.", ISO20022),
    (r"http://www\.portalfiscal\.inf\.br/nfe\b", NFE),
    (r"urn:epcglobal:epcis(-query|-masterdata)?:xsd:\d", EPCIS),
    (
        r"urn:oasis:names:specification:ubl:schema:xsd:(Invoice|CreditNote|DebitNote|Order)-2\b",
        UBL,
    ),
    (r"http://base\.google\.com/(ns|cns)/1\.0", FEED),
    (r"http://www\.xbrl\.org/20(08|13)/inlineXBRL", IXBRL),
)
_ROOTS = tuple((re.compile(rf"""xmlns(:[\w.-]+)?\s*=\s*["']{name}"""), kind) for name, kind in _XML)
_ISO20022 = re.compile(
    r"<Document\b[^>]*>\s*<(BkToCstmr(Stmt|AcctRpt|DbtCdtNtfctn)|CstmrCdtTrfInitn|CstmrDrctDbtInitn)\b"
)
_INLINE = re.compile(r"<ix:(header|hidden|nonNumeric|nonFraction)\b", re.IGNORECASE)
_INSTANCE = re.compile(r"<(\w[\w.-]*:)?xbrl\b[^>]*http://www\.xbrl\.org/2003/instance", re.DOTALL)
_OFX = re.compile(r"\s*OFXHEADER\s*:|\s*(<\?[^>]*\?>\s*)*<OFX>|.{0,200}<\?OFX\s", re.DOTALL)
_MT = re.compile(
    r"\s*(\{1:[^}]*\}(\{[235]:([^{}]|\{[^{}]*\})*\})*\{4:\s*|\{4:\s*)?:(20|25|28C?|6[0-9][A-Z]?):\S",
)
_MT_LINE = re.compile(r"^:(20|21|25P?|28C?|60[FM]|61|86|62[FM]|64|34F|13D?):", re.MULTILINE)
_ACH = re.compile(r"101[ \d]{10}[ \d]{10}\d{6}[\d ]{4}[A-Z0-9]094101")


def of_xml(text: str) -> str | None:
    """Return the media type of an XML text by the namespaces that it begins with."""
    start = text[:8192]
    found = next((kind for root, kind in _ROOTS if root.search(start)), None)
    if found is None and _ISO20022.search(start):
        return ISO20022
    if found is None and _INSTANCE.search(start):
        return XBRL
    if found is None and re.search(r"<(\w+:)?html\b", start, re.IGNORECASE):
        return IXBRL if _INLINE.search(text) else None
    return found


def of_lines(text: str) -> str | None:
    """Return the media type of a text by the grammar of its first lines."""
    start = re.sub("\r\n?", "\n", text[:4096].lstrip("\ufeff"))
    if _OFX.match(start):
        return OFX
    if _ACH.match(start):
        return ACH
    if _MT.match(start) and len(set(_MT_LINE.findall(start))) >= 2:
        return MT940
    return None
