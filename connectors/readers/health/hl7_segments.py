"""What the segments of HL7 v2 say: the kind of record each makes, and which fields it has.

Numbers are those of version 2.9, which keeps fields of older versions in their place. A field is
`(key, number, data type)`, or `(key, number, "@table")` for a code of a small table.
"""

from __future__ import annotations

from dataclasses import dataclass

Entry = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A record: its kind, the field that heads its sentence, the fields that follow."""

    kind: str
    head: tuple[Entry, ...]
    fields: tuple[Entry, ...]


def _kind(kind: str, head: str, fields: str) -> Kind:
    """Read `key:number:type` entries; a head of several is the first one that is filled."""
    return Kind(kind, _entries(head), _entries(fields))


def _entries(written: str) -> tuple[Entry, ...]:
    found = []
    for entry in written.split():
        key, number, how = entry.split(":")
        found.append((key, int(number), how.replace("_", " ")))
    return tuple(found)


KINDS: dict[str, Kind] = {
    "PV1": _kind(
        "encounter",
        "class:2:@class",
        "location:3:PL admission_type:4:CWE previous_location:6:PL attending:7:XCN referring:8:XCN "
        "consulting:9:XCN service:10:CWE admission_source:14:CWE vip:16:CWE admitting:17:XCN "
        "patient_type:18:CWE financial_class:20:JCC disposition:36:CWE discharged_to:37:JCC "
        "admitted:44:TS discharged:45:TS",
    ),
    "PV2": _kind(
        "encounter_detail",
        "reason:3:CWE",
        "accommodation:2:CWE transfer_reason:4:CWE instructions:6:CWE expected_admission:8:TS "
        "expected_discharge:9:TS visit_reason:12:ST referral_source:13:XCN organization:23:XON "
        "visit_priority:25:CWE mode_of_arrival:38:CWE",
    ),
    "DG1": _kind(
        "condition",
        "diagnosis:3:CWE description:4:ST",
        "date:5:TS type:6:@diagnosis diagnosed_by:16:XCN",
    ),
    "PRB": _kind(
        "condition",
        "problem:3:CWE",
        "action:1:ST date:2:TS established:7:TS anticipated_resolution:8:TS resolved:9:TS "
        "confirmation:13:CWE status:14:CWE onset:16:TS onset_text:17:ST",
    ),
    "GOL": _kind("goal", "goal:3:CWE", "action:1:ST date:2:TS established:7:TS status:18:CWE"),
    "AL1": _kind(
        "allergy_intolerance",
        "allergen:3:CWE",
        "type:2:@allergy severity:4:@severity reaction:5:ST onset:6:TS",
    ),
    "IAM": _kind(
        "allergy_intolerance",
        "allergen:3:CWE",
        "type:2:@allergy severity:4:@severity reaction:5:ST action:6:CWE sensitivity:9:CWE "
        "onset:11:TS onset_text:12:ST reported:13:TS status:17:CWE",
    ),
    "IAR": _kind("allergy_reaction", "reaction:1:CWE", "severity:2:@severity sensitivity:3:CWE"),
    "ORC": _kind(
        "order",
        "control:1:@order",
        "placer_order:2:EI filler_order:3:EI placer_group:4:EI status:5:@order_status "
        "transaction_date:9:TS entered_by:10:XCN requester:12:XCN effective:15:TS reason:16:CWE "
        "ordering_facility:21:XON",
    ),
    "OBR": _kind(
        "service_request",
        "service:4:CWE",
        "placer_order:2:EI filler_order:3:EI priority:5:ST date:7:TS ended:8:TS danger:12:CWE "
        "relevant_clinical_information:13:CWE specimen_received:14:TS specimen:15:CWE "
        "requester:16:XCN reported:22:TS section:24:ST status:25:@result copies_to:28:XCN "
        "reason:31:CWE interpreter:32:JCC technician:34:JCC scheduled:36:TS procedure:44:CWE",
    ),
    "SPM": _kind(
        "specimen",
        "type:4:CWE",
        "collection_method:7:CWE site:8:CWE role:11:CWE amount:12:JCC handling:15:CWE "
        "collected:17:DR received:18:TS rejected:21:CWE condition:24:CWE container:27:CWE",
    ),
    "RXA": _kind(
        "immunization",
        "vaccine:5:CWE",
        "date:3:TS ended:4:TS amount:6:ST unit:7:CWE form:8:CWE source:9:CWE performer:10:XCN "
        "location:11:PL strength:13:ST lot:15:ST expires:16:TS manufacturer:17:CWE refusal:18:CWE "
        "reason:19:CWE status:20:@completion",
    ),
    "RXO": _kind(
        "medication_request",
        "medication:1:CWE",
        "dose:2:ST maximum_dose:3:ST unit:4:CWE form:5:CWE instructions:6:CWE "
        "administration:7:CWE dispense_amount:11:ST refills:13:ST requester:14:XCN strength:18:ST "
        "strength_unit:19:CWE reason:20:CWE",
    ),
    "RXE": _kind(
        "medication_request",
        "medication:2:CWE",
        "dose:3:ST maximum_dose:4:ST unit:5:CWE form:6:CWE administration:7:CWE "
        "dispense_amount:10:ST dispense_unit:11:CWE refills:12:ST requester:13:XCN "
        "prescription:15:ST rate:23:ST strength:25:ST strength_unit:26:CWE reason:27:CWE",
    ),
    "RXD": _kind(
        "medication_dispense",
        "medication:2:CWE",
        "date:3:TS dose:4:ST unit:5:CWE form:6:CWE prescription:7:ST note:9:ST performer:10:XCN "
        "strength:16:ST strength_unit:17:CWE lot:18:ST",
    ),
    "RXG": _kind(
        "medication_give", "medication:4:CWE", "dose:5:ST unit:7:CWE form:8:CWE note:9:CWE"
    ),
    "RXR": _kind("medication_route", "route:1:CWE", "site:2:CWE device:3:CWE method:4:CWE"),
    "RXC": _kind("medication_component", "component:2:CWE", "type:1:ST amount:3:ST unit:4:CWE"),
    "TQ1": _kind(
        "timing",
        "text:11:ST",
        "quantity:2:JCC repeat:3:JCC times:4:ST duration:6:JCC started:7:TS ended:8:TS "
        "priority:9:CWE condition:10:ST",
    ),
    "PR1": _kind(
        "procedure",
        "procedure:3:CWE description:4:ST",
        "performed:5:TS type:6:CWE minutes:7:ST anesthesiologist:8:XCN surgeon:11:XCN "
        "practitioner:12:XCN diagnosis:15:CWE modifier:16:CWE",
    ),
    "SCH": _kind(
        "appointment",
        "reason:7:CWE event_reason:6:CWE",
        "placer_appointment:1:EI filler_appointment:2:EI type:8:CWE duration:9:ST "
        "duration_unit:10:CWE timing:11:JCC contact:12:XCN filler_contact:16:XCN "
        "entered_by:20:XCN status:25:CWE",
    ),
    "AIS": _kind(
        "booked_service",
        "service:3:CWE",
        "started:4:TS duration:7:ST duration_unit:8:CWE status:10:CWE",
    ),
    "AIG": _kind(
        "booked_resource",
        "resource:3:CWE type:4:CWE",
        "type:4:CWE quantity:6:ST started:8:TS duration:11:ST duration_unit:12:CWE status:14:CWE",
    ),
    "AIL": _kind(
        "booked_location",
        "location:3:PL",
        "type:4:CWE started:6:TS duration:9:ST duration_unit:10:CWE status:12:CWE",
    ),
    "AIP": _kind(
        "booked_person",
        "person:3:XCN",
        "role:4:CWE started:6:TS duration:9:ST duration_unit:10:CWE status:12:CWE",
    ),
    "TXA": _kind(
        "document",
        "title:25:ST type:2:CWE",
        "type:2:CWE date:4:TS provider:5:XCN originated:6:TS transcribed:7:TS originator:9:XCN "
        "authenticator:10:XCN document:12:EI parent_document:13:EI file:16:ST "
        "status:17:@document availability:19:ST",
    ),
    "NK1": _kind(
        "related_person",
        "name:2:XPN",
        "relationship:3:CWE address:4:XAD telephone:5:XTN role:7:CWE birth_date:16:TS",
    ),
    "PD1": _kind(
        "patient_detail",
        "living:2:CWE",
        "facility:3:XON primary_care:4:XCN place_of_worship:14:XON immunization_status:16:CWE",
    ),
    "GT1": _kind(
        "guarantor",
        "name:3:XPN",
        "address:5:XAD telephone:6:XTN type:10:CWE relationship:11:CWE employer:16:XPN",
    ),
    "IN1": _kind(
        "coverage",
        "plan:2:CWE",
        "company:4:XON company_address:5:XAD group:8:ST group_name:9:XON effective:12:TS "
        "expires:13:TS type:15:CWE insured:16:XPN relationship:17:CWE policy:36:ST",
    ),
    "MRG": _kind("merged_patient", "prior_identifier:1:CX", "prior_account:3:CX prior_name:7:XPN"),
    "FT1": _kind(
        "charge",
        "service:7:CWE description:8:ST",
        "batch:3:ST date:4:DR posted:5:TS type:6:@transaction quantity:10:ST amount:11:JCC "
        "unit_amount:12:JCC department:13:CWE diagnosis:19:CWE performer:20:XCN requester:21:XCN "
        "procedure:25:CWE",
    ),
    "ROL": _kind("participant", "person:4:XCN", "role:3:CWE started:5:TS ended:6:TS"),
    "PRT": _kind(
        "participant",
        "person:5:XCN organization:8:XON location:9:PL device:10:EI",
        "role:4:CWE organization:8:XON location:9:PL started:11:TS ended:12:TS",
    ),
    "RF1": _kind(
        "referral",
        "reason:10:CWE type:3:CWE",
        "status:1:CWE priority:2:CWE type:3:CWE disposition:4:CWE category:5:CWE "
        "effective:7:TS expires:8:TS processed:9:TS",
    ),
    "PRD": _kind("provider", "name:2:XPN", "role:1:CWE address:3:XAD location:4:PL contact:5:XTN"),
    "CTD": _kind("contact", "name:2:XPN", "role:1:CWE address:3:XAD telephone:5:XTN"),
    "AUT": _kind(
        "authorization",
        "plan:1:CWE",
        "company:3:ST effective:4:TS expires:5:TS authorization:6:EI limit:7:JCC",
    ),
    "ACC": _kind("accident", "code:2:CWE", "date:1:TS location:3:ST state:4:CWE"),
    "DB1": _kind(
        "disability",
        "person:2:CWE",
        "disabled:4:@yes started:5:TS ended:6:TS unable_from:7:TS unable_to:8:TS",
    ),
    "MSA": _kind("acknowledgement", "code:1:ST", "message:2:ST text:3:ST error:6:CWE"),
    "ERR": _kind(
        "error", "text:8:ST code:3:CWE", "location:2:JCC code:3:CWE severity:4:ST details:7:ST"
    ),
    "PDA": _kind("death", "cause:1:CWE", "location:2:PL certified:4:TS certified_by:5:XCN"),
    "ODS": _kind("diet", "diet:3:CWE", "type:1:ST service_period:2:CWE instructions:4:ST"),
    "EVN": _kind(
        "event", "reason:4:CWE", "recorded:2:TS planned:3:TS operator:5:XCN occurred:6:TS"
    ),
}
"""Segment → the record that it makes. PID, OBX and NTE have their own code; others are generic."""

MERGES = frozenset({"A18", "A30", "A34", "A36", "A39", "A40", "A47"})
"""Events that say of two patient ids that they are one patient's."""

