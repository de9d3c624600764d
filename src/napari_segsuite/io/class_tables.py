"""Class tables as files: our own CSV, and those of ITK-SNAP and 3D Slicer."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ..errors import FormatError, InputError
from ..image import CLASS_COLOURS, RGBA, LabelClass, colour_from_hex, colour_to_hex
from .atomic import atomic_path

Line = tuple[int, str]

_COLUMNS = ("id", "name", "colour", "visible", "locked")
# What other programs call these columns: 3D Slicer's CSV, and BIDS.
_ALIASES = {"labelvalue": "id", "index": "id", "color": "colour"}
_PARTS = ("color_r", "color_g", "color_b", "color_a")
_DELIMITERS = ",;\t"
_LARGEST_ID = 2**32 - 1
_LONGEST_LINE = 10_000
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")
_ITK_SNAP_HEADER = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    IDX:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
    0     0    0    0        0  0  0    "Clear Label"
"""


def read_class_table(path: str | os.PathLike[str]) -> tuple[LabelClass, ...]:
    """Read names, colours and states of classes from a file.

    Understood are tables with a header line, separated by commas, semicolons or tabs (ours:
    ``id,name,colour,visible,locked``; 3D Slicer's: ``LabelValue,Name,Color_R,…``; BIDS:
    ``index name color``), ITK-SNAP's label descriptions, and 3D Slicer's colour tables, whose
    underscores stand for spaces. The content says which it is, whatever the file's name.

    Parameters
    ----------
    path : path
        Text in UTF-8.

    Returns
    -------
    tuple of LabelClass
        In ascending order of id; 0, the background, is left out. Colours are multiples of
        1/255.

    Raises
    ------
    FormatError
        If the file cannot be read, or a line of it is not what is expected there.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tissue.csv"
    >>> write_class_table(path, [LabelClass(2, "white matter", (1, 0.8, 0), locked=True)])
    >>> read_class_table(path)[0].name
    'white matter'
    """
    source = Path(path)
    lines = _lines_of(source)
    parse = _parser_for(lines, source.name)
    classes: dict[int, LabelClass] = {}
    for number, text in lines:
        if text.startswith("#"):
            continue
        try:
            entry = parse(text)
            if entry is not None and entry.id in classes:
                raise ValueError(f"expected a class that is not listed yet, got {entry.id} again")
        except ValueError as error:
            raise FormatError(
                f"{source.name}, line {number}: {error}; correct or remove the line"
            ) from error
        if entry is not None and entry.id > 0:
            classes[entry.id] = entry
    if not classes:
        raise FormatError(
            f"{source.name}: expected a class table, got no class; choose a CSV with the columns "
            f"{', '.join(_COLUMNS)}, an ITK-SNAP label description or a 3D Slicer colour table"
        )
    return tuple(classes[index] for index in sorted(classes))


def write_class_table(path: str | os.PathLike[str], classes: Iterable[LabelClass]) -> None:
    """Write names, colours and states of classes; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        ``.csv`` writes all there is; ``.label`` and ``.txt`` an ITK-SNAP label description
        (without locks); ``.ctbl`` a 3D Slicer colour table (without locks and visibility,
        spaces in names as underscores). Colours have 8 bits; classes without one get one in
        the formats that need it. White space in names becomes single spaces.
    classes : iterable of LabelClass
        An entry of id 0 is left out: the background is no class.

    Raises
    ------
    FormatError
        If the extension is another one, or the file cannot be written.
    InputError
        If an id occurs twice, or is no whole number up to 2³² - 1.
    """
    target = Path(path)
    writer = _WRITERS.get(target.suffix.lower())
    if writer is None:
        raise FormatError(
            f"cannot write {target.name}: expected a class table ending in "
            f"{', '.join(_WRITERS)}, got '{target.suffix}'; choose one of these"
        )
    text = writer(_checked(classes), target.name)
    with atomic_path(target) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


