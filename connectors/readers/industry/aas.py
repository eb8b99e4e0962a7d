"""Asset Administration Shells (IDTA 01001, versions 2 and 3): each element as a record.

The reader works on the JSON form; XML is brought into it (`industry.aas_xml`). Elements keep their
path in the submodel, their semantic id, and the unit that their concept description defines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.readers.errors import ReadError
from connectors.readers.model import Reading
from connectors.readers.record import Quantity, Value, decimal, moment, snake
from connectors.readers.register import Register, shown
from connectors.readers.source import Source
from connectors.readers.text import best_title, clean

JSON = "application/asset-administration-shell+json"

_PARTS = ("assetAdministrationShells", "submodels", "conceptDescriptions", "assets")
_NESTED = frozenset({"SubmodelElementCollection", "SubmodelElementList"})
_MAX_DEPTH = 30
_NUMBERS = re.compile(r"(unsigned|positive|negative|non)?(int|integer|long|short|byte|decimal)$|"
                      r"(non(Negative|Positive)|unsigned|positive|negative)\w*|float|double",
                      re.IGNORECASE)  # fmt: skip


def is_environment(value: Any) -> bool:
    """Whether a JSON value is an environment, or a single shell or submodel."""
    if not isinstance(value, dict):
        return False
    if model_of(value) in ("Submodel", "AssetAdministrationShell"):
        return True
    parts = [value[part] for part in _PARTS if isinstance(value.get(part), list)]
    return any(
        isinstance(one, dict) and ("idShort" in one or "id" in one or "identification" in one)
        for part in parts
        for one in part
    ) and ("submodels" in value or "assetAdministrationShells" in value)


def read(value: dict[str, Any], source: Source) -> Reading:
    """Read an environment in JSON."""
    return read_environment(value, source, JSON)


def read_environment(
    value: dict[str, Any], source: Source, media_type: str, register: Register | None = None
) -> Reading:
    """Word an environment; raises `ReadError` if it has neither shells nor submodels."""
    register = register or Register(cap=source.limits.rows)
    match model_of(value):
        case "Submodel":
            value = {"submodels": [value]}
        case "AssetAdministrationShell":
            value = {"assetAdministrationShells": [value]}
    shells, submodels, concepts = (objects(value.get(part)) for part in _PARTS[:3])
    if not (shells or submodels or concepts):
        raise ReadError("empty", "The file holds no shell, no submodel and no concept.")
    telling = _Telling(register, {id_of(c): _concept(c) for c in reversed(concepts)})
    assets = {id_of(a): a for a in objects(value.get("assets"))}
    for shell in shells:
        telling.shell(shell, assets)
    for submodel in submodels:
        telling.submodel(submodel)
    telling.concepts(concepts)
    title = _label((shells or submodels or concepts)[0])
    return Reading(
        media_type,
        best_title(title, register.outline.first_heading, source.name),
        tuple(register.outline.blocks),
        None,
        tuple(register.records),
        tuple(register.warnings),
    )


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, or a single one."""
    found = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]


def model_of(element: dict[str, Any]) -> str:
    """The model type, which version 2 wraps in an object."""
    found = element.get("modelType")
    found = found.get("name") if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def id_of(element: dict[str, Any]) -> str:
    """The global id, in version 2 an `identification`."""
    found = element.get("id") or element.get("identification")
    return _text(found.get("id") if isinstance(found, dict) else found)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else clean(
        str(getattr(value, "raw", value))
    )  # fmt: skip


def languages(value: Any) -> dict[str, str]:
    """Texts by language, of a list of language strings or of version 2's `langString`."""
    if isinstance(value, dict) and "langString" in value:
        value = value["langString"]
    return {
        _text(one.get("language")): text
        for one in objects(value)
        if (text := _text(one.get("text")))
    }


def _preferred(value: Any) -> str:
    texts = languages(value)
    return texts.get("en") or next(iter(texts.values()), "")


def keys_of(reference: Any) -> list[str]:
    """The values of a reference's keys."""
    keys = objects(reference.get("keys")) if isinstance(reference, dict) else []
    return [text for key in keys if (text := _text(key.get("value")))]


def _label(element: dict[str, Any]) -> str:
    return _preferred(element.get("displayName")) or _text(element.get("idShort"))


@dataclass(frozen=True, slots=True)
class _Concept:
    name: str
    definition: str
    unit: str


