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
    ("urn:hl7-org:v3", "[Dd]ocument", SPL),
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


def root(text: str) -> str:
    """The first element of an XML text as `{namespace}name`, without `{}` where it has none."""
    match = re.match(r"<(?:([\w.-]+):)?([\w.-]+)([^>]*)", after_prolog(text.lstrip("\ufeff")))
    if match is None:
        return ""
    prefix, name, attributes = match.groups()
    declared = f"xmlns:{prefix}" if prefix else "xmlns"
    namespace = re.search(rf"(?<!\S){re.escape(declared)}\s*=\s*[\"']([^\"']*)", attributes)
    return f"{{{namespace[1]}}}{name}" if namespace else name


def after_prolog(text: str) -> str:
    """An XML text from its first element on."""
    return re.sub(
        r"^(<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(\[.*?\])?\s*>|\s)*", "", text, flags=re.S
    )


def of_xml(text: str) -> str | None:
    """Return the media type that an XML text's root element tells, if it is a known one."""
    namespace, _, name = root(text).rpartition("}")
    for start, names, media_type in _ROOTS:
        if namespace[1:].startswith(start) and re.fullmatch(names, name):
            return media_type
    if name == "article":
        tag = after_prolog(text.lstrip("\ufeff")).partition(">")[0]
        return JATS if re.search(r"\s(article-type|dtd-version)\s*=", tag) else None
    return None


def of_text(text: str) -> str | None:
    """Return the media type that the first words of a text tell, if they are known ones."""
    start = text.lstrip("\ufeff \t\r\n")
    return next((found for words, found in _TEXTS if words.match(start)), None)
