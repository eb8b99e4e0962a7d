from __future__ import annotations

import pytest

from connectors.readers import vocabularies as v


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<?xml version="1.0"?><!-- a > b --><ClinicalDocument xmlns="urn:hl7-org:v3">', v.CDA),
        ('<c:ClinicalDocument xmlns:x="y" xmlns:c="urn:hl7-org:v3"/>', v.CDA),
        ('\ufeff<document xmlns="urn:hl7-org:v3">', v.SPL),
        ('<ClinicalDocument xmlns="urn:other">', None),
        ('<Patient xmlns="http://hl7.org/fhir">', v.FHIR_XML),
        ('<!DOCTYPE PubmedArticleSet PUBLIC "a" "b">\n<PubmedArticleSet>', v.PUBMED),
        ('<article article-type="research-article">', v.JATS),
        ("<article>", None),
        ('<environment xmlns="https://admin-shell.io/aas/3/1">', v.AAS_XML),
        ("<MTConnectStreams>", v.MTCONNECT),
        ("<r/>", None),
        ("no XML at all", None),
        ("<!-- never ends", None),
    ],
)
def test_roots_tell_the_vocabulary(text: str, expected: str | None) -> None:
    assert v.of_xml(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff\nMSH|^~\\&|", v.HL7V2),
        ("\x0bMSH|^~\\&|", v.HL7V2),
        ("BHS#", v.HL7V2),
        ("MSHA is a name", None),
        ("ISO-10303-21;", v.STEP),
    ],
)
def test_first_words_tell_the_format(text: str, expected: str | None) -> None:
    assert v.of_text(text) == expected
