"""Saved work: what goes in comes out, and nothing else is believed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite import boxes
from napari_segsuite.errors import FormatError, InputError
from napari_segsuite.growing import work_file
from napari_segsuite.growing.work_file import (
    ImageIdentity,
    Work,
    load_work,
    read_identity,
    save_work,
)
from napari_segsuite.image import Image, LabelClass
from napari_segsuite.provenance import describe_input
from napari_segsuite.space import Axis, Space

IDENTITY = ImageIdentity("Gehirn Ω", (4, 5, 6), "<f4", "ab" * 32, "/data/brain.nii.gz")


def oblique() -> Space:
    matrix = np.eye(4)
    matrix[:3, :3] = [[0.1, 0.5, 0], [3.0, 0.1, 0.1], [0, 0.2, 0.7]]
    matrix[:3, 3] = [-10, 20.5, 3]
    return Space.from_matrix(matrix, "mm")


SPACES = {
    "2D": ((5, 6), Space.regular(2, (0.5, 0.7), "um")),
    "3D": ((4, 5, 6), Space.regular(3)),
    "4D": ((3, 4, 5, 6), Space.regular(3, (3, 1, 1), "mm").with_leading(Axis("t", "time", 30.0))),
    "oblique": ((4, 5, 6), oblique()),
    "sheared": (
        (4, 5, 6),
        replace(Space.regular(3), shear=(0.1, 0.0, 0.2), rotate=((0, 1, 0), (1, 0, 0), (0, 0, 1))),
    ),
}


def work(kind: str = "3D", largest: int = 3, **parts) -> Work:
    shape, space = SPACES[kind]
    seeds = np.random.default_rng(0).integers(0, largest + 1, shape).astype(np.uint32)
    seeds.flat[0] = largest
    return Work(IDENTITY, space, seeds, **parts)


def assert_same(one: Work, other: Work) -> None:
    assert one.arrays().keys() == other.arrays().keys()
    for name, array in one.arrays().items():
        found = other.arrays()[name]
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
    for name in ("image", "space", "classes", "result_classes", "guide"):
        assert getattr(one, name) == getattr(other, name)
    assert dict(one.settings) == dict(other.settings)


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("largest", [3, 300, 70000])
def test_round_trip(tmp_path, kind, largest):
    first = work(kind, largest)
    save_work(tmp_path / "a.segsuite.zip", first)
    assert_same(load_work(tmp_path / "a.segsuite.zip"), first)
    assert read_identity(tmp_path / "a.segsuite.zip") == IDENTITY


def test_round_trip_of_everything(tmp_path):
    full = work(
        result=np.asfortranarray(np.arange(120).reshape(4, 5, 6)),
        settings={"guide": "auto", "locality": np.float32(0.5), "rule": None, "ids": [1, 2],
                  "limits": {"value_range": [0.5, 9], "on": True}},
        classes=(LabelClass(1, "Leber ß", (1, 0.5, 0, 1)), LabelClass(300, "x", locked=True)),
        result_classes=(LabelClass(2, "x"),),
        guide=b"\x00guide" * 50,
    )  # fmt: skip
    save_work(tmp_path / "a.segsuite.zip", full)
    assert_same(load_work(tmp_path / "a.segsuite.zip"), full)


def test_arrays_larger_than_a_slab(tmp_path, monkeypatch):
    monkeypatch.setattr(work_file, "slabs", lambda box: boxes.slabs(box, voxels=40))
    first = work(result=np.random.default_rng(1).integers(0, 9, (4, 5, 6)))
    save_work(tmp_path / "a.zip", first)
    monkeypatch.undo()
    assert_same(load_work(tmp_path / "a.zip"), first)
    with np.load(tmp_path / "a.zip", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["result"], first.result)


def test_equal_works_give_equal_bytes(tmp_path):
    for name in ("a.zip", "b.zip"):
        save_work(tmp_path / name, work())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_identity_is_that_of_the_values(tmp_path):
    image = Image.from_array(np.arange(24.0).reshape(2, 3, 4), name="a")
    first = ImageIdentity.of(image, tmp_path / "a.nii")
    assert first.sha256 == describe_input("a", image.data)["sha256"]
    assert (first.shape, first.path) == ((2, 3, 4), str(tmp_path / "a.nii"))
    assert first.is_same_image(ImageIdentity.of(replace(image, name="b")))
    assert not first.is_same_image(ImageIdentity.of(replace(image, data=image.data + 1)))


def test_what_does_not_fit_together_is_refused():
    seeds, space = np.zeros((4, 5), np.uint8), Space.regular(2)
    with pytest.raises(InputError, match=r"result of shape \(5, 4\) beside seeds"):
        Work(IDENTITY, space, seeds, seeds.T)
    with pytest.raises(InputError, match="grid with 3 axes"):
        Work(IDENTITY, Space.regular(3), seeds)
    with pytest.raises(InputError, match="labels from 0 up"):
        Work(IDENTITY, space, seeds - np.int64(1))


def test_settings_that_are_not_plain_are_refused_and_leave_no_file(tmp_path):
    with pytest.raises(InputError, match="got ndarray, which cannot be saved"):
        save_work(tmp_path / "a.zip", work(settings={"mask": np.zeros(3)}))
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    save_work(path, work())
    former = path.read_bytes()

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(work_file, "_write_array", no_space)
    with pytest.raises(FormatError, match="no space left"):
        save_work(path, work(largest=300))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]
    assert path.read_bytes() == former


# --- damage ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("work") / "a.segsuite.zip"
    save_work(path, work(result=np.full((4, 5, 6), 2), guide=b"guide" * 9))
    return path


def rewritten(saved: Path, target: Path, **members: bytes | None) -> Path:
    """A copy with members replaced or, if None, left out."""
    with zipfile.ZipFile(saved) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (content | {k.replace("__", "."): v for k, v in members.items()}).items():
            if data is not None:
                archive.writestr(name, data)
    return target


def with_record(saved: Path, target: Path, **changes) -> Path:
    with zipfile.ZipFile(saved) as archive:
        record = json.loads(archive.read("work.json"))
    return rewritten(saved, target, work__json=json.dumps(record | changes).encode())


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_cut_or_changed_file_is_refused_or_unharmed(saved, data):
    content = bytearray(saved.read_bytes())
    if data.draw(st.booleans(), "cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    damaged = saved.with_name("damaged.zip")
    damaged.write_bytes(content)
    try:
        found = load_work(damaged)
    except FormatError as error:
        assert "damaged.zip" in str(error)  # noqa: PT017
    else:
        # Bytes that carry nothing, such as dates, may change.
        assert_same(found, load_work(saved))


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"something else")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("letter.txt", "Dear Sir")
    for name in ("a.zip", "b.zip"):
        with pytest.raises(FormatError, match=f"{name}: expected work saved by napari-segsuite"):
            load_work(tmp_path / name)
    with pytest.raises(FormatError, match="no such file"):
        load_work(tmp_path / "none.zip")


def test_a_newer_version_is_refused(saved, tmp_path):
    path = with_record(saved, tmp_path / "a.zip", format=work_file.FORMAT + 1)
    for reader in (load_work, read_identity):
        with pytest.raises(FormatError, match="got 2; update napari-segsuite"):
            reader(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "another"},
        {"format": "1"},
        {"arrays": {}},
        {"arrays": {"seeds": {"dtype": "|O", "shape": [4, 5, 6]}}},
        {"arrays": {"seeds": {"dtype": "<f4", "shape": [4, 5, 6]}}},
        {"arrays": {"seeds": {"dtype": "|u1", "shape": [4, 6, 5]}}},
        {"arrays": {"seeds": {"dtype": "|u1", "shape": [4, 5, -6]}}},
        {"arrays": {"seeds": {"dtype": "|u1", "shape": [10**6, 10**6, 10**6]}}},
        {"arrays": {"seeds": {"dtype": "|u1", "shape": "456"}}},
        {"image": None},
        {"space": {"axes": [], "rotate": None, "shear": None, "affine": None}},
        {"space": {"axes": 5}},
        {"settings": [1]},
        {"classes": [vars(LabelClass(1, "y")) | {"id": "x"}]},
        {"classes": [vars(LabelClass(1, "y")) | {"colour": [7, 7, 7]}]},
        {"classes": [{"id": 1}]},
    ],
)
def test_a_made_up_record_is_refused(saved, tmp_path, changes):
    path = with_record(saved, tmp_path / "a.zip", **changes)
    with pytest.raises(FormatError, match=r"a\.zip: expected work saved by napari-segsuite"):
        load_work(path)


def test_a_grid_without_extent_is_refused(saved, tmp_path):
    axes = [vars(Axis(name, scale=0.0)) for name in "zyx"]
    flat = {"axes": axes, "rotate": None, "shear": None, "affine": None}
    with pytest.raises(FormatError, match="damaged"):
        load_work(with_record(saved, tmp_path / "a.zip", space=flat))


@pytest.mark.parametrize("member", ["seeds__npy", "guide__bin", "work__json"])
def test_a_missing_part_is_refused(saved, tmp_path, member):
    with pytest.raises(FormatError, match="damaged"):
        load_work(rewritten(saved, tmp_path / "a.zip", **{member: None}))


def test_nothing_is_unpickled(saved, tmp_path):
    np.save(tmp_path / "evil.npy", np.full((4, 5, 6), {}, dtype=object), allow_pickle=True)
    evil = (tmp_path / "evil.npy").read_bytes()
    with pytest.raises(FormatError, match="damaged"):
        load_work(rewritten(saved, tmp_path / "a.zip", seeds__npy=evil))


def test_arrays_beyond_the_free_memory_are_refused_before_they_are_made(saved, monkeypatch):
    monkeypatch.setattr("napari_segsuite.io.memory.available_memory", lambda: 100)
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(FormatError, match="memory"):
        load_work(saved)
