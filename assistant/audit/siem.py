"""Audit events for security monitoring: ArcSight's CEF and the Open Cybersecurity Schema (OCSF)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from assistant import __version__

_PRODUCT = "Enterprise assistant"


class _Class(NamedTuple):
    """Where an event's type stands in OCSF 1.3, and its severity in CEF (0 to 10)."""

    category: int
    uid: int
    name: str
    activity: int
    severity: int


_AUTHENTICATION = (3, 3002, "Authentication")
_ACCOUNT = (3, 3001, "Account Change")
_ENTITY = (3, 3004, "Entity Management")
_ACCESS = (3, 3005, "User Access Management")
_API = (6, 6003, "API Activity")
_DATA = (6, 6005, "Datastore Activity")
_LIFECYCLE = (6, 6002, "Application Lifecycle")

_CLASSES = {
    "auth.signed_in": _Class(*_AUTHENTICATION, 1, 2),
    "auth.signed_out": _Class(*_AUTHENTICATION, 2, 1),
    "auth.failed": _Class(*_AUTHENTICATION, 1, 6),
    "policy.person_changed": _Class(*_ACCOUNT, 99, 6),
    "policy.person_pushed": _Class(*_ACCOUNT, 99, 6),
    "policy.group_pushed": _Class(*_ACCESS, 99, 5),
    "policy.groups_provided": _Class(*_ACCESS, 99, 5),
    "policy.key_changed": _Class(*_ACCOUNT, 99, 6),
    "access.break_glass_asked": _Class(*_ACCESS, 99, 6),
    "access.break_glass_approved": _Class(*_ACCESS, 1, 8),
    "access.break_glass_refused": _Class(*_ACCESS, 2, 6),
    "access.break_glass_ended": _Class(*_ACCESS, 2, 5),
    "access.break_glass_used": _Class(*_DATA, 1, 8),
    "access.examined": _Class(*_DATA, 1, 4),
    "backup.created": _Class(*_DATA, 1, 5),
    "backup.restored": _Class(*_LIFECYCLE, 99, 6),
    "policy.changed": _Class(*_ACCESS, 99, 6),
    "acl.changed": _Class(*_ACCESS, 99, 5),
    "connector.changed": _Class(*_ENTITY, 3, 5),
    "doc.opened": _Class(*_DATA, 1, 2),
    "doc.deleted": _Class(*_DATA, 4, 5),
    "hold.changed": _Class(*_DATA, 3, 5),
    "erasure.started": _Class(*_DATA, 4, 6),
    "erasure.done": _Class(*_DATA, 4, 6),
    "erasure.released": _Class(*_DATA, 3, 5),
    "retention.done": _Class(*_DATA, 4, 4),
    "audit.read": _Class(*_DATA, 1, 4),
    "query.accepted": _Class(*_API, 1, 1),
    "query.prompted": _Class(*_API, 2, 1),
    "query.finished": _Class(*_API, 2, 1),
    "query.refused": _Class(*_API, 99, 4),
    "query.aborted": _Class(*_API, 99, 3),
    "sync.ordered": _Class(*_LIFECYCLE, 99, 2),
    "sync.started": _Class(*_LIFECYCLE, 3, 1),
    "sync.finished": _Class(*_LIFECYCLE, 4, 1),
}
_OTHER = _Class(*_API, 99, 3)
_FAILED = frozenset({"auth.failed", "query.refused"})


def cef(body: bytes) -> bytes:
    """Return an event as one line of CEF 0, the whole event in `cs1`.

    Text of people is escaped, so that an event can't forge a second line or another field.
    """
    event = json.loads(body)
    kind = event["type"]
    at = datetime.fromisoformat(event["at"])
    head = [_PRODUCT, _PRODUCT, __version__, kind, kind.replace(".", " ").replace("_", " ")]
    fields = {
        "rt": str(int(at.timestamp() * 1000)),
        "externalId": str(event["seq"]),
        "suid": event["actor"]["person_id"],
        "outcome": "failure" if kind in _FAILED else "success",
        "cs1Label": "event",
        "cs1": body.decode(),
    }
    header = "|".join(_header(text) for text in [*head, str(_class_of(kind).severity)])
    extension = " ".join(f"{name}={_extension(text)}" for name, text in fields.items())
    return f"CEF:0|{header}|{extension}".encode() + b"\n"


def ocsf(body: bytes) -> bytes:
    """Return an event as one line of OCSF 1.3; what has no place there is in `unmapped`."""
    event = json.loads(body)
    kind, actor = event["type"], event["actor"]
    one = _class_of(kind)
    at = datetime.fromisoformat(event["at"])
    user: dict[str, Any] = {"uid": actor["person_id"], "type_id": 3 if _is_system(actor) else 1}
    if actor["roles"]:
        user["groups"] = [{"name": role} for role in actor["roles"]]
    shown: dict[str, Any] = {
        "category_uid": one.category,
        "class_uid": one.uid,
        "class_name": one.name,
        "activity_id": one.activity,
        "type_uid": one.uid * 100 + one.activity,
        "time": int(at.timestamp() * 1000),
        "severity_id": 1 if one.severity < 4 else 3,
        "status_id": 2 if kind in _FAILED else 1,
        "message": kind,
        "metadata": {
            "version": "1.3.0",
            "uid": event["id"],
            "sequence": event["seq"],
            "log_name": "audit",
            "product": {
                "name": _PRODUCT,
                "vendor_name": _PRODUCT,
                "version": __version__,
            },
        },
        "actor": {"user": user},
        "unmapped": {"type": kind, "actor": actor, "data": event["data"]},
    }
    if one.category == 3:
        shown["user"] = user
    return json.dumps(shown, ensure_ascii=False).encode() + b"\n"


def _class_of(kind: str) -> _Class:
    return _CLASSES.get(kind, _OTHER)


def _is_system(actor: dict[str, Any]) -> bool:
    return bool(actor["person_id"] == "system")


def _header(text: str) -> str:
    return _line(text.replace("\\", "\\\\").replace("|", "\\|"))


def _extension(text: str) -> str:
    return _line(text.replace("\\", "\\\\").replace("=", "\\="))


def _line(text: str) -> str:
    """Return text without line ends; CEF writes them as `\\n` and `\\r`."""
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    return "".join(ch if ch.isprintable() or ch == " " else "�" for ch in text)
