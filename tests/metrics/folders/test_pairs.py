"""Which files belong together: names, patterns, sub-folders, and what is passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics.folders.pairs import natural_order, pair_files


@pytest.fixture
def touch(tmp_path):
    """Make empty files; pairing looks at names alone."""

    def make(*names: str) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


def pairs_of(folder: Path, **settings: str) -> list[tuple[str, str, str]]:
    found = pair_files(folder / "pred", folder / "ref", **settings).pairs
    return [
        (
            pair.name,
            pair.prediction.relative_to(folder / "pred").as_posix(),
            pair.reference.relative_to(folder / "ref").as_posix(),
        )
        for pair in found
    ]


def test_equal_names_are_pairs_whatever_the_extension(tmp_path, touch):
    touch("pred/b.nii", "pred/a.nii.gz", "ref/a.nii.gz", "ref/b.NII.GZ")
    assert pairs_of(tmp_path) == [("a", "a.nii.gz", "a.nii.gz"), ("b", "b.nii", "b.NII.GZ")]


@pytest.mark.parametrize(
    ("pattern", "file"),
    [
        ("{name}_pred", "case.1_pred.nii"),
        ("pred_{name}", "pred_case.1.nii"),
        ("a{b}_{name}", "a{b}_case.1.nii"),
        ("{name}/labels", "case.1/labels.nii.gz"),
        ("..{name}", "..case.1.nii"),
    ],
)
def test_patterns(tmp_path, touch, pattern, file):
    touch(f"pred/{file}", "ref/case.1.nii")
    if file.startswith("."):
        with pytest.raises(InputError, match="none that can be read"):
            pairs_of(tmp_path, pattern=pattern)
    else:
        assert pairs_of(tmp_path, pattern=pattern) == [("case.1", file, "case.1.nii")]


def test_names_hold_the_sub_folders(tmp_path, touch):
    touch("ref/site1/a.nii", "ref/site2/a.nii", "ref/b.nii")
    touch("pred/site2/a_p.nii", "pred/site1/a_p.nii", "pred/deep/b_p.nii")
    assert pairs_of(tmp_path, pattern="{name}_p") == [
        ("site1/a", "site1/a_p.nii", "site1/a.nii"),
        ("site2/a", "site2/a_p.nii", "site2/a.nii"),
    ]
    found = pair_files(tmp_path / "pred", tmp_path / "ref", pattern="{name}_p")
    assert [path.as_posix() for path in found.only_predictions] == ["deep/b_p.nii"]
    assert [path.as_posix() for path in found.only_references] == ["b.nii"]


def test_hidden_files_side_files_and_other_files_are_passed_over(tmp_path, touch):
    touch("ref/a.nii", "ref/a.labels.json", "ref/a.nii.labels.json", "ref/notes.txt", "ref/nii")
    touch("ref/._a.nii", "ref/.git/b.nii", "ref/.c.tmp-1-0.nii", "pred/a.nii", "pred/readme")
    (tmp_path / "ref" / "folder.nii").mkdir()
    found = pair_files(tmp_path / "pred", tmp_path / "ref")
    assert [pair.name for pair in found.pairs] == ["a"]
    assert (found.only_predictions, found.only_references) == ((), ())


def test_hidden_folders_above_do_not_matter(tmp_path, touch):
    touch(".cache/pred/a.nii", ".cache/ref/a.nii")
    assert len(pairs_of(tmp_path / ".cache")) == 1


def test_numbers_are_sorted_by_size(tmp_path, touch):
    names = ["case10", "case9", "case1", "b2", "10", "9"]
    touch(*(f"{folder}/{name}.nii" for name in names for folder in ("pred", "ref")))
    order = ["9", "10", "b2", "case1", "case9", "case10"]
    assert [pair[0] for pair in pairs_of(tmp_path)] == order
    assert sorted(["a²", "a1", "1a"], key=natural_order) == ["1a", "a1", "a²"]


@pytest.mark.parametrize("side", ["pred", "ref"])
def test_one_name_for_two_files_is_refused(tmp_path, touch, side):
    touch("pred/a.nii", "ref/a.nii", f"{side}/a.nii.gz")
    with pytest.raises(InputError, match=r"a\.nii, a\.nii\.gz") as caught:
        pairs_of(tmp_path)
    assert "rename" in str(caught.value)


def test_two_files_of_a_name_that_nothing_belongs_to_do_no_harm(tmp_path, touch):
    touch("pred/a.nii", "ref/a.nii", "ref/image.png", "ref/image.jpg")
    found = pair_files(tmp_path / "pred", tmp_path / "ref")
    assert len(found.pairs) == 1
    assert sorted(map(str, found.only_references)) == ["image.jpg", "image.png"]


def test_one_folder_for_both(tmp_path, touch):
    touch("all/a.nii", "all/a_pred.nii", "all/b.nii", "all/c_pred.nii")
    found = pair_files(tmp_path / "all", tmp_path / "all", pattern="{name}_pred")
    assert [pair.name for pair in found.pairs] == ["a"]
    lone = [*found.only_predictions, *found.only_references]
    assert sorted(map(str, lone)) == ["b.nii", "c_pred.nii"]


def test_a_file_is_not_its_own_reference(tmp_path, touch):
    touch("all/a.nii")
    with pytest.raises(InputError, match="different files"):
        pair_files(tmp_path / "all", tmp_path / "all")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_the_reference_is_no_prediction(tmp_path, touch):
    touch("ref/a.nii", "pred/b.nii")
    (tmp_path / "pred" / "a.nii").symlink_to(tmp_path / "ref" / "a.nii")
    with pytest.raises(InputError, match="different files"):
        pairs_of(tmp_path)


def test_a_folder_within_the_other_is_looked_at_once(tmp_path, touch):
    touch("data/a.nii", "data/b.nii", "data/results/a.nii")
    found = pair_files(tmp_path / "data" / "results", tmp_path / "data")
    assert [pair.name for pair in found.pairs] == ["a"]
    assert list(map(str, found.only_references)) == ["b.nii"]
    turned = pair_files(tmp_path / "data", tmp_path / "data" / "results")
    assert list(map(str, turned.only_predictions)) == ["b.nii"]


def test_relative_paths(tmp_path, touch, monkeypatch):
    touch("data/a.nii", "data/results/a.nii")
    monkeypatch.chdir(tmp_path / "data")
    (pair,) = pair_files("results", ".").pairs
    assert (pair.name, pair.prediction.is_file()) == ("a", True)


def test_no_pairs_name_some_files_of_both_sides(tmp_path, touch):
    touch(*(f"pred/p{i}.nii" for i in range(12)), "ref/sub/r.nii")
    with pytest.raises(InputError) as caught:
        pairs_of(tmp_path)
    said = str(caught.value)
    assert "p0, p1, p2, p3, p4 and 7 more" in said
    assert "sub/r" in said
    assert "'{name}_pred'" in said


@pytest.mark.parametrize("side", ["pred", "ref"])
def test_folders_that_are_none(tmp_path, touch, side):
    touch("pred/a.nii", "ref/a.nii")
    paths = {"pred": tmp_path / "pred", "ref": tmp_path / "ref"}
    for wrong, word in ((tmp_path / "none", "nothing"), (tmp_path / "pred" / "a.nii", "a file")):
        with pytest.raises(InputError, match=f"expected a folder .* got {word}"):
            pair_files(*(paths | {side: wrong}).values())


@pytest.mark.parametrize("pattern", ["", "pred", "{name}{name}", "{stem}"])
def test_patterns_without_the_name(tmp_path, pattern):
    with pytest.raises(ParameterError) as caught:
        pair_files(tmp_path, tmp_path, pattern=pattern)
    assert caught.value.name == "pattern"


def test_accents_written_in_two_ways_are_one_name(tmp_path, touch):
    touch("pred/m\N{COMBINING DIAERESIS}.nii", "ref/m\N{COMBINING DIAERESIS}.nii")
    touch("pred/u\N{COMBINING DIAERESIS}_p.nii", "ref/\N{LATIN SMALL LETTER U WITH DIAERESIS}.nii")
    found = pairs_of(tmp_path, pattern="{name}_p")
    assert [name for name, _, _ in found] == ["\N{LATIN SMALL LETTER U WITH DIAERESIS}"]


def test_names_may_have_braces_in_them(tmp_path, touch):
    touch("pred/{name}_p.nii", "ref/{name}.nii", "ref/{0}.nii")
    found = pairs_of(tmp_path, pattern="{name}_p")
    assert found == [("{name}", "{name}_p.nii", "{name}.nii")]
