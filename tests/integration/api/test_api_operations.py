"""Health, readiness, sources, limits, headers, and who may use which route."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import httpx
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from assistant.access.roles import PERMISSIONS, Permission
from assistant.api.app import ROUTERS, description
from assistant.api.deps import Permitted
from assistant.audit.log import AuditLog
from assistant.domain import Role
from assistant.store import runs, sources
from assistant.store.database import Database
from assistant.wiring import Assistant
from tests.integration.api.conftest import SignIn
from tests.support.company import Company
from tests.support.scripted import ScriptedGenerator

OPEN = {("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/v1/sessions")}

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def name(route: APIRoute) -> tuple[str, str]:
    methods = sorted(route.methods or [])
    assert len(methods) == 1
    return methods[0], route.path


def permissions(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, Permitted):
        yield dependant.call.permission
    for inner in dependant.dependencies:
        yield from permissions(inner)


def declared(route: APIRoute) -> list[Permission]:
    return list(permissions(route.dependant))


def test_every_route_declares_exactly_one_permission() -> None:
    for route in ROUTES:
        n_expected = 0 if name(route) in OPEN else 1
        assert len(declared(route)) == n_expected, name(route)
    paths = description()["paths"]
    assert {(m.upper(), p) for p, methods in paths.items() for m in methods} == {
        name(route) for route in ROUTES
    }
    assert len(ROUTES) == len({name(route) for route in ROUTES})


def test_each_role_uses_exactly_its_routes(sign_in: SignIn, company: Company, url: str) -> None:
    """Every role at every route: 401 without a token, 403 without the permission, else neither."""
    clients = {}
    for role in get_args(Role):
        company.person(f"only-{role}", roles=[role])
        clients[role] = sign_in(f"only-{role}")
    # Signing out ends the session: it comes last.
    for route in sorted(ROUTES, key=lambda route: name(route)[1] == "/v1/sessions/current"):
        if name(route) in OPEN:
            continue
        method, path = name(route)
        filled = re.sub(r"{\w+}", "1", path)
        assert httpx.request(method, url + filled, json={}).status_code == 401, name(route)
        (permission,) = declared(route)
        for role, client in clients.items():
            status = client.request(method, filled, json={}).status_code
            assert status != 401, (role, name(route))
            assert (status == 403) == (role not in PERMISSIONS[permission]), (role, name(route))
            assert status < 500


def test_unknown_paths_and_methods_are_problems(url: str) -> None:
    missing = httpx.get(f"{url}/v1/nothing")
    assert missing.status_code == 404
    assert missing.json()["type"] == "urn:assistant:problem:not-found"
    wrong = httpx.get(f"{url}/v1/chat")
    assert wrong.status_code == 405
    assert wrong.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{url}/openapi.json").status_code == 404
    assert httpx.get(f"{url}/docs").status_code == 404


def test_every_response_carries_the_protective_headers(sign_in: SignIn, url: str) -> None:
    for response in (
        httpx.get(f"{url}/healthz"),
        httpx.get(f"{url}/v1/me"),
        sign_in("ana").get("/v1/me"),
        sign_in("ana").post("/v1/chat", json={"question": "net income"}),
        httpx.get(f"{url}/nothing", headers={"Origin": "https://elsewhere.example"}),
    ):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in response.headers


def test_large_bodies_are_refused_with_and_without_a_length(sign_in: SignIn) -> None:
    ana = sign_in("ana")
    body = json.dumps({"question": "x" * 1_100_000}).encode()
    for content in (body, iter([body[:600_000], body[600_000:]])):
        refused = ana.post(
            "/v1/answers", content=content, headers={"Content-Type": "application/json"}
        )
        assert refused.status_code == 413
        assert refused.headers["content-type"] == "application/problem+json"
    broken = ana.post("/v1/answers", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 422


def test_readiness_names_what_fails(
    url: str, generator: ScriptedGenerator, assistant: Assistant
) -> None:
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{url}/readyz")
    assert ready.status_code == 200
    checks: dict[str, Any] = ready.json()["checks"]
    assert set(checks) == {"database", "index", "audit", "generator"}
    assert checks["index"]["detail"].startswith("4 passages")
    assert checks["generator"] == {"ok": True, "detail": "scripted"}


def test_an_assistant_that_can_not_answer_is_not_ready(
    url: str, generator: ScriptedGenerator
) -> None:
    generator.broken = "The model server is away; start it."
    ready = httpx.get(f"{url}/readyz")
    assert ready.status_code == 503
    assert ready.json()["status"] == "unavailable"
    assert ready.json()["checks"]["generator"] == {"ok": False, "detail": generator.broken}
    assert ready.json()["checks"]["database"]["ok"]


def test_operators_see_sources_and_runs_but_no_configuration(
    sign_in: SignIn, company: Company, database: Database
) -> None:
    with database.begin() as conn:
        sources.put_source(conn, "other", "files", {"folder": "/x", "password": "hunter2"})
        lease = sources.acquire_lease(conn, company.source_id, 60)
        run_id = runs.start_run(conn, lease)
        runs.finish_run(conn, lease, run_id, "done", runs.Work({"added": 3}))
    company.person("ines", roles=["integrator"])
    ines = sign_in("ines")
    found = ines.get("/v1/connectors").json()["connectors"]
    assert [(one["name"], one["n_documents"]) for one in found] == [("intranet", 3), ("other", 0)]
    assert "hunter2" not in json.dumps(found)
    for params in ({}, {"source": "intranet"}):
        listed = ines.get("/v1/sync-runs", params=params).json()["sync_runs"]
        assert [(run["source"], run["counts"]) for run in listed] == [("intranet", {"added": 3})]
    assert ines.get("/v1/sync-runs", params={"source": "other"}).json()["sync_runs"] == []
    assert ines.get("/v1/sync-runs", params={"source": "missing"}).status_code == 404


def test_the_log_is_sealed_when_the_server_stops(assistant: Assistant, sign_in: SignIn) -> None:
    sign_in("ana").get("/v1/me")
    assert AuditLog(assistant.database, assistant.settings.data_dir).verify().ok
