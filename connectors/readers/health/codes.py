"""Codes of clinical vocabularies, with one name for a vocabulary in every format."""

from __future__ import annotations

from connectors.readers.text import clean

# HL7 v2 (table 0396), OIDs and URLs of one vocabulary.
_NAMES = {
    "LOINC": ("ln", "2.16.840.1.113883.6.1", "loinc.org"),
    "SNOMED CT": ("sct", "snm", "2.16.840.1.113883.6.96", "snomed.info/sct"),
    "RxNorm": ("rxnorm", "2.16.840.1.113883.6.88", "www.nlm.nih.gov/research/umls/rxnorm"),
    "CVX": ("cvx", "2.16.840.1.113883.12.292", "hl7.org/fhir/sid/cvx"),
    "NDC": ("ndc", "2.16.840.1.113883.6.69", "hl7.org/fhir/sid/ndc"),
    "ICD-10": ("i10", "icd10", "2.16.840.1.113883.6.3", "hl7.org/fhir/sid/icd-10"),
    "ICD-10-CM": ("i10c", "icd10cm", "2.16.840.1.113883.6.90", "hl7.org/fhir/sid/icd-10-cm"),
    "ICD-9-CM": ("i9", "i9c", "icd9", "2.16.840.1.113883.6.103", "hl7.org/fhir/sid/icd-9-cm"),
    "CPT": ("c4", "cpt", "2.16.840.1.113883.6.12", "www.ama-assn.org/go/cpt"),
    "UNII": ("unii", "2.16.840.1.113883.4.9", "fdasis.nlm.nih.gov"),
}
_BY_SPELLING = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}


def code_of(system: str, code: str) -> str:
    """Return a code behind its vocabulary's name: `LOINC 2823-3`; without one, the code alone."""
    bare = clean(system).removeprefix("urn:oid:").partition("://")
    key = (bare[2] or bare[0]).rstrip("/").lower()
    name = _BY_SPELLING.get(key, "" if key.startswith("2.16.") else clean(system))
    return clean(f"{name} {code}") if code else ""
