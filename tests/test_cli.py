"""The command: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import cli
from napari_segsuite.space import Space

SPACE = Space.regular(3, (3.0, 0.7, 0.5), "mm")
SHAPE = (9, 11, 12)


GROW = ["run", "growcut", "image.nii.gz", "--seeds", "seeds.nii.gz"]
STRENGTH = "--extra=strength="
MEASURE = ["evaluate", "seeds.nii.gz", "seeds.nii.gz"]
COMMAND = [sys.executable, "-m", "napari_segsuite.cli"]


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that ends with status 1, and give its one line."""
    assert cli.main(list(words)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


# --- lists ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["methods"], ["info", "growcut"], ["samples"], ["doctor"]], ids=lambda w: w[0]
)
def test_json_is_one_document_and_nothing_else(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert said.err == ""


def test_methods_lists_every_method(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["methods", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in listed] == [method.id for method in nss.methods()]
    cli.main(["methods"])
    text = capsys.readouterr().out
    assert all(f"  {method.id} " in text for method in nss.methods())


def test_info_tells_settings_bounds_and_references(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "growcut"]) == 0
    text = capsys.readouterr().out
    method = nss.get_method("growcut")
    for word in (
        "--connectivity",
        "an integer in [1, 3]",
        "default",
        "strength",
        *method.references,
    ):
        assert word in text


def test_run_help_lists_the_settings_of_the_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "growcut", "--help"]) == 0
    text = capsys.readouterr().out
    for param in nss.get_method("growcut").params:
        assert f"--{param.name.replace('_', '-')} " in text
    assert "--seeds" in text


def test_doctor_finds_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert f"numpy              {np.__version__}" in text
    assert "cpu" in text


