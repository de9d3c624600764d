"""Which prediction belongs to which reference, by the names of files in two folders."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import FormatError, InputError, ParameterError
from ...io.formats import format_of, stem_of

_NAME = "{name}"
_SIDE_FILE = ".labels.json"
_MOST_NAMED = 5

Files = dict[str, list[Path]]


@dataclass(frozen=True)
class FilePair:
    """A prediction and its reference.

    Attributes
    ----------
    name : str
        Of the reference, without extension, with the sub-folders it lies in: "site1/case7".
    prediction, reference : Path
    """

    name: str
    prediction: Path
    reference: Path


@dataclass(frozen=True)
class Pairing:
    """The files of two folders.

    Attributes
    ----------
    pairs : tuple of FilePair
        By name, numbers in it by their size.
    only_predictions, only_references : tuple of Path
        Files that the other folder has nothing for, relative to their own.
    """

    pairs: tuple[FilePair, ...]
    only_predictions: tuple[Path, ...] = ()
    only_references: tuple[Path, ...] = ()


def pair_files(
    predictions: str | os.PathLike[str],
    references: str | os.PathLike[str],
    *,
    pattern: str = _NAME,
) -> Pairing:
    """Match the label files of two folders by their names.

    Files of all formats that can be read are looked for, in sub-folders too, which count as
    part of the name; links to folders are not followed. Extensions may differ. Hidden files
    and the side files of labels are passed over. One folder may lie in the other, and both
    may be the same one if `pattern` tells their files apart.

    Parameters
    ----------
    predictions, references : path
        Folders.
    pattern : str
        How the name of a prediction is made of the reference's ``{name}``, both without
        extension: "{name}_pred", "pred_{name}", or "{name}/labels" for a file in a
        sub-folder of that name.

    Returns
    -------
    Pairing

    Raises
    ------
    InputError
        If a folder is missing, no names match, a file would be its own reference, or a name
        stands for several files.
    ParameterError
        If ``{name}`` is not in `pattern` once.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a.nii.gz", "a_pred.nii", "b.nii.gz"):
    ...     (folder / name).touch()
    >>> pairing = pair_files(folder, folder, pattern="{name}_pred")
    >>> [(pair.name, pair.prediction.name) for pair in pairing.pairs]
    [('a', 'a_pred.nii')]
    >>> [str(path) for path in pairing.only_references]
    ['b.nii.gz']
    """
    if pattern.count(_NAME) != 1:
        raise ParameterError(
            f"expected a pattern with {_NAME} in it once, got {pattern!r}; "
            "give for instance '{name}_pred'",
            name="pattern",
        )
    theirs, ours = _folder(references), _folder(predictions)
    expected, predicted = _label_files(theirs, ours), _label_files(ours, theirs)
    wanted = {name: _prediction_of(name, _composed(pattern)) for name in expected}
    names = [name for name in sorted(wanted, key=natural_order) if wanted[name] in predicted]
    pairs = tuple(
        FilePair(name, _only(predicted[wanted[name]]), _only(expected[name])) for name in names
    )
    if not pairs:
        raise InputError(_no_pair(pattern, predicted, expected))
    _check_apart(pairs)
    used = {path for pair in pairs for path in (pair.prediction, pair.reference)}
    lone_references = _unused(expected, used)
    # Where both folders are one, a file is listed once.
    lone_predictions = _unused(predicted, used.union(lone_references))
    return Pairing(
        pairs,
        tuple(path.relative_to(ours) for path in lone_predictions),
        tuple(path.relative_to(theirs) for path in lone_references),
    )


def natural_order(name: str) -> list[tuple[int, str]]:
    """Key that sorts numbers within names by their size.

    Examples
    --------
    >>> sorted(["case10", "case9", "a"], key=natural_order)
    ['a', 'case9', 'case10']
    """
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _folder(path: str | os.PathLike[str]) -> Path:
    folder = Path(os.path.abspath(path))
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(f"expected a folder of label files at {folder}, got {found}; check it")
    return folder


def _label_files(folder: Path, other: Path) -> Files:
    """Files by name within the folder, without those in another folder inside it."""
    inner = other if folder in other.parents else None
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in place.parts)
        if hidden or (inner is not None and inner in path.parents) or not _is_readable(path):
            continue
        found.setdefault(_composed((place.parent / stem_of(path)).as_posix()), []).append(path)
    return found


def _composed(name: str) -> str:
    """A name with its accents in one form: some disks and archives part them from letters."""
    return unicodedata.normalize("NFC", name)


def _is_readable(path: Path) -> bool:
    if path.name.lower().endswith(_SIDE_FILE) or not path.is_file():
        return False
    try:
        return format_of(path).read is not None
    except FormatError:
        return False


def _prediction_of(name: str, pattern: str) -> str:
    folder, _, stem = name.rpartition("/")
    renamed = pattern.replace(_NAME, stem)
    return f"{folder}/{renamed}" if folder else renamed


def _only(paths: list[Path]) -> Path:
    if len(paths) > 1:
        raise InputError(
            f"expected one file of each name in {paths[0].parent}, got "
            f"{', '.join(path.name for path in paths)}; move or rename all but one"
        )
    return paths[0]


def _check_apart(pairs: Iterable[FilePair]) -> None:
    for pair in pairs:
        if pair.prediction.samefile(pair.reference):
            raise InputError(
                f"expected predictions and references in different files, got {pair.prediction} "
                "for both; choose another folder, or a pattern such as '{name}_pred'"
            )


def _unused(files: Files, used: set[Path]) -> list[Path]:
    return [path for paths in files.values() for path in paths if path not in used]


def _no_pair(pattern: str, predicted: Files, expected: Files) -> str:
    return (
        f"expected predictions named {pattern!r} after their references, got predictions "
        f"{_some(predicted)} and references {_some(expected)}; check the folders, or give a "
        "pattern such as '{name}_pred'"
    )


def _some(files: Files) -> str:
    """A few of the names."""
    names = sorted(files, key=natural_order)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(names[:_MOST_NAMED]) or "none that can be read") + more
