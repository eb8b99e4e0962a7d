"""Formats of industries by how their text begins: the root of an XML file, or its first words."""

from __future__ import annotations

import re

HL7V2 = "application/hl7-v2"
CDA = "application/cda+xml"
FHIR_XML = "application/fhir+xml"
SPL = "application/spl+xml"
PUBMED = "application/pubmed+xml"
JATS = "application/jats+xml"
TRIAL = "application/clinical-trial+xml"
AAS_XML = "application/asset-administration-shell+xml"
NODESET = "application/opcua-nodeset+xml"
MTCONNECT = "application/mtconnect+xml"
WORK_ORDERS = "application/work-orders+xml"
STEP = "model/step"

# The namespace begins with, the root's name (a pattern for the whole of it), the media type.
_ROOTS = (
    ("urn:hl7-org:v3", "ClinicalDocument", CDA),
    ("urn:hl7-org:v3", "Document", SPL),
    ("http://hl7.org/fhir", r"\w+", FHIR_XML),
    ("", "PubmedArticleSet|PubmedBookArticleSet|PubmedArticle|MedlineCitationSet", PUBMED),
    ("", "clinical_study", TRIAL),
    ("https://admin-shell.io/aas/", "environment", AAS_XML),
    ("http://www.admin-shell.io/aas/", "aasenv", AAS_XML),
    ("http://opcfoundation.org/UA/", "UANodeSet", NODESET),
    ("", "MTConnect(Devices|Streams|Assets|Error)", MTCONNECT),
    ("", r"(?i:(Publish|Sync|Query|Create|Update|Notify)\w*WO\w*|workorders?)", WORK_ORDERS),
)
_TEXTS = (
    (re.compile(r"\x0b?(MSH|FHS|BHS)[^\w\s]"), HL7V2),
    (re.compile(r"ISO-10303-21\s*;"), STEP),
)
_PROLOG = re.compile(
    r"(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>|[\s\ufeff])*", re.DOTALL
)
_TAG = re.compile(r"<(?:([\w.-]+):)?([\w.-]+)((?:\s[^<>]*)?)")


def of_xml(text: str) -> str | None:
    """Return the media type that an XML text's root element tells, if it is a known one."""
    prolog = _PROLOG.match(text)
    tag = _TAG.match(text, prolog.end() if prolog else 0)
    if tag is None:
        return None
    prefix, name, attributes = tag.group(1), tag.group(2), tag.group(3)
    declared = re.search(
        rf"""\sxmlns{":" + re.escape(prefix) if prefix else ""}\s*=\s*["']([^"']*)""", attributes
    )
    namespace = declared.group(1) if declared else ""
    for start, names, media_type in _ROOTS:
        if namespace.startswith(start) and re.fullmatch(names, name):
            return media_type
    is_jats = name == "article" and re.search(r"\s(article-type|dtd-version)\s*=", attributes)
    return JATS if is_jats else None


def of_text(text: str) -> str | None:
    """Return the media type that the first words of a text tell, if they are known ones."""
    start = text.lstrip("\ufeff \t\r\n")
    return next((found for words, found in _TEXTS if words.match(start)), None)
