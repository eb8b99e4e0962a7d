"""The build of FAISS for GPUs, as far as it can be looked at without one."""

from __future__ import annotations

import ctypes
import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from indexes import gpu
from indexes.device import DeviceUnavailable, check
from tests.support.devices import on_cpu

pytestmark = pytest.mark.cuvs

ROOT = Path(__file__).resolve().parents[2]
_faiss: Any = faiss


def test_it_is_the_build_that_the_project_pins() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'gpu = ["faiss-gpu-cuvs=={version("faiss-gpu-cuvs")}"]' in text
    assert gpu.has_cuvs()


def test_the_settings_that_we_make_exist() -> None:
    """SWIG's objects take any attribute, so that a misspelt one would be set in vain."""
    flat, codes = _faiss.GpuIndexFlatConfig, _faiss.GpuIndexIVFPQConfig
    for config, name in (
        (flat, "use_cuvs"),
        (flat, "useFloat16"),
        (codes, "use_cuvs"),
        (codes, "interleavedLayout"),
    ):
        assert isinstance(inspect.getattr_static(config, name), property), name
        made = config()
        assert getattr(made, name) is False, "it became the default"
        setattr(made, name, True)
        assert getattr(made, name) is True


def test_the_calls_that_we_make_exist() -> None:
    for kind in (_faiss.GpuIndexFlatIP, _faiss.GpuIndexIVFPQ):
        assert {"add", "train", "search"} <= set(dir(kind))
        assert "params" in inspect.signature(kind.search).parameters
    assert "Index" in {base.__name__ for base in _faiss.GpuIndexFlatIP.__mro__}
    resources = _faiss.StandardGpuResources()
    assert callable(resources.setTempMemory)
    bits = np.packbits(np.arange(20) % 3 == 0, bitorder="little")
    params = _faiss.SearchParametersIVF(sel=_faiss.IDSelectorBitmap(bits), nprobe=7)
    assert params.nprobe == 7
    assert [i for i in range(24) if params.sel.is_member(i)] == list(range(0, 20, 3))


def test_the_arguments_that_we_pass_are_taken() -> None:
    """Without a GPU both are refused for that reason, not for their arguments."""
    resources = _faiss.StandardGpuResources()
    for make, arguments in ((gpu._flat, (384,)), (gpu._compressed, (384, 100))):
        if _faiss.get_num_gpus():
            assert make(resources, *arguments).ntotal == 0
            continue
        with pytest.raises(RuntimeError, match="Invalid GPU device"):
            make(resources, *arguments)


def test_selectors_reach_the_kernels() -> None:
    """The library itself: brute force in binary16 and lists of codes take a selector."""
    library = Path(_faiss.__file__).parent / "libfaiss.so"
    symbols = library.read_bytes()
    for name in (
        b"_ZN5faiss3gpu17convert_to_bitset",
        b"virtual void faiss::gpu::CuvsIVFPQ::search(",
        b"virtual void faiss::gpu::CuvsFlatIndex::query(faiss::gpu::Tensor<__half, 2, true>&",
    ):
        at = symbols.find(name)
        assert at >= 0, name
        assert b"IDSelector" in symbols[at : symbols.find(b"\0", at)], name


def test_free_memory_is_asked_of_the_runtime() -> None:
    assert hasattr(ctypes.CDLL("libcudart.so.13"), "cudaMemGetInfo")
    assert (gpu.free_bytes() > 0) == (_faiss.get_num_gpus() > 0)


def test_without_a_gpu_nothing_aborts() -> None:
    if _faiss.get_num_gpus():
        assert gpu.opened("cuda")
        return
    assert gpu.opened("auto") is None
    with pytest.raises(DeviceUnavailable, match="nvidia-smi"):
        gpu.opened("cuda")


def test_the_same_code_runs_on_the_cpu_indexes_of_this_build() -> None:
    check(on_cpu())
