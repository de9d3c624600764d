"""Choice of the device, on pretended machines, and memory limits, on pretended files."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from napari_segsuite import device
from napari_segsuite.device import Device, available_memory, resolve_device
from napari_segsuite.errors import DeviceError, MissingDependencyError

GIB = 2**30


@pytest.fixture
def machine(monkeypatch):
    """Pretend hardware and what torch makes of it."""

    def build(hardware=(), n_cuda=0, mps=False):
        torch = SimpleNamespace(
            cuda=SimpleNamespace(is_available=lambda: n_cuda > 0, device_count=lambda: n_cuda),
            backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        )
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setattr(device, "is_plausible", lambda kind: kind in hardware)

    return build


@pytest.mark.parametrize(
    ("supports", "expected"),
    [((), "cpu"), (("cuda",), "cuda"), (("mps",), "mps"), (("mps", "cuda"), "cuda")],
)
def test_auto_takes_the_fastest_supported(machine, supports, expected):
    machine(hardware=("cuda", "mps"), n_cuda=2, mps=True)
    assert resolve_device("auto", supports=supports) == Device(expected)


def test_auto_on_apple_leaves_cuda_methods_on_the_cpu(machine):
    machine(hardware=("mps",), mps=True)
    assert resolve_device("auto", supports={"cuda"}) == Device("cpu")


def test_auto_says_when_torch_cannot_use_the_gpu(machine):
    machine(hardware=("cuda",))
    assert resolve_device("auto", supports={"cuda"}) == Device(
        "cpu", "PyTorch cannot use the CUDA device: running on the CPU."
    )


@pytest.mark.parametrize("requested", ["cpu", "cuda", "cuda:0", "cuda:1", "mps"])
def test_existing_device_is_taken_by_name(machine, requested):
    machine(hardware=("cuda", "mps"), n_cuda=2, mps=True)
    assert resolve_device(requested, supports={"cuda", "mps"}) == Device(requested)


def test_unsupported_kind_falls_back_and_says_so(machine):
    machine(hardware=("mps",), mps=True)
    resolved = resolve_device("mps", supports={"cuda"})
    assert resolved.name == "cpu"
    assert resolved.note == "This method has no MPS version: it runs on the CPU."


@pytest.mark.parametrize(
    ("requested", "n_cuda", "reason"),
    [
        ("cuda:2", 2, "the last CUDA device is cuda:1"),
        ("cuda", 0, "PyTorch finds no usable CUDA device"),
        ("mps", 2, "this machine has no Apple GPU"),
    ],
)
def test_absent_device_is_refused(machine, requested, n_cuda, reason):
    machine(hardware=("cuda",), n_cuda=n_cuda)
    with pytest.raises(DeviceError, match=f"'{requested}' .* {reason}; choose 'cpu'"):
        resolve_device(requested, supports={"cuda", "mps"})


@pytest.mark.parametrize("requested", ["gpu", "cuda:", "cuda:-1", "cuda:x", "mps:0", "CUDA", ""])
def test_malformed_name_is_refused(machine, requested):
    machine(hardware=("cuda", "mps"), n_cuda=2, mps=True)
    with pytest.raises(DeviceError, match=r"Expected 'auto', 'cpu', .* got"):
        resolve_device(requested, supports={"cuda"})


def test_missing_torch_is_named(machine, monkeypatch):
    machine(hardware=("cuda",))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match="pip install --upgrade torch"):
        resolve_device("cuda", supports={"cuda"})
    automatic = resolve_device("auto", supports={"cuda"})
    assert automatic.name == "cpu"
    assert "pip install" in automatic.note


def test_machine_without_gpu_never_loads_torch():
    code = """
import sys
from napari_segsuite import device
device.is_plausible = lambda kind: False
assert device.resolve_device("auto", supports={"cuda", "mps"}) == device.Device("cpu")
assert device.resolve_device("cpu", supports={"cuda"}) == device.Device("cpu")
try:
    device.resolve_device("cuda", supports={"cuda"})
except device.DeviceError as error:
    assert "this machine has no CUDA device" in str(error)
else:
    raise AssertionError("not refused")
assert not {"torch", "psutil"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("system", "cpu"), [("darwin", "x86_64"), ("linux", "arm64")])
def test_only_apple_silicon_may_have_mps(monkeypatch, system, cpu):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(device.platform, "machine", lambda: "arm64")
    assert device.is_plausible("mps")
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(device.platform, "machine", lambda: cpu)
    assert not device.is_plausible("mps")


def test_cudais_plausible_where_its_driver_loads(monkeypatch):
    libraries = []

    def load(name):
        libraries.append(name)
        if name != "nvcuda.dll":
            raise OSError(name)

    monkeypatch.setattr(device.ctypes, "CDLL", load)
    monkeypatch.setattr(device.Path, "exists", lambda path: False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not device.is_plausible("cuda")
    monkeypatch.setattr(sys, "platform", "win32")
    assert device.is_plausible("cuda")
    assert libraries == ["libcuda.so.1", "nvcuda.dll"]


def write_group(folder, limit, usage, idle, *, version):
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        2: ("memory.max", "memory.current"),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"total_inactive_file 5\ninactive_file {idle}\n")


def write_membership(root, text):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(text)


def test_tightest_group_counts(tmp_path):
    write_membership(tmp_path, "0::/job/step\n")
    groups = tmp_path / "sys/fs/cgroup"
    write_group(groups / "job/step", "max", GIB, 0, version=2)
    write_group(groups / "job", 4 * GIB, 3 * GIB, GIB // 2, version=2)
    write_group(groups, 64 * GIB, 3 * GIB, 0, version=2)
    assert device._control_group_memory(tmp_path) == 3 * GIB // 2


def test_old_groups_and_foreign_paths(tmp_path):
    write_membership(tmp_path, "5:cpu,cpuacct:/x\n4:memory:/docker/0123\n0::/\n")
    write_group(tmp_path / "sys/fs/cgroup/memory", 2 * GIB, GIB, 0, version=1)
    write_group(tmp_path / "sys/fs/cgroup/cpu", GIB, GIB, 0, version=1)
    assert device._control_group_memory(tmp_path) == GIB


def test_exhausted_group_leaves_nothing(tmp_path):
    write_membership(tmp_path, "0::/\n")
    write_group(tmp_path / "sys/fs/cgroup", GIB, 2 * GIB, 0, version=2)
    assert device._control_group_memory(tmp_path) == 0


def test_system_without_groups_sets_no_limit(tmp_path):
    assert device._control_group_memory(tmp_path) == sys.maxsize


def test_available_memory_is_the_lesser(monkeypatch):
    assert 0 < available_memory() <= psutil.virtual_memory().total
    monkeypatch.setattr(device, "_control_group_memory", lambda root: 12345)
    assert available_memory() == 12345


def test_out_of_memory_is_told_from_other_errors() -> None:
    gpu_error = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch"})
    assert device.is_out_of_memory(MemoryError())
    assert device.is_out_of_memory(gpu_error("CUDA out of memory"))
    assert not device.is_out_of_memory(RuntimeError("CUDA error: invalid argument"))