def _concept(description: dict[str, Any]) -> _Concept:
    for one in objects(description.get("embeddedDataSpecifications")):
        content = one.get("dataSpecificationContent")
        if isinstance(content, dict):
            content = content.get("dataSpecificationIec61360", content)
        if isinstance(content, dict):
            return _Concept(
                _preferred(content.get("preferredName")) or _label(description),
                _preferred(content.get("definition")) or _preferred(description.get("description")),
                _text(content.get("unit")),
            )
    return _Concept(_label(description), _preferred(description.get("description")), "")


class _Telling:
    """The elements of an environment, with the concepts that explain them."""

    def __init__(self, register: Register, concepts: dict[str, _Concept]) -> None:
        self._register = register
        self._concepts = concepts
        self._assets: dict[str, str] = {}
        self._subject = ""
        self._submodel: dict[str, Any] = {}

    def shell(self, shell: dict[str, Any], assets: dict[str, dict[str, Any]]) -> None:
        """Add a shell with the asset that it stands for."""
        about = shell.get("assetInformation")
        about = about if isinstance(about, dict) else {}
        by_reference = keys_of(shell.get("asset")) or keys_of(shell.get("assetRef"))
        asset = assets.get(by_reference[-1] if by_reference else "", {})
        number = about.get("globalAssetId")
        own = _text(number) or (keys_of(number) or by_reference or [""])[-1] or id_of(shell)
        submodels = [keys_of(one) for one in objects(shell.get("submodels"))]
        self._assets |= {keys[-1]: own for keys in submodels if keys}
        specific = [
            f"{_text(one.get('name'))} {_text(one.get('value'))}"
            for one in objects(about.get("specificAssetIds"))
        ]
        name = _label(shell)
        self._register.outline.heading(name or id_of(shell), 1)
        self._register.state(
            "asset",
            name,
            {
                "name": name,
                "asset": own,
                "kind": _text(about.get("assetKind")) or _text(asset.get("kind")),
                "type": _text(about.get("assetType")),
                "specific_ids": tuple(specific),
                "description": _preferred(shell.get("description")),
                "shell": id_of(shell),
                "submodels": tuple(keys[-1] for keys in submodels if keys),
            },
            record_id=id_of(shell),
            subject=f"asset:{own}" if own else "",
            silent=("name",),
        )

    def submodel(self, submodel: dict[str, Any]) -> None:
        """Add a submodel and all its elements."""
        number = id_of(submodel)
        asset = self._assets.get(number, "")
        self._subject = f"asset:{asset}" if asset else ""
        self._submodel = submodel
        version = submodel.get("administration")
        version = version if isinstance(version, dict) else {}
        parts = (_text(version.get("version")), _text(version.get("revision")))
        self._register.outline.heading(_label(submodel) or number, 2)
        self._register.state(
            "submodel",
            _label(submodel),
            {
                "name": _label(submodel),
                "description": _preferred(submodel.get("description")),
                "version": ".".join(filter(None, parts)),
                "kind": _text(submodel.get("kind")),
                "semantic_id": _last(submodel.get("semanticId")),
            },
            record_id=number,
            subject=self._subject,
            silent=("name",),
        )
        self._elements(objects(submodel.get("submodelElements")), "", 3)

    def concepts(self, descriptions: list[dict[str, Any]]) -> None:
        """Add the concept descriptions."""
        if descriptions:
            self._register.outline.heading("Concepts", 1)
        for description in descriptions:
            number, concept = id_of(description), _concept(description)
            self._register.state(
                "concept",
                concept.name,
                {
                    "name": concept.name,
                    "definition": concept.definition,
                    "unit": concept.unit,
                    "semantic_id": number,
                },
                record_id=number,
                silent=("name",),
            )

    def _elements(self, elements: list[dict[str, Any]], above: str, level: int) -> None:
        for n, element in enumerate(elements):
            name = _text(element.get("idShort")) or f"[{n}]"
            path = above + name if name.startswith("[") else f"{above}.{name}".strip(".")
            self._element(element, path, level)

    def _element(self, element: dict[str, Any], path: str, level: int) -> None:
        model = model_of(element)
        inner = self._inner(element, model)
        concept = self._concepts.get(_last(element.get("semanticId")))
        label = _preferred(element.get("displayName")) or _text(element.get("idShort"))
        label = label or (concept.name if concept else "") or path.rpartition(".")[2]
        description = _preferred(element.get("description"))
        values: dict[str, Value | None] = {
            "name": label,
            "path": path,
            **self._value(element, model, concept.unit if concept else ""),
            "description": description,
            "submodel": _text(self._submodel.get("idShort")),
            "semantic_id": _last(element.get("semanticId")),
        }
        own = f"{id_of(self._submodel)}#{path}"
        kind = snake(model or "element")
        if inner and level <= _MAX_DEPTH:
            self._register.outline.heading(label, level)
            if description:
                self._register.outline.paragraph(description)
            self._register.note(kind, values, record_id=own, subject=self._subject)
            self._elements(inner, path, level + 1)
            return
        if inner:
            self._register.warn(f"Elements nested deeper than {_MAX_DEPTH} levels were left out.")
        told = _told(values)
        explained = description or (concept.definition if concept else "")
        sentence = f"{label}: {told}" if told else label
        self._register.state(
            kind,
            "",
            values,
            record_id=own,
            subject=self._subject,
            told=f"{sentence} — {explained}" if explained else sentence,
        )

    def _inner(self, element: dict[str, Any], model: str) -> list[dict[str, Any]]:
        if model in _NESTED:
            return objects(element.get("value"))
        if model == "Entity":
            return objects(element.get("statements"))
        if model == "AnnotatedRelationshipElement":
            return objects(element.get("annotations"))
        if model == "Operation":
            return list(_variables(element))
        return []

    def _value(self, element: dict[str, Any], model: str, unit: str) -> dict[str, Value | None]:
        value = element.get("value")
        kind = _type_of(element)
        match model:
            case "MultiLanguageProperty":
                texts = languages(value)
                return {f"value_{lang}": text for lang, text in texts.items()}
            case "Range":
                ends = [_typed(_text(element.get(end)), kind, unit) for end in ("min", "max")]
                return {"minimum": ends[0], "maximum": ends[1], "value_type": kind}
            case "File" | "Blob":
                media = _text(element.get("contentType") or element.get("mimeType"))
                is_file = model == "File"
                return {"file": _text(value) if is_file else "", "media_type": media}
            case "ReferenceElement":
                return {"refers_to": " › ".join(keys_of(value))}
            case "RelationshipElement" | "AnnotatedRelationshipElement":
                ends_of = [" › ".join(keys_of(element.get(end))) for end in ("first", "second")]
                return {"first": ends_of[0], "second": ends_of[1]}
            case "Entity":
                asset = element.get("globalAssetId")
                return {
                    "entity_type": _text(element.get("entityType")),
                    "asset": _text(asset) or (keys_of(asset) or [""])[-1],
                }
            case "Property":
                known = self._concepts.get(_text(value))
                meaning = known.name if known else ""
                return {
                    "value": _typed(_text(value), kind, unit),
                    "meaning": meaning,
                    "value_type": kind,
                    "unit": unit,
                }
        return {}


