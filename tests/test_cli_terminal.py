"""The command and its terminal: interrupts, encodings, full devices, progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from napari_segsuite import cli

GROW = ["run", "growcut", "image.nii.gz", "--seeds", "seeds.nii.gz"]
MEASURE = ["evaluate", "seeds.nii.gz", "seeds.nii.gz"]
COMMAND = [sys.executable, "-m", "napari_segsuite.cli"]


def test_interrupt_ends_with_130_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    before = sorted(folder.iterdir())
    monkeypatch.setattr("napari_segsuite.jobs.run", interrupted)
    assert cli.main([*GROW, "-o", "labels.nii.gz"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
def test_control_c_in_a_terminal_ends_with_130(folder: Path) -> None:
    code = (
        "import sys, time; from napari_segsuite import cli, jobs\n"
        "def slow(*a, **k):\n    print('started', flush=True); time.sleep(60)\n"
        f"jobs.run = slow; sys.exit(cli.main({[*GROW, '-o', 'labels.nii.gz']!r}))"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "interrupted\n"
    assert not (folder / "labels.nii.gz").exists()


def test_control_c_ends_with_130_while_libraries_load() -> None:
    code = (
        "import sys\nclass Stop:\n    def find_spec(name, *_):\n"
        "        if name == 'numpy': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop)\n"
        "from napari_segsuite.cli import main; sys.exit(main(['methods']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (130, "interrupted\n")


# --- standard output ------------------------------------------------------------------


@pytest.mark.parametrize("words", [["info", "growcut"], [*MEASURE, "--metrics", "volume"]])
def test_any_encoding_will_do(folder: Path, words: list[str]) -> None:
    run = subprocess.run(
        [*COMMAND, *words],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        encoding="ascii",
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "\\u2013" in run.stdout or "mm\\xb3" in run.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_device_is_told_in_one_line(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [*COMMAND, "methods"], env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert run.returncode == 1
    assert run.stderr.startswith("error: cannot write to standard output: no space left")
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a shell")
def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(
        [*COMMAND, "methods", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 0
    assert said == ""


# --- progress -------------------------------------------------------------------------


def test_progress_is_silent_where_there_is_no_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*GROW, "-o", "labels.nii.gz"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_progress_shows_in_a_terminal(folder: Path) -> None:
    import termios

    parent, child = os.openpty()
    termios.tcsetwinsize(child, (24, 80))
    command = [*COMMAND, *GROW, "-o", "labels.nii.gz"]
    run = subprocess.run(command, stderr=child, stdout=subprocess.PIPE, timeout=300, text=True)
    os.set_blocking(parent, False)
    shown = os.read(parent, 65536).decode()
    os.close(child)
    os.close(parent)
    assert run.returncode == 0
    assert "%|" in shown
    assert "%|" not in run.stdout
