"""The production shape: what no container engine here can run, the files must show."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from assistant.settings import load
from docs.reference import generate

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ON_GPU: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / "docker-compose.gpu.yml").read_text("utf-8")
)["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
GPU_LOCK = (ROOT / "requirements-gpu.lock").read_text("utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("assistant:")]

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {"api", "worker", "sealer", "ui", "postgres", "vllm"}
    assert set(OURS) == {"api", "worker", "sealer", "ui"}


@every_service
def test_a_service_has_no_rights_it_does_not_need(service: dict[str, Any]) -> None:
    user, group = map(int, service["user"].split(":"))
    assert user > 0
    assert group > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@every_service
def test_a_service_is_watched_and_started_again(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)
    assert service["restart"] == "unless-stopped"


@every_service
def test_images_are_pinned(service: dict[str, Any]) -> None:
    assert re.search(r":v?\d+\.\d+[\w.-]*$", service["image"])


def test_our_image_has_the_version_of_the_project() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {f"assistant:{PROJECT['version']}"}


@every_service
def test_ports_are_published_on_loopback_only(service: dict[str, Any]) -> None:
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), port


def test_database_and_model_are_on_the_inner_network_only() -> None:
    assert COMPOSE["networks"]["inner"]["internal"] is True
    for name in ("postgres", "vllm", "worker", "sealer"):
        assert SERVICES[name]["networks"] == ["inner"]
        assert "ports" not in SERVICES[name]


def test_only_the_sealer_has_the_key_of_the_audit_log() -> None:
    for name, service in SERVICES.items():
        mounted = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert ("sealer" in mounted) == (name == "sealer"), name
        if "data" in mounted:
            assert service["environment"]["ASSISTANT_AUDIT__SEALER"] == "separate"


def test_only_the_model_needs_a_gpu() -> None:
    assert SERVICES["vllm"]["profiles"] == ["gpu"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["vllm"]
    assert [name for name, service in SERVICES.items() if "deploy" in service] == ["vllm"]


def test_secrets_are_files_and_all_are_used() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert list(secret) == ["file"], name
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert "password" not in str(value).lower() or key.endswith("_FILE"), key


def test_every_volume_and_network_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], volume
        for network in service.get("networks", []):
            assert network in COMPOSE["networks"]


def test_the_environment_of_compose_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = SERVICES["api"]["environment"]
    assert environment == SERVICES["worker"]["environment"]
    for key, value in environment.items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
    for secret in SERVICES["api"]["secrets"]:
        (tmp_path / secret).write_text("postgresql://assistant:x@postgres:5432/assistant\n")
    monkeypatch.setenv("ASSISTANT_SECRETS_DIR", str(tmp_path))
    settings = load()
    assert settings.generator.kind == "quotes"
    assert settings.generator.url == "http://vllm:8000/v1"
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value().endswith("@postgres:5432/assistant")
    for key in environment:
        known = {generate.variable(path) for path, _ in generate.leaves()}
        assert key in known | {"ASSISTANT_SECRETS_DIR"}


def test_a_generator_may_be_chosen_by_its_kind() -> None:
    path, field = next(leaf for leaf in generate.leaves() if leaf[0] == ("generator", "kind"))
    kinds = re.findall(r"'(\w+)'", str(field.annotation))
    shown = re.findall(r"GENERATOR=(\w+)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert shown
    assert set(shown) <= set(kinds), path


def commands_of_compose() -> Iterator[list[str]]:
    for name in OURS:
        yield list(map(str, SERVICES[name]["command"]))
        test = SERVICES[name]["healthcheck"]["test"][1:]
        if test[0] == "assistant":
            yield test[1:]
    yield re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("CMD")[2])


@pytest.mark.parametrize("words", list(commands_of_compose()), ids=" ".join)
def test_the_commands_exist(words: list[str]) -> None:
    known = dict(generate.commands())
    n_words = next(n for n in (2, 1) if " ".join(["assistant", *words[:n]]) in known)
    command = known[" ".join(["assistant", *words[:n_words]])]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[n_words:] if word.startswith("--")} <= options


def test_the_image_runs_as_nobody_special_and_is_watched() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["10001:10001"]
    assert SERVICES["api"]["user"] == "10001:10001"
    assert "HEALTHCHECK" in DOCKERFILE
    assert 'ENTRYPOINT ["assistant"]' in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.M):
        assert re.search(r":\d+\.\d+", base), base


def test_what_the_image_copies_reaches_the_engine() -> None:
    copied = {
        path
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)
        for path in line.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert copied == {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / path).exists() for path in copied)


def test_the_guide_shows_what_compose_has() -> None:
    guide = (ROOT / "docs/how-to/deploy.md").read_text("utf-8")
    rows = {
        cells[0].strip("`"): cells
        for line in re.findall(r"^\| `\w+` \|.*$", guide, re.M)
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])
    }
    for name, service in SERVICES.items():
        _, _, networks, published = rows.pop(name)
        assert networks == ", ".join(service["networks"])
        ports = [port.rpartition(":")[0] for port in service.get("ports", [])]
        assert published == (", ".join(ports) or "–")
    for key, value in SERVICES["api"]["environment"].items():
        shown = rows.pop(key)[1]
        assert value.startswith("${GENERATOR:-quotes}") or shown == f"`{value}`"
    assert not rows
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].removeprefix("./") in guide
    for name in OURS:
        assert f"user {SERVICES[name]['user'].split(':')[0]}" in guide
    assert f"user {SERVICES['postgres']['user'].split(':')[0]}" in guide
    assert SERVICES["worker"]["command"] == ["worker"]
    assert f"{int(SERVICES['vllm']['command'][-1]):,} tokens" in guide


def entries(lock: str = LOCK) -> dict[str, tuple[Version, list[str]]]:
    """The packages of a lock with their hashes."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", lock, flags=re.M))
    found: dict[str, tuple[Version, list[str]]] = {}
    for line in filter(None, map(str.strip, joined.splitlines())):
        pinned, *hashes = line.split("--hash=")
        requirement = Requirement(pinned.strip())
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        found[canonicalize_name(requirement.name)] = (
            Version(specifier.version),
            [value.strip() for value in hashes],
        )
    return found