def _variables(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("inputVariables", "outputVariables", "inoutputVariables", "inputVariable",
                "outputVariable"):  # fmt: skip
        for variable in objects(operation.get(key)):
            yield from objects(variable.get("value"))


def _type_of(element: dict[str, Any]) -> str:
    found = element.get("valueType")
    if isinstance(found, dict):
        found = found.get("dataObjectType", found)
        found = found.get("name") if isinstance(found, dict) else found
    return _text(found)


def _typed(text: str, kind: str, unit: str) -> Value | None:
    """A value by its XSD type: an amount with the concept's unit, a truth, a day, else the text."""
    bare = kind.rpartition(":")[2]
    if not text:
        return None
    if _NUMBERS.match(bare) and (number := decimal(text)) is not None:
        return Quantity(number, unit) if unit else number
    if bare == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return moment(text) if bare.startswith("date") else text


def _last(reference: Any) -> str:
    return (keys_of(reference) or [""])[-1]


def _told(values: dict[str, Value | None]) -> str:
    """The value of an element in words."""
    texts = [
        f"{shown(value)} ({key.removeprefix('value_')})"
        for key, value in values.items()
        if key.startswith("value_") and key != "value_type" and value
    ]
    if texts:
        return "; ".join(texts)
    low, high = values.get("minimum"), values.get("maximum")
    if low is not None or high is not None:
        return " to ".join("?" if end is None else shown(end) for end in (low, high))
    if values.get("first") or values.get("second"):
        return f"{values.get('first')} → {values.get('second')}"
    for key in ("value", "file", "refers_to", "asset", "media_type"):
        value = values.get(key)
        if value is not None and value != "":
            meaning = values.get("meaning")
            return shown(value) + (f" ({meaning})" if meaning else "")
    return ""
