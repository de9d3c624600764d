"""Class tables: what other programs write is read, what we write comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import FormatError, InputError
from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.io import read, write
from napari_segsuite.io.class_tables import read_class_table, write_class_table
from napari_segsuite.space import Space

# As ITK-SNAP 4 saves them, Segmentation > Save Label Descriptions.
ITK_SNAP = """\
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
    1   255    0    0        1  1  1    "Left kidney (cortex)"
    2     0  255    0      0.4  0  1    "Label 2"
   17   205  133   63        1  1  1    "Tumour"
"""  # noqa: W291 - the program's own spaces

# As 3D Slicer saves a colour table node.
SLICER = """\
# Color table file C:/Users/andra/Segmentation-label_ColorTable.ctbl
# 4 values
0 Background 0 0 0 0
1 artery 216 101 79 255
2 bone 241 214 145 102
30 connective_tissue 111 184 210 255
"""

# As 3D Slicer 5.10 saves one as CSV, with its terminology.
SLICER_CSV = """\
LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Category_CodingScheme,Category_CodeMeaning
1,left_kidney,185,102,83,255,SCT,Anatomical Structure
6,"mass, right",144,238,144,51,SCT,"Structure, altered"
"""

FREESURFER = """\
#$Id: FreeSurferColorLUT.txt $

#No. Label Name:                            R   G   B   A

0   Unknown                                 0   0   0   0
1   Left-Cerebral-Exterior                  70  130 180 0
2   Left-Cerebral-White-Matter              245 245 245 0
"""

BIDS = "index\tname\tcolor\n1\tGray Matter\t#ff53bb\n2\tWhite Matter\t#2f8bbe\n"

OURS = """\
# painted on Monday
id,name,colour,visible,locked

