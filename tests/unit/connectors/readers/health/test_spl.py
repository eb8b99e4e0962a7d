from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from connectors.readers import ReadError, Reading
from connectors.readers.record import Quantity

Read = Callable[..., Reading]

LABEL = """<?xml version="1.0"?><document xmlns="urn:hl7-org:v3">
<code code="34391-3" displayName="HUMAN PRESCRIPTION DRUG LABEL"/><title>ASPIRIN tablet</title>
<effectiveTime value="20240302"/><setId root="set-1"/><versionNumber value="3"/>
<author><assignedEntity><representedOrganization><name>Acme Pharma</name>
</representedOrganization></assignedEntity></author>
<component><structuredBody><component><section><subject><manufacturedProduct>
<manufacturedProduct><code code="0002-1" codeSystem="2.16.840.1.113883.6.69"/><name>Aspirin</name>
<formCode displayName="TABLET"/><asEntityWithGeneric><genericMedicine><name>acetylsalicylic acid
</name></genericMedicine></asEntityWithGeneric>
<ingredient classCode="ACTIB"><quantity><numerator value="100" unit="mg"/><denominator value="1"
unit="1"/></quantity><ingredientSubstance><code code="R16CO5Y76E"
codeSystem="2.16.840.1.113883.4.9"/><name>ASPIRIN</name></ingredientSubstance></ingredient>
<ingredient classCode="IACT"><ingredientSubstance><name>STARCH</name></ingredientSubstance>
</ingredient><asContent><quantity><numerator value="100" unit="1"/></quantity>
<containerPackagedProduct><code code="0002-1-99" codeSystem="2.16.840.1.113883.6.69"/>
<formCode displayName="BOTTLE"/></containerPackagedProduct></asContent></manufacturedProduct>
<consumedIn><substanceAdministration><routeCode displayName="ORAL"/></substanceAdministration>
</consumedIn></manufacturedProduct></subject></section></component>
<component><section><title>WARNINGS</title><text><paragraph>Do not chew.</paragraph></text>
</section></component></structuredBody></component></document>"""


def test_labels_have_products_ingredients_and_text(read_bytes: Read) -> None:
    reading = read_bytes(LABEL, "a.xml")
    assert reading.media_type == "application/spl+xml"
    assert [b.text for b in reading.blocks if b.kind == "record"] == [
        "Document: ASPIRIN tablet; type: HUMAN PRESCRIPTION DRUG LABEL; date: 2024-03-02; "
        "manufacturer: Acme Pharma; version: 3; set id: set-1",
        "Product: Aspirin; generic name: acetylsalicylic acid; code: NDC 0002-1; form: TABLET; "
        "route: ORAL; packages: 100 in BOTTLE (NDC 0002-1-99)",
        "Ingredient: ASPIRIN; product: Aspirin; strength: 100 mg / 1; active: yes",
        "Ingredient: STARCH; product: Aspirin; active: no",
    ]
    assert reading.records[2].values["amount"] == Quantity(Decimal(100), "mg")
    assert reading.records[2].subject == "product:0002-1"
    assert reading.blocks[-1].text == "Do not chew."
    assert reading.blocks[-1].heading == ("ASPIRIN tablet", "WARNINGS")


def test_labels_without_sections_are_refused(read_bytes: Read) -> None:
    with pytest.raises(ReadError, match="no sections"):
        read_bytes('<document xmlns="urn:hl7-org:v3"><title>x</title></document>', "a.xml")
