"""Areas of surface per neighbourhood: worked out by hand, symmetries, and a peer's table."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from napari_segsuite.metrics.surfaces.surfel_areas import surfel_areas

CORNERS = list(product((0, 1), repeat=3))
SPACINGS = [(1, 1, 1), (3, 0.7, 0.7), (1.3, 0.7, 2.9), (0.1, 5, 2)]


def code(*inside):
    return sum(1 << CORNERS.index(corner) for corner in inside)


def triangle(*points):
    a, b, c = (np.array(point, float) for point in points)
    return np.linalg.norm(np.cross(b - a, c - a)) / 2


@pytest.mark.parametrize("spacing", SPACINGS)
def test_areas_by_hand(spacing):
    areas = surfel_areas(spacing)
    z, y, x = spacing
    assert areas[0] == areas[255] == 0
    corner = triangle((z / 2, 0, 0), (0, y / 2, 0), (0, 0, x / 2))
    assert areas[code((0, 0, 0))] == pytest.approx(corner)
    assert areas[255 - code((1, 0, 1))] == pytest.approx(corner)
    assert areas[code((0, 0, 0), (1, 1, 1))] == pytest.approx(2 * corner)
    for axis, area in enumerate((y * x, z * x, z * y)):
        half = [c for c in CORNERS if c[axis] == 0]
        assert areas[code(*half)] == pytest.approx(area)
    # An edge along x is cut off by a rectangle, and along with its neighbours by more.
    assert areas[code((0, 0, 0), (0, 0, 1))] == pytest.approx(x * np.hypot(z, y) / 2)
    assert areas[code((0, 0, 0), (0, 1, 1))] == pytest.approx(2 * corner)
    # Three corners of the face z = 0: half of that face's section, and a flat trapezoid.
    slope = triangle((z, 0, 0), (0, y, 0), (0, 0, x)) * 3 / 4
    three = code((0, 0, 0), (0, 0, 1), (0, 1, 0))
    assert areas[three] == pytest.approx(y * x / 2 + slope)


def test_a_corner_and_its_three_neighbours_are_cut_off_by_a_hexagon():
    hexagon = code((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))
    assert surfel_areas((1, 1, 1))[hexagon] == pytest.approx(3 * np.sqrt(3) / 4)


def test_lengths_of_contours_by_hand():
    lengths = surfel_areas((3, 0.5))
    diagonal = np.hypot(3, 0.5) / 2
    expected = [0, *[diagonal] * 2, 0.5, diagonal, 3, 2 * diagonal, diagonal]
    assert lengths == pytest.approx([*expected, *expected[::-1]])


@pytest.mark.parametrize("spacing", SPACINGS)
def test_turning_mirroring_and_filling_a_cell_change_nothing(spacing):
    areas = surfel_areas(spacing)
    assert areas == pytest.approx(areas[::-1])
    for axes in permutations(range(3)):
        turned = surfel_areas([spacing[axis] for axis in axes])
        for flips in product((0, 1), repeat=3):
            for number in range(256):
                inside = [c for bit, c in enumerate(CORNERS) if number >> bit & 1]
                moved = [tuple(c[axis] ^ flips[axis] for axis in axes) for c in inside]
                assert turned[code(*moved)] == pytest.approx(areas[number])


@pytest.mark.parametrize("spacing", SPACINGS)
def test_against_surface_distance(spacing):
    peer = pytest.importorskip("surface_distance.lookup_tables")
    theirs = peer.create_table_neighbour_code_to_surface_area(spacing)
    for number in range(256):
        inside = [c for bit, c in enumerate(CORNERS) if number >> bit & 1]
        place = sum(int(peer.ENCODE_NEIGHBOURHOOD_3D_KERNEL[corner]) for corner in inside)
        assert surfel_areas(spacing)[number] == pytest.approx(theirs[place], rel=1e-12)
    theirs = peer.create_table_neighbour_code_to_contour_length(spacing[1:])
    # Theirs has the first corner in the highest bit.
    mirrored = [int(f"{number:04b}"[::-1], 2) for number in range(16)]
    assert surfel_areas(spacing[1:])[mirrored] == pytest.approx(theirs, rel=1e-12)