def test_doctor_names_a_broken_library_and_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    assert cli.main(["doctor", "--json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("nibabel ")
    assert "pip install --force-reinstall nibabel" in problem


def test_doctor_survives_a_library_that_crashes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("napari_segsuite.cli.doctor._PROBE", "import os; os.abort()")
    assert cli.main(["doctor", "--json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert "torch and torchvision do not load together" in problem


def test_sample_is_written_where_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["samples", "brain", "-o", "brain", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert all((folder / path).is_file() for path in written)


# --- run ------------------------------------------------------------------------------


def test_run_is_the_python_call(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["--extra", "strength=strength.nii.gz", "--connectivity", "3"]
    assert cli.main([*GROW, *extra, "-o", "labels.nii.gz"]) == 0
    assert capsys.readouterr().out.startswith("labels.nii.gz: ")
    expected = nss.run(
        "growcut", "image.nii.gz", seeds="seeds.nii.gz", connectivity=3, extras=("strength",)
    )
    labels = nss.read("labels.nii.gz", kind="labels")
    np.testing.assert_array_equal(labels.labels, expected.labels)
    assert labels.space.is_close(SPACE)
    assert labels.provenance.settings["connectivity"] == 3
    strength = nss.read("strength.nii.gz", kind="image")
    np.testing.assert_array_equal(strength.data, expected.extras["strength"])
    assert strength.space.is_close(SPACE)


def test_settings_are_typed_with_hyphens_or_underscores(folder: Path) -> None:
    words = ["run", "global_threshold", "image.nii.gz", "--algorithm", "manual", "--value", "-1"]
    assert cli.main([*words, "-o", "all.nii.gz"]) == 0
    assert nss.read("all.nii.gz", kind="labels").labels.all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*GROW, "-o", "x.nii.gz", "--connectivity", "9"], "'connectivity' must be an integer"),
        ([*GROW, "-o", "x.nii.gz", "--connectivity", "many"], "got 'many'"),
        ([*GROW, "-o", "x.nii.gz", "--device", "toaster"], "toaster"),
        ([*GROW, "-o", "x.nii.gz", "--extra", "colour=c.nii.gz"], "expected --extra NAME=FILE"),
        ([*GROW, "-o", "x.docx"], "x.docx"),
        ([*GROW, "-o", "no/such/folder/x.nii.gz"], "no/such/folder"),
        (["run", "growcut", "none.nii", *GROW[3:], "-o", "x.nii"], "none.nii"),
        (["run", "growcat", "image.nii.gz", "-o", "x.nii.gz"], "no method 'growcat'"),
        (["info", "growcat"], "no method 'growcat'"),
        (["samples", "liver", "-o", "here"], "expected a sample among brain"),
        (["convert", "image.nii.gz", "image.docx"], "image.docx"),
        (["generate", "--check", "--root", "."], "expected a clone"),
    ],
)
def test_a_problem_the_user_can_mend_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    before = sorted(folder.iterdir())
    assert message in fails(capsys, *words)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*GROW, "-o", "image.nii.gz"], "cannot write image.nii.gz: it is an input"),
        ([*GROW, "-o", "./seeds.nii.gz"], "it is an input"),
        ([*GROW, "-o", "linked.nii.gz"], "it is an input"),
        ([*GROW, "-o", "x.nii.gz", f"{STRENGTH}image.nii.gz"], "it is an input"),
        ([*GROW, "-o", "x.nii.gz", f"{STRENGTH}./x.nii.gz"], "two outputs to x.nii.gz"),
        ([*GROW, "-o", "x.nii", f"{STRENGTH}a.nii", f"{STRENGTH}b.nii"], "each --extra once"),
        ([*GROW, "-o", "gone/x.nii.gz"], "gone does not exist"),
        ([*GROW, "-o", "x.nii.gz", f"{STRENGTH}gone/s.nii.gz"], "gone does not exist"),
        ([*GROW, "-o", "closed/x.nii.gz"], "cannot write closed/x.nii.gz: permission denied"),
        ([*MEASURE, "--csv", "seeds.nii.gz"], "it is an input"),
        ([*MEASURE, "--csv", "new.NII"], "the name of a NIfTI file"),
        ([*MEASURE, "--csv", "gone/scores.csv"], "gone does not exist"),
        (["convert", "image.nii.gz", "linked.nii.gz"], "it is an input"),
        (["convert", "image.nii.gz", "gone/image.nii"], "gone does not exist"),
    ],
)
def test_outputs_are_looked_at_before_the_work(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("the work has begun")

    def touch(path: Path) -> None:  # permissions do not hold back an administrator
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("jobs.run", "metrics.evaluate", "io.read"):
        monkeypatch.setattr(f"napari_segsuite.{name}", broken)
    if "closed/x.nii.gz" in words:
        (folder / "closed").mkdir()
        monkeypatch.setattr(Path, "touch", touch)
    (folder / "linked.nii.gz").hardlink_to("image.nii.gz")
    before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
    assert message in fails(capsys, *words)
    assert {path: path.is_file() and path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("n", "names"), [(10, "c9, c10"), (300, "c9, c10, … and 290 more")])
def test_run_names_a_few_classes(
    folder: Path, capsys: pytest.CaptureFixture[str], n: int, names: str
) -> None:
    classes = tuple(nss.LabelClass(i, f"c{i}") for i in range(1, n + 1))
    painted = np.zeros(SHAPE, np.uint16)
    painted.flat[:n] = np.arange(1, n + 1)
    nss.write("seeds.nii.gz", nss.Segmentation(painted, SPACE, classes))
    assert cli.main(["run", "--device", "cpu", *GROW[1:], "-o", "x.nii.gz"]) == 0
    assert capsys.readouterr().out.endswith(f"{names}\n")


def test_seeds_of_another_grid_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = nss.Segmentation(two_strokes(SHAPE), Space.regular(3, (9.0, 9.0, 9.0), "mm"))
    nss.write("seeds.nii.gz", elsewhere)
    assert "different places" in fails(capsys, *GROW, "-o", "labels.nii.gz")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "growcut", "image.nii.gz", "-o", "x.nii.gz"],
        [*GROW],
        ["evaluate", "a.nii.gz"],
        ["generate"],
    ],
)
def test_wrong_usage_ends_with_two(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: napari-segsuite")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*MEASURE, "--spacing", "one,two"], "--spacing: expected numbers above zero such as 3,"),
        ([*MEASURE, "--spacing", "nan,1,1"], "numbers above zero such as 3,0.7,0.7, got 'nan,1,1'"),
        ([*MEASURE, "--ignore", "0,x"], "--ignore: expected whole numbers such as"),
        ([*GROW, "-o", "x.nii.gz", "--rng", "1.5"], "--rng: expected a whole number, got '1.5'"),
        ([*GROW, "-o", "x.nii.gz", "--colour", "red"], "unrecognized arguments: --colour red"),
    ],
)
def test_wrong_usage_is_told_in_words_of_the_verb(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: napari-segsuite {words[0]} ")
    assert message in said.splitlines()[-1]


def test_defect_is_reported_without_a_traceback_unless_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a defect\nin two lines")

    monkeypatch.setattr("napari_segsuite.jobs.run", broken)
    assert "unexpected ZeroDivisionError" in fails(capsys, *GROW, "-o", "x.nii.gz")
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", *GROW, "-o", "x.nii.gz"])


def test_warnings_are_one_line_each(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    from napari_segsuite import jobs

    run = jobs.run

    def warn(*args: Any, **keywords: Any) -> nss.Segmentation:
        warnings.simplefilter("always")
        warnings.warn("the image\nis odd", stacklevel=2)
        return run(*args, **keywords)

    monkeypatch.setattr("napari_segsuite.jobs.run", warn)
    assert cli.main([*GROW, "-o", "x.nii.gz"]) == 0
    assert capsys.readouterr().err == "warning: the image is odd\n"


# --- evaluate and convert -------------------------------------------------------------


def test_evaluate_is_the_python_call(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main([*GROW, "-o", "labels.nii.gz"])
    capsys.readouterr()
    truth = two_halves(SHAPE) // 100 + 1
    nss.write("truth.nii.gz", nss.Segmentation(truth.astype(np.uint8), SPACE))
    words = ["evaluate", "labels.nii.gz", "truth.nii.gz"]
    report = nss.evaluate("labels.nii.gz", "truth.nii.gz")
    assert cli.main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads(json.dumps(report.to_dict()))
    assert cli.main(words) == 0
    assert "dice" in capsys.readouterr().out.lower()
    assert cli.main([*words, "--csv", "scores.csv", "--ignore", "2", "--spacing", "1,1,1"]) == 0
    assert (folder / "scores.csv").read_text().count("\n") >= 2


@pytest.mark.parametrize(
    "words",
    [
        ["--ignore", "255", "0", "--metrics", "dice", "iou", *MEASURE[1:]],
        ["--metrics", "dice", "--ignore=255,0", *MEASURE[1:], "--metrics", "iou"],
        [MEASURE[1], "--ignore", "255", MEASURE[2], "--metrics=dice,iou", "--ignore", "0"],
        [*MEASURE[1:], "--metrics", "dice", "iou", "--ignore", "255", "0"],
    ],
)
def test_lists_swallow_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(["evaluate", *words, "--json"]) == 0
    expected = nss.evaluate(*MEASURE[1:], metrics=("dice", "iou"), ignore=(255, 0))
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(expected.to_dict()))


def test_evaluate_refuses_labels_at_different_places(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = nss.Segmentation(two_strokes(SHAPE), Space.regular(3, (9.0, 9.0, 9.0), "mm"))
    nss.write("elsewhere.nii.gz", elsewhere)
    said = fails(capsys, "evaluate", "elsewhere.nii.gz", "seeds.nii.gz")
    assert "resample one onto the grid of the other" in said


def test_convert_keeps_values_and_geometry(folder: Path) -> None:
    assert cli.main(["convert", "image.nii.gz", "image.nii"]) == 0
    image = nss.read("image.nii", kind="image")
    np.testing.assert_array_equal(image.data, two_halves(SHAPE))
    assert image.space.is_close(SPACE)


# --- generate -------------------------------------------------------------------------


def test_generate_mends_what_check_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[1]
    clone = tmp_path / "clone"
    (clone / "src/napari_segsuite").mkdir(parents=True)
    readme = (root / "README.md").read_text(encoding="utf-8").replace("`growcut`", "`gone`")
    (clone / "README.md").write_text(readme, encoding="utf-8")
    page = (root / "docs/metrics.md").read_text(encoding="utf-8").replace("`dice`", "`gone`")
    (clone / "docs").mkdir()
    (clone / "docs/metrics.md").write_text(page, encoding="utf-8")
    words = ["generate", "--root", str(clone)]
    assert "differ from the declared methods" in fails(capsys, *words, "--check")
    assert cli.main([*words, "--write"]) == 0
    assert capsys.readouterr().out.count("\n") == 3
    assert cli.main([*words, "--check"]) == 0
    assert "`growcut`" in (clone / "README.md").read_text(encoding="utf-8")
    assert "`dice`" in (clone / "docs/metrics.md").read_text(encoding="utf-8")
