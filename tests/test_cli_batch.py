"""`batch`: a recipe for many images, in one process or in several."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import cli
from napari_segsuite.cli.workers import share_out
from napari_segsuite.space import Space

SHAPE = (9, 11, 12)
SPACE = Space.regular(3, (3.0, 0.7, 0.5), "mm")
CLASSES = (nss.LabelClass(1, "dark"), nss.LabelClass(2, "bright"))
SEEDS = ["--seeds", "seeds/{stem}.nii"]
BATCH = ["batch", "recipe.json", "a.nii.gz", "b.nii", "c.nii.gz", "-o", "out"]
COMMAND = [sys.executable, "-m", "napari_segsuite.cli"]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and named pipes of POSIX")


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three images, the second of them damaged, with seeds and a recipe."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    for index, name in enumerate(("a.nii.gz", "b.nii", "c.nii.gz")):
        nss.write(name, nss.Image(np.roll(two_halves(SHAPE), index, axis=-1), SPACE))
        seeds = nss.Segmentation(two_strokes(SHAPE), SPACE, CLASSES)
        nss.write(f"seeds/{name[0]}.nii", seeds)
    Path("b.nii").write_bytes(b"damaged")
    Path("recipe.json").write_text('{"method": "growcut", "settings": {"connectivity": 2}}')
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- what is done ---------------------------------------------------------------------


def test_one_failure_does_not_stop_the_rest(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*BATCH, *SEEDS]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{Path('out', name)}: dark, bright" for name in ("a_labels.nii.gz", "c_labels.nii.gz")
    ]
    failed, error = said.err.splitlines()
    assert failed.startswith("failed: b.nii: b.nii: ")
    assert error.startswith("error: 1 of 3 images failed")
    for name in ("a", "c"):
        labels = nss.read(f"out/{name}_labels.nii.gz")
        expected = nss.run("growcut", f"{name}.nii.gz", seeds=f"seeds/{name}.nii", connectivity=2)
        np.testing.assert_array_equal(labels.labels, expected.labels)
        assert labels.space.is_close(SPACE)
        assert labels.classes == CLASSES
        assert labels.provenance.settings["connectivity"] == 2
    assert sorted(contents(inputs / "out")) == [
        "a_labels.labels.json", "a_labels.nii.gz", "c_labels.labels.json", "c_labels.nii.gz"
    ]  # fmt: skip


def test_several_processes_write_what_one_does(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*BATCH, *SEEDS, "--json"]) == 1
    alone = capsys.readouterr()
    expected = contents(inputs / "out")
    assert cli.main([*BATCH[:-1], "again", *SEEDS, "--json", "--jobs", "2"]) == 1
    shared = capsys.readouterr()
    assert contents(inputs / "again") == expected
    assert json.loads(shared.out.replace("again", "out")) == json.loads(alone.out)
    assert shared.err == alone.err


def test_json_is_one_document(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*BATCH, *SEEDS, "--json"]) == 1
    first, second, third = json.loads(capsys.readouterr().out)
    assert first == {
        "input": "a.nii.gz",
        "output": str(Path("out/a_labels.nii.gz")),
        "classes": ["dark", "bright"],
    }
    assert second["input"] == "b.nii"
    assert "damaged" in second["error"] or "NIfTI" in second["error"]
    assert third["input"] == "c.nii.gz"


def test_result_of_a_batch_is_a_recipe(inputs: Path) -> None:
    assert cli.main(["batch", "recipe.json", "a.nii.gz", "-o", "out", *SEEDS]) == 0
    words = ["batch", "out/a_labels.nii.gz", "a.nii.gz", "-o", "again", *SEEDS]
    assert cli.main(words) == 0
    assert contents(inputs / "again") == contents(inputs / "out")


def test_existing_labels_are_replaced(inputs: Path) -> None:
    words = ["batch", "recipe.json", "a.nii.gz", "-o", "out", *SEEDS]
    assert cli.main(words) == 0
    expected = contents(inputs / "out")
    Path("out/a_labels.nii.gz").write_bytes(b"old")
    assert cli.main(words) == 0
    assert contents(inputs / "out") == expected


def test_names_say_where_seeds_lie_and_labels_go(inputs: Path) -> None:
    Path("seeds/a.nii").rename("seeds/for a.nii.gz.nii")
    words = ["--seeds", "seeds/for {name}.nii", "--suffix=-{x}", "-o", "new/folder"]
    assert cli.main(["batch", "recipe.json", "a.nii.gz", *words]) == 0
    assert (inputs / "new/folder/a-{x}.nii.gz").is_file()


def test_masks_have_a_pattern_too(inputs: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[:4] = 1
    nss.write("mask a.nii", nss.Segmentation(mask, SPACE))
    words = ["batch", "recipe.json", "a.nii.gz", "-o", "out", *SEEDS, "--mask", "mask {stem}.nii"]
    assert cli.main(words) == 0
    labels = nss.read("out/a_labels.nii.gz").labels
    np.testing.assert_array_equal(labels > 0, mask > 0)


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_progress_runs_once_from_begin_to_end(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    def at_once(perform: Any, tasks: Sequence[Any], _: int) -> Generator[tuple[int, Any]]:
        yield from enumerate(map(perform, tasks))

    seen: list[float] = []
    bar = contextlib.nullcontext(lambda fraction, message: seen.append(fraction))
    monkeypatch.setattr("napari_segsuite.cli.batching.progress_bar", lambda: bar)
    monkeypatch.setattr("napari_segsuite.cli.batching.share_out", at_once)
    assert cli.main([*BATCH, *SEEDS, "--jobs", jobs]) == 1
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(seen) > 3


# --- what is refused before the work --------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recipe.json", "a.nii.gz"], "expected seeds for each image"),
        (["recipe.json", "a.nii.gz", *SEEDS, "--suffix", "", "-o", "."], "it is an input"),
        (["recipe.json", "a.nii.gz", "seeds/../a.nii.gz", *SEEDS], "two outputs to"),
        (["recipe.json", "a.nii.gz", *SEEDS, "-o", "a.nii.gz"], "cannot write to a.nii.gz"),
        (["recipe.json", "a.nii.gz", *SEEDS, "--suffix", "/x"], "does not exist"),
        (["notes.txt", "a.nii.gz"], "notes.txt: expected labels with their side file"),
        (["plain.json", "a.nii.gz", *SEEDS], "expected no seeds, since the recipe takes none"),
    ],
)
def test_calls_that_cannot_succeed_are_refused_at_once(
    inputs: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr("napari_segsuite.jobs.run", broken)
    Path("notes.txt").write_text("none")
    Path("plain.json").write_text('{"method": "global_threshold"}')
    before = {path: path.read_bytes() for path in inputs.rglob("*") if path.is_file()}
    assert cli.main(["batch", "-o", "out", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert {path: path.read_bytes() for path in inputs.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("words", [["recipe.json", "-o", "out"], [*BATCH[1:], "--jobs", "0"]])
def test_wrong_usage_ends_with_two(
    inputs: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(["batch", *words]) == 2
    assert capsys.readouterr().err.startswith("usage: napari-segsuite batch ")


def test_a_defect_in_one_image_is_told_with_a_traceback_when_asked(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("napari_segsuite.jobs.run", broken)
    words = ["batch", "recipe.json", "a.nii.gz", "-o", "out", *SEEDS]
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert "failed: a.nii.gz: unexpected ZeroDivisionError" in said
    assert "Traceback" not in said
    with pytest.raises(nss.errors.SegSuiteError, match="1 of 1"):
        cli.main(["--debug", *words])
    assert "Traceback" in capsys.readouterr().err


# --- processes ------------------------------------------------------------------------


def test_a_process_that_dies_takes_only_its_task_along() -> None:
    tasks = ["1 + 1", "__import__('os')._exit(3)", "2 + 2", "3 + 3"]
    assert dict(share_out(eval, tasks, 2)) == {0: 2, 1: None, 2: 4, 3: 6}


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 7)
    threads = "__import__('os').environ['NUMBA_NUM_THREADS']"
    assert [answer for _, answer in share_out(eval, [threads] * 3, 2)] == ["3"] * 3


@POSIX
def test_work_that_is_given_up_leaves_no_half_written_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write = (
        "import time\nfrom napari_segsuite.io import atomic_path\n"
        "with atomic_path('labels.nii') as scratch:\n"
        "    scratch.write_text('half'); time.sleep(60)"
    )
    answers = share_out(exec, ["pass", write], 2)
    assert next(answers) == (0, None)
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    answers.close()
    assert time.monotonic() - began < 30
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_control_c_ends_with_130(inputs: Path, jobs: str) -> None:
    for name in ("slow.nii", "slower.nii"):
        os.mkfifo(name)
    words = ["batch", "recipe.json", "slow.nii", "slower.nii", "-o", "out", *SEEDS]
    command = [*COMMAND, *words, "--jobs", jobs]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell has what it runs in the background ignore the signal, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process, open("slow.nii", "wb"):  # which waits until somebody reads the image
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, said = process.communicate(timeout=60)
    assert (process.returncode, out, said) == (130, "", "interrupted\n")
    assert list((inputs / "out").iterdir()) == []
    for name in ("slow.nii", "slower.nii"):
        with pytest.raises(OSError, match="No such device"):  # nobody reads any more
            os.open(name, os.O_WRONLY | os.O_NONBLOCK)
