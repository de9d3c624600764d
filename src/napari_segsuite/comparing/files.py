"""The folder that a comparison is saved to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FormatError
from ..io import atomic_path, write
from .picture import draw
from .report import Comparison, Row, distinct, settings_as_json

_LABELS_FORMAT = ".nii.gz"


@dataclass(frozen=True)
class ReportFiles:
    """What `Comparison.save_report` writes.

    Attributes
    ----------
    labels : mapping of str to Path
        By name of the entry.
    picture, table, report : Path
    """

    labels: Mapping[str, Path]
    picture: Path
    table: Path
    report: Path

    @classmethod
    def in_folder(cls, folder: Path, names: Sequence[str]) -> ReportFiles:
        """The files for entries of these names.

        Examples
        --------
        >>> files = ReportFiles.in_folder(Path("out"), ["K-means (n_clusters=3)"])
        >>> [path.name for path in files.labels.values()]
        ['k_means_n_clusters_3.nii.gz']
        """
        stems = distinct(map(_file_stem, names), "_")
        paths = (folder / f"{stem}{_LABELS_FORMAT}" for stem in stems)
        rest = (folder / name for name in ("comparison.png", "comparison.csv", "report.md"))
        return cls(dict(zip(names, paths, strict=True)), *rest)

    @property
    def all(self) -> tuple[Path, ...]:
        """Every one of them."""
        return (*self.labels.values(), self.picture, self.table, self.report)


def save_report(
    comparison: Comparison, folder: Path, slice_index: int | None = None
) -> tuple[Path, ...]:
    """Write what `Comparison.save_report` says; see there."""
    files = ReportFiles.in_folder(folder, [row.name for row in comparison.rows])
    _make(folder)
    draw(files.picture, comparison, slice_index)
    written = {name: files.labels[name] for name in comparison.results}
    for name, path in written.items():
        write(path, comparison.results[name])
    comparison.to_csv(files.table)
    with atomic_path(files.report) as scratch:
        scratch.write_text(_report(comparison, files.picture, written), encoding="utf-8")
    return (*written.values(), files.picture, files.table, files.report)


def _report(comparison: Comparison, picture: Path, labels: Mapping[str, Path]) -> str:
    name = comparison.image.name
    parts = [
        f"# Methods compared on {name}",
        f"![{name} with the results]({picture.name})",
        comparison.to_markdown().strip(),
        "## Labels and settings",
        "\n".join(_source(row, labels.get(row.name)) for row in comparison.rows),
    ]
    if comparison.metrics:
        parts += ["## Scores of each class", comparison.class_tables()]
    return "\n\n".join(parts) + "\n"


def _source(row: Row, file: Path | None) -> str:
    """How the labels of a row were made, and where they are."""
    where = "no labels" if file is None else f"[{file.name}]({file.name})"
    return f"- {row.name}: {where}, `{row.method}` with `{settings_as_json(row.settings)}`"


def _file_stem(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_").lower() or "result"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(
            f"cannot write to {folder}: {(error.strerror or str(error)).lower()}; "
            "choose another folder"
        ) from error
