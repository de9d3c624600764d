"""What the documentation shows works, and what it lists exists."""

from __future__ import annotations

import doctest
import os
import pkgutil
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

import napari_segsuite
from napari_segsuite import cli, docs_gen

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def modules() -> list[str]:
    found = pkgutil.walk_packages(napari_segsuite.__path__, "napari_segsuite.")
    return [entry.name for entry in found if not entry.name.endswith("__main__")]


def test_generated_files_are_up_to_date() -> None:
    stale = [str(path) for path in docs_gen.outdated(ROOT)]
    assert not stale, "run `napari-segsuite generate --write`"


METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [*blocks("python"), *blocks("python", METRICS_PAGE)])
def test_python_of_the_pages_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    expected = re.findall(r"^print\(.*\)\s+# (.+)$", code, flags=re.MULTILINE)
    assert set(expected) <= set(capsys.readouterr().out.splitlines())


def test_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    ours = [words[1:] for words in commands if words[:1] == ["napari-segsuite"]]
    assert len(ours) >= 5
    for words in ours:
        assert cli.main(words) == 0, words


def test_set_up_is_two_lines_in_one_block() -> None:
    _, _, rest = README.partition("<!-- set-up -->\n")
    lines = blocks("sh", rest)[0].splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("napari-segsuite demo")
    script = ROOT / lines[1].split()[0]
    assert os.access(script, os.X_OK)


def test_images_have_absolute_addresses_and_exist() -> None:
    images = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    prefix = "https://raw.githubusercontent.com/napari-segsuite/napari-segsuite/main/"
    assert images
    for address in images:
        assert address.startswith(prefix)
        assert (ROOT / address.removeprefix(prefix)).is_file()


def test_version_of_the_citation_is_that_of_the_package() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {napari_segsuite.__version__}\n" in citation


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_hold(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testmod(import_module(name), optionflags=flags).failed == 0