3,"grey, matter",#e69f00,1,0
1,liver,#00ff0080,0,1
4,unknown,,,
"""


def colour(*parts):
    return tuple(part / 255 for part in parts)


EXPECTED = {
    "itk-snap": (
        ITK_SNAP,
        (
            LabelClass(1, "Left kidney (cortex)", colour(255, 0, 0, 255)),
            LabelClass(2, "Label 2", colour(0, 255, 0, 102), visible=False),
            LabelClass(17, "Tumour", colour(205, 133, 63, 255)),
        ),
    ),
    "slicer": (
        SLICER,
        (
            LabelClass(1, "artery", colour(216, 101, 79, 255)),
            LabelClass(2, "bone", colour(241, 214, 145, 102)),
            LabelClass(30, "connective tissue", colour(111, 184, 210, 255)),
        ),
    ),
    "slicer csv": (
        SLICER_CSV,
        (
            LabelClass(1, "left_kidney", colour(185, 102, 83, 255)),
            LabelClass(6, "mass, right", colour(144, 238, 144, 51)),
        ),
    ),
    "freesurfer": (
        FREESURFER,
        (
            LabelClass(1, "Left-Cerebral-Exterior", colour(70, 130, 180, 255)),
            LabelClass(2, "Left-Cerebral-White-Matter", colour(245, 245, 245, 255)),
        ),
    ),
    "bids": (
        BIDS,
        (
            LabelClass(1, "Gray Matter", colour(255, 83, 187, 255)),
            LabelClass(2, "White Matter", colour(47, 139, 190, 255)),
        ),
    ),
    "ours": (
        OURS,
        (
            LabelClass(1, "liver", colour(0, 255, 0, 128), visible=False, locked=True),
            LabelClass(3, "grey, matter", colour(230, 159, 0, 255)),
            LabelClass(4, "unknown"),
        ),
    ),
    "semicolons of a spreadsheet": (
        "Id;Name;Colour\r\n1;a;#FF0000\r\n;;\r\n2;b;\r\n",
        (LabelClass(1, "a", colour(255, 0, 0, 255)), LabelClass(2, "b")),
    ),
    "no header, 255 for opaque": (
        '1 255 0 0 255 1 1 "Left Region"\n2 0 255 0 1 1 1 Right\n',
        (
            LabelClass(1, "Left Region", colour(255, 0, 0, 255)),
            LabelClass(2, "Right", colour(0, 255, 0, 255)),
        ),
    ),
    "slicer without opacity": (
        "1 'tissue' 1 2 3\n",
        (LabelClass(1, "tissue", colour(1, 2, 3, 255)),),
    ),
}


@pytest.mark.parametrize(("text", "expected"), EXPECTED.values(), ids=EXPECTED)
@pytest.mark.parametrize("name", ["table.txt", "table.csv"])
def test_what_other_programs_write_is_read(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert read_class_table(path) == expected


@pytest.mark.parametrize(("text", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path, text, expected):
    path = tmp_path / "table.txt"
    lines = text.replace("\r\n", "\n")
    for end in ("\r\n", "\r", "\n\n"):
        path.write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", end).encode())
        assert read_class_table(path) == expected


def test_what_is_written_is_what_the_programs_expect(tmp_path):
    classes = (
        LabelClass(0, "background"),
        LabelClass(12, 'the "new" one', colour(1, 2, 3, 128), visible=False, locked=True),
        LabelClass(2, "white  matter", colour(255, 83, 187, 255)),
        LabelClass(3, "plain"),
    )
    texts = {}
    for suffix in ("csv", "label", "ctbl", "txt"):
        write_class_table(tmp_path / f"t.{suffix}", classes)
        texts[suffix] = (tmp_path / f"t.{suffix}").read_text().splitlines()
    assert texts["csv"] == [
        "id,name,colour,visible,locked",
        "2,white matter,#ff53bb,1,0",
        "3,plain,,1,0",
        '12,"the ""new"" one",#01020380,0,1',
    ]
    assert [line.rstrip() for line in ITK_SNAP.splitlines()[:15]] == texts["label"][:15]
    assert texts["label"][15:] == [
        '    2   255   83  187        1  1  1    "white matter"',
        '    3     0  158  115        1  1  1    "plain"',
        "   12     1    2    3    0.502  0  0    \"the 'new' one\"",
    ]
    assert texts["txt"] == texts["label"]
    assert texts["ctbl"] == [
        "# Color table file t.ctbl",
        "# 4 values",
        "0 background 0 0 0 0",
        "2 white_matter 255 83 187 255",
        "3 plain 0 158 115 255",
        '12 the_"new"_one 1 2 3 128',
    ]


bytes_ = st.integers(0, 255)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: " ".join(f"n{text}".split())
)
classes_ = st.lists(
    st.builds(
        LabelClass,
        st.integers(1, 2**32 - 1),
        names,
        st.none() | st.tuples(bytes_, bytes_, bytes_, bytes_).map(lambda parts: colour(*parts)),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda entry: entry.id,
)


@settings(max_examples=80, deadline=None)
@given(classes=classes_)
def test_our_own_format_loses_nothing(tmp_path_factory, classes):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    write_class_table(path, classes)
    assert read_class_table(path) == tuple(sorted(classes, key=lambda entry: entry.id))


@settings(max_examples=80, deadline=None)
@given(classes=classes_)
def test_the_other_formats_keep_what_they_have_a_word_for(tmp_path_factory, classes):
    folder = tmp_path_factory.mktemp("tables")
    opaque = (*(entry for entry in classes if entry.colour and entry.colour[3] > 0),)
    if not opaque:
        return
    write_class_table(folder / "t.label", opaque)
    write_class_table(folder / "t.ctbl", opaque)
    in_order = sorted(opaque, key=lambda entry: entry.id)
    for before, itk, slicer in zip(
        in_order,
        read_class_table(folder / "t.label"),
        read_class_table(folder / "t.ctbl"),
        strict=True,
    ):
        assert itk.id == slicer.id == before.id
        assert itk.colour == slicer.colour == before.colour
        assert itk.name == before.name.replace('"', "'")
        assert itk.visible == before.visible


BAD = {
    "id": ("id,name\nx,a\n", r"t\.csv, line 2: expected a whole number .* got 'x'"),
    "no id": ("id,name\n1,a\n,b\n", r"line 3: .* got ''"),
    "large": ("id,name\n4294967296,a\n", r"line 2: .* from 0 to 4294967295"),
    "twice": ("# c\nid,name\n1,a\n\n1,b\n", r"line 5: .* got 1 again"),
    "hex": ("id,name,colour\n1,a,red\n", r"line 2: expected a colour as #rrggbb.*'red'"),
    "flag": ("id,name,visible\n1,a,maybe\n", r"line 2: expected 1 or 0.*'maybe'"),
    "cells": ("id,name\n1,a,b\n", r"line 2: expected 2 cells.*got 3"),
    "no name": ("id,colour\n1,#ff0000\n", r"line 1: expected a column 'name'"),
    "slicer colour": ("1 a 256 0 0 255\n", r"line 1: expected a colour.*256"),
    "slicer parts": ("1 a 0 0 0 255\n2 two words 0 0 0 255\n", r"line 2: expected index name"),
    "itk parts": (ITK_SNAP + "3 1 2\n", r"line 19: expected index red green.*'3 1 2'"),
    "itk alpha": (ITK_SNAP + '3 1 2 3 nan 1 1 "a"\n', r"line 19: expected an opacity.*'nan'"),
    "empty": ("# nothing\n\n", r"t\.csv: expected a class table, got no class; choose"),
    "background alone": ("0 background 0 0 0 0\n", r"got no class"),
    "something else": ("x" * 20_000, r"got a line 1 of 20000 characters"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_class_table(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables_are_refused_in_words(tmp_path):
    with pytest.raises(FormatError, match=r"cannot read .*missing\.csv: No such file"):
        read_class_table(tmp_path / "missing.csv")
    with pytest.raises(FormatError, match="cannot read"):
        read_class_table(tmp_path)
    (tmp_path / "t.csv").write_bytes(b"id,name\n1,gr\xfcn\n")
    with pytest.raises(FormatError, match=r"t\.csv: expected a class table in UTF-8.*at 12"):
        read_class_table(tmp_path / "t.csv")


def test_nothing_is_left_of_a_table_that_cannot_be_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("precious")
    twice = (LabelClass(1, "a"), LabelClass(1, "b"))
    with pytest.raises(InputError, match="each class once, got 1 again"):
        write_class_table(path, twice)
    with pytest.raises(InputError, match="ids, got -1"):
        write_class_table(path, [LabelClass(-1, "a")])
    with pytest.raises(FormatError, match=r"ending in \.csv, \.label, \.txt, \.ctbl, got '\.xls'"):
        write_class_table(tmp_path / "t.xls", [LabelClass(1, "a")])
    with pytest.raises(FormatError, match="does not exist"):
        write_class_table(tmp_path / "no" / "t.csv", [LabelClass(1, "a")])
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_states_of_classes_stay_beside_label_files(tmp_path):
    classes = (
        LabelClass(1, "a", (1.0, 0.0, 0.0, 1.0), visible=False),
        LabelClass(np.uint8(2), "b", None, visible=True, locked=True),
    )
    labels = np.ones((3, 4, 5), np.uint8)
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), classes))
    assert read(tmp_path / "a.nii").classes == classes