# --- reading --------------------------------------------------------------------------
def _lines_of(path: Path) -> list[Line]:
    """Numbered lines that are not blank, comments included."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path.name}: expected a class table in UTF-8, got other bytes at "
            f"{error.start}; choose another file, or save it as UTF-8"
        ) from error
    # Not str.splitlines: a name may hold a form feed or a Unicode line separator.
    numbered = list(enumerate(re.split(r"\r\n|\n|\r", text), start=1))
    for number, line in numbered:
        if len(line) > _LONGEST_LINE:
            raise FormatError(
                f"{path.name}: expected a class table, got a line {number} of {len(line)} "
                "characters; choose another file"
            )
    return [(number, line.strip(" ")) for number, line in numbered if line.strip()]


def _parser_for(lines: list[Line], name: str) -> Callable[[str], LabelClass | None]:
    """What turns a line into a class; takes the header of a CSV off `lines`."""
    first = next((i for i, (_, text) in enumerate(lines) if not text.startswith("#")), None)
    if first is None:
        return _slicer_class
    number, text = lines[first]
    delimiter = max(_DELIMITERS, key=text.count)
    header = [_column_name(cell) for cell in _cells(text, delimiter)]
    if "id" in header:
        if "name" not in header:
            raise FormatError(f"{name}, line {number}: expected a column 'name'; add one")
        del lines[first]
        return lambda line: _csv_class(line, header, delimiter)
    said = any(text.startswith("#") and "itk-snap" in text.lower() for _, text in lines)
    if said or len(text.split()) >= 8:
        return _itk_snap_class
    # FreeSurfer writes such tables with the transparency where Slicer has the opacity.
    if all(text.split()[-1] == "0" for _, text in lines[first:] if not text.startswith("#")):
        return lambda line: _opaque(_slicer_class(line))
    return _slicer_class


def _column_name(cell: str) -> str:
    word = cell.strip().lower()
    return _ALIASES.get(word, word)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))


def _csv_class(line: str, header: list[str], delimiter: str) -> LabelClass | None:
    cells = [cell.strip() for cell in _cells(line, delimiter)]
    if not any(cells):
        return None
    if len(cells) > len(header) and any(cells[len(header) :]):
        raise ValueError(f"expected {len(header)} cells as in the header, got {len(cells)}")
    row = dict(zip(header, cells, strict=False))
    index = _id(row.get("id", ""))
    colour = None
    if row.get("colour"):
        colour = colour_from_hex(row["colour"])
    elif row.get("color_r"):
        colour = _colour(*(row.get(part) or "255" for part in _PARTS))
    name = row.get("name") or f"class {index}"
    visible, locked = _flag(row.get("visible"), True), _flag(row.get("locked"), False)
    return LabelClass(index, name, colour, visible, locked)


def _itk_snap_class(line: str) -> LabelClass:
    parts = line.split(maxsplit=7)
    if len(parts) < 8:
        raise ValueError(f'expected index red green blue alpha visible mesh "label", got {line!r}')
    index, *rgb, alpha, visible, _mesh, name = parts
    opacity = float(alpha) if _is_number(alpha) else -1.0
    if not 0 <= opacity <= 255:
        raise ValueError(f"expected an opacity from 0 to 1, got {alpha!r}")
    # ITK-SNAP says 0 to 1; converters of other programs put 255 here.
    byte = round(255 * opacity) if opacity <= 1 else round(opacity)
    colour = _colour(*rgb, str(byte))
    shown = name.strip().strip('"').strip() or f"class {index}"
    return LabelClass(_id(index), shown, colour, _flag(visible, True))


def _slicer_class(line: str) -> LabelClass:
    parts = line.split()
    if len(parts) not in (5, 6):
        raise ValueError(f"expected index name red green blue alpha, got {line!r}")
    index, name, *rgba = parts
    shown = name.strip("'").replace("_", " ").strip() or f"class {index}"
    return LabelClass(_id(index), shown, _colour(*rgba))


def _opaque(entry: LabelClass) -> LabelClass:
    red, green, blue, _ = _some_colour(entry)
    return replace(entry, colour=(red, green, blue, 1.0))


def _id(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,10}", text) is None or int(text) > _LARGEST_ID:
        raise ValueError(f"expected a whole number from 0 to {_LARGEST_ID} as id, got {text!r}")
    return int(text)


def _colour(*parts: str) -> RGBA:
    """The colour of three or four numbers."""
    if not all(_is_number(part) and float(part) <= 255 for part in parts):
        raise ValueError(f"expected a colour as numbers from 0 to 255, got {', '.join(parts)}")
    red, green, blue, alpha = (round(float(part)) / 255 for part in (*parts, "255")[:4])
    return red, green, blue, alpha


def _flag(text: str | None, default: bool) -> bool:
    word = (text or "").lower()
    if word and word not in (*_TRUE, *_FALSE):
        raise ValueError(f"expected 1 or 0 for yes or no, got {text!r}")
    return word in _TRUE if word else default


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d*)?|\.\d+", text, re.ASCII) is not None


# --- writing --------------------------------------------------------------------------
def _checked(classes: Iterable[LabelClass]) -> list[LabelClass]:
    """In order of id, with names of one line, without the background."""
    table: dict[int, LabelClass] = {}
    for entry in classes:
        if entry.id in table:
            raise InputError(f"expected each class once, got {entry.id} again; renumber one")
        if int(entry.id) != entry.id or not 0 <= entry.id <= _LARGEST_ID:
            raise InputError(
                f"expected whole numbers from 0 to {_LARGEST_ID} as ids, got {entry.id}; "
                "renumber the class"
            )
        table[int(entry.id)] = replace(entry, name=" ".join(entry.name.split()))
    return [table[index] for index in sorted(table) if index]


def _csv_text(classes: list[LabelClass], _name: str) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for entry in classes:
        colour = "" if entry.colour is None else colour_to_hex(entry.colour)
        rows.writerow([entry.id, entry.name, colour, int(entry.visible), int(entry.locked)])
    return text.getvalue()


def _itk_snap_text(classes: list[LabelClass], _name: str) -> str:
    lines = []
    for entry in classes:
        red, green, blue, alpha = _bytes(_some_colour(entry))
        shown = int(entry.visible)
        # The format has no word for a quotation mark within a name.
        name = entry.name.replace('"', "'")
        lines.append(
            f"{entry.id:5d} {red:5d}{green:5d}{blue:5d}{alpha / 255:9.3g}"
            f'{shown:3d}{shown:3d}    "{name}"\n'
        )
    return _ITK_SNAP_HEADER + "".join(lines)


def _slicer_text(classes: list[LabelClass], name: str) -> str:
    lines = [f"# Color table file {name}", f"# {len(classes) + 1} values", "0 background 0 0 0 0"]
    for entry in classes:
        parts = " ".join(map(str, _bytes(_some_colour(entry))))
        lines.append(f"{entry.id} {entry.name.replace(' ', '_') or '_'} {parts}")
    return "\n".join(lines) + "\n"


def _some_colour(entry: LabelClass) -> RGBA:
    return entry.colour or CLASS_COLOURS[(entry.id - 1) % len(CLASS_COLOURS)]


def _bytes(colour: RGBA) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in colour)


_WRITERS: dict[str, Callable[[list[LabelClass], str], str]] = {
    ".csv": _csv_text,
    ".label": _itk_snap_text,
    ".txt": _itk_snap_text,
    ".ctbl": _slicer_text,
}
