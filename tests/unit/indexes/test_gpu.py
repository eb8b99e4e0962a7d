"""What can be said of the GPU without one: the choice of a device, and its messages."""

from __future__ import annotations

import pytest

from indexes import gpu
from indexes.device import DeviceUnavailable
from tests.support.devices import Deaf, on_cpu


def test_without_a_build_for_gpus_auto_takes_the_cpu() -> None:
    assert not gpu.has_cuvs()
    assert gpu.opened("auto") is None
    assert gpu.opened("cpu") is None


def test_cuda_insists_and_says_what_to_install() -> None:
    with pytest.raises(DeviceUnavailable, match="install the extra `gpu`"):
        gpu.opened("cuda")


def test_without_a_gpu_nothing_of_it_is_touched(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpu, "has_cuvs", lambda: True)
    monkeypatch.setattr(gpu, "_installed", lambda: {"faiss-gpu-cuvs"})
    assert gpu.opened("auto") is None
    assert "No GPU answers" in caplog.text
    with pytest.raises(DeviceUnavailable, match="nvidia-smi"):
        gpu.opened("cuda")


def test_two_packages_of_one_name_are_no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu._installed() == {"faiss-cpu"}
    monkeypatch.setattr(gpu, "_installed", lambda: {"faiss-cpu", "faiss-gpu-cuvs"})
    with pytest.raises(DeviceUnavailable, match="uninstall both"):
        gpu.opened("cuda")


def test_a_gpu_that_passes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    device = on_cpu()
    monkeypatch.setattr(gpu, "_cuvs", lambda max_bytes: device)
    assert gpu.opened("auto") is device
    assert gpu.opened("cuda") is device
    assert gpu.opened("cpu") is None


def test_a_gpu_that_ignores_filters_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpu, "_installed", lambda: {"faiss-gpu-cuvs"})
    monkeypatch.setattr(gpu, "_cuvs", lambda max_bytes: Deaf())
    assert gpu.opened("auto") is None
    assert "forbidden rows" in caplog.text
    with pytest.raises(DeviceUnavailable, match="must not be trusted"):
        gpu.opened("cuda")


def test_memory_of_a_row() -> None:
    assert gpu.flat_bytes(384) == 768
    assert gpu.compressed_bytes(384) == 104
