"""Pictures in and out."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import FormatError
from napari_segsuite.image import Image
from napari_segsuite.io import GeometryWarning
from napari_segsuite.space import Space

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_comes_back(tmp_path, dtype) -> None:
    image = Image.from_array(GREY.astype(dtype) * (1 if dtype == np.uint8 else 5000))
    nss.write(tmp_path / "grey.png", image)
    again = nss.read(tmp_path / "grey.png")
    assert again.data.dtype == dtype
    np.testing.assert_array_equal(again.data, image.data)
    assert again.space == image.space


@pytest.mark.parametrize("n_channels", [3, 4])
@pytest.mark.parametrize("axis", [0, -1])
def test_colours_come_back_on_the_last_axis(tmp_path, n_channels, axis) -> None:
    data = np.random.default_rng(0).integers(0, 255, (5, 6, n_channels), dtype=np.uint8)
    nss.write(
        tmp_path / "colour.png",
        Image.from_array(np.moveaxis(data, -1, axis), channel_axis=axis),
    )
    again = nss.read(tmp_path / "colour.png")
    np.testing.assert_array_equal(again.data, data)
    assert again.space.channel_axis == 2


def test_labels_come_back_with_their_classes(tmp_path) -> None:
    labels = nss.Segmentation(
        GREY.astype(np.uint32) * 30, Space.regular(2), (nss.LabelClass(30, "cell"),)
    )
    nss.write(tmp_path / "labels.png", labels)
    again = nss.read(tmp_path / "labels.png")
    np.testing.assert_array_equal(again.labels, labels.labels)
    assert again.classes == labels.classes


def test_geometry_that_is_lost_is_said(tmp_path) -> None:
    with pytest.warns(GeometryWarning, match="holds no geometry"):
        nss.write(tmp_path / "grey.png", Image.from_array(GREY, spacing=(2, 2), unit="mm"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("volume.png", Image.from_array(np.zeros((2, 3, 4), np.uint8))),
        ("float.png", Image.from_array(GREY.astype(np.float32))),
        ("two.png", Image.from_array(np.zeros((3, 4, 2), np.uint8), channel_axis=-1)),
        ("large.png", nss.Segmentation(GREY.astype(np.uint32) * 70_000, Space.regular(2))),
        ("lossy.jpg", nss.Segmentation(GREY, Space.regular(2))),
        ("lossy.jpg", Image.from_array(GREY)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_picture_cannot_hold_is_refused(tmp_path, name, value) -> None:
    with pytest.raises(FormatError, match=name):
        nss.write(tmp_path / name, value)
    assert not list(tmp_path.iterdir())


def test_kinds_of_pictures(test_data) -> None:
    folder = test_data / "formats" / "png_jpeg"
    shapes = {
        "cmyk.jpg": (256, 171, 3),
        "exif_orientation6.jpg": (171, 256, 3),
        "gray.jpg": (256, 171),
        "gray16.png": (256, 171),
        "gray_alpha.png": (256, 171),
        "one_bit.png": (256, 171),
        "palette_16.png": (256, 171, 3),
        "rgba.png": (256, 171, 4),
        "name with spaces & ünïcode.png": (256, 171, 3),
    }
    for name, shape in shapes.items():
        image = nss.read(folder / name)
        assert image.data.shape == shape, name
        assert len(np.unique(image.data)) > 1, name


def png_of_16_bits(colour_type: int, n_channels: int) -> bytes:
    """Two by two pixels, as no writer at hand makes them."""
    head = struct.pack(">IIBBBBB", 2, 2, 16, colour_type, 0, 0, 0)
    line = b"\0" + struct.pack(f">{2 * n_channels}H", *range(300, 300 + 2 * n_channels))
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(line * 2)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_no_bits_are_lost_without_a_word(tmp_path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png_of_16_bits(0, 1))
    np.testing.assert_array_equal(nss.read(path).data, [[300, 301], [300, 301]])
    for colour_type, n_channels in ((2, 3), (4, 2), (6, 4)):
        path.write_bytes(png_of_16_bits(colour_type, n_channels))
        with pytest.raises(FormatError, match="expected colours of 8 bits in a PNG picture"):
            nss.read(path)


def test_a_palette_of_labels_gives_its_indices(test_data) -> None:
    folder = test_data / "formats" / "png_jpeg"
    labels = nss.read(folder / "label_palette.png")
    assert isinstance(labels, nss.Segmentation)
    assert labels.labels.max() < 10
    colours = nss.read(folder / "label_rgb_colours.png").data
    for label in np.unique(labels.labels):
        assert len(np.unique(colours[labels.labels == label], axis=0)) == 1


@pytest.mark.parametrize("name", ["empty.png", "truncated.png"])
def test_damaged_pictures_are_refused(test_data, name) -> None:
    with pytest.raises(FormatError, match=f"{name}: expected a PNG or JPEG picture"):
        nss.read(test_data / "formats" / "malformed" / name)


def test_content_decides_not_the_name(test_data) -> None:
    assert nss.read(test_data / "formats" / "malformed" / "jpeg_named_png.png").data.ndim == 2