def test_the_shape_with_a_gpu_keeps_the_rules() -> None:
    embedder = ON_GPU["embedder"]
    test_a_service_has_no_rights_it_does_not_need(embedder)
    test_a_service_is_watched_and_started_again(embedder)
    test_images_are_pinned(embedder)
    assert embedder["image"] == SERVICES["vllm"]["image"]
    assert embedder["networks"] == ["inner"]
    assert "ports" not in embedder
    assert set(ON_GPU) - set(SERVICES) == {"embedder"}
    changed = {name: set(ON_GPU[name]) for name in ON_GPU if name in SERVICES}
    assert changed == {
        "api": {"build", "depends_on", "environment", "deploy"},
        "worker": {"environment"},
        "vllm": {"command"},
    }
    before = SERVICES["vllm"]["command"]
    assert ON_GPU["vllm"]["command"][: len(before)] == before


def test_the_settings_of_the_shape_with_a_gpu_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for key, value in ON_GPU["api"]["environment"].items():
        shown = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value))
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:\?.*?\}", "r1", shown))
    settings = load()
    assert settings.models.is_served
    assert settings.models.revision == "r1"
    assert (settings.index.device, settings.index.device_memory_mb) == ("cuda", 8000)
    assert ON_GPU["worker"]["environment"].items() <= ON_GPU["api"]["environment"].items()
    assert f"http://{list(ON_GPU)[1]}:8000/v1" == settings.models.embedder


def test_the_lock_for_gpus_is_the_extra_with_hashes() -> None:
    locked = entries(GPU_LOCK)
    (text,) = PROJECT["optional-dependencies"]["gpu"]
    requirement = Requirement(text)
    assert requirement.specifier.contains(locked[requirement.name][0])
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for _, hs in locked.values() for h in hs)
    assert not set(locked) & set(entries()), "the image has both"
    pinned = (ROOT / "tests/gpu/requirements.txt").read_text("utf-8").split()
    assert text in pinned


def test_every_line_of_the_lock_has_hashes() -> None:
    locked = entries()
    assert len(locked) > 100
    for name, (_, hashes) in locked.items():
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), name


def test_the_lock_names_no_other_place_and_no_gpu_package() -> None:
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", LOCK)
    assert not [name for name in entries() if re.match(r"nvidia|cuda|triton", name)]


def test_the_lock_pins_every_direct_dependency() -> None:
    locked = entries()
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["ui"], *extras["connectors"]]
    target = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate(target):
            continue
        version, _ = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{text}, but the lock has {version}"


def test_the_lock_has_what_builds_the_project() -> None:
    system = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    for text in system["requires"]:
        requirement = Requirement(text)
        version, _ = entries()[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), text