SILENT = frozenset({"MSH", "SFT", "UAC", "DSC", "RGS", "ADD", "BTX"})
"""Segments about the sending program or the order of others: nothing that a person asks for."""

EVENTS = {
    "A01": "admission", "A02": "transfer", "A03": "discharge", "A04": "registration",
    "A05": "pre-admission", "A06": "outpatient becomes inpatient",
    "A07": "inpatient becomes outpatient", "A08": "update of patient information",
    "A09": "patient departing", "A10": "patient arriving", "A11": "admission cancelled",
    "A12": "transfer cancelled", "A13": "discharge cancelled", "A14": "pending admission",
    "A15": "pending transfer", "A16": "pending discharge", "A17": "swap of patients",
    "A18": "merge of patient information", "A19": "patient query", "A20": "bed status update",
    "A21": "leave of absence", "A22": "return from leave of absence", "A23": "record deleted",
    "A24": "link of patient information", "A25": "pending discharge cancelled",
    "A26": "pending transfer cancelled", "A27": "pending admission cancelled",
    "A28": "person added", "A29": "person deleted", "A31": "update of person information",
    "A34": "merge of patient ids", "A37": "unlink of patient information",
    "A38": "pre-admission cancelled", "A40": "merge of patient ids", "A41": "merge of accounts",
    "A44": "move of account", "A47": "change of patient id", "A54": "change of attending doctor",
    "A60": "update of allergies", "O01": "order", "O02": "order response", "O03": "diet order",
    "O09": "pharmacy order", "O11": "pharmacy order", "O19": "general order",
    "O21": "laboratory order", "O23": "imaging order", "O25": "pharmacy order, encoded",
    "R01": "observation result", "R21": "laboratory observation", "R22": "specimen result",
    "R23": "specimen container result", "R30": "point-of-care result",
    "R32": "point-of-care result",
    "R40": "alarm", "S12": "new appointment", "S13": "appointment rescheduled",
    "S14": "appointment modified", "S15": "appointment cancelled",
    "S16": "appointment discontinued", "S17": "appointment deleted",
    "S26": "patient did not come to the appointment", "T01": "document notification",
    "T02": "document and content", "T04": "document status change", "T06": "document addendum",
    "T08": "document edited", "T10": "document replaced", "T11": "document cancelled",
    "T05": "document addendum notification", "T09": "document replacement notification",
    "V04": "vaccination update", "P01": "account added", "P03": "charges posted",
    "P05": "account updated", "P06": "account ended", "P12": "diagnoses and procedures updated",
    "I12": "referral", "I13": "referral modified", "I14": "referral cancelled",
    "I15": "referral status request", "PC1": "problem added", "PC2": "problem updated",
    "PC3": "problem deleted", "Q01": "query", "Q11": "query", "K11": "query response",
}  # fmt: skip
"""Trigger events (table 0003) in English."""
