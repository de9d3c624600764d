"""Filters of the feature bank against scipy, NumPy and plain definitions."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from napari_segsuite.kernels.cpu.eigenvalues import symmetric_eigenvalues
from napari_segsuite.kernels.cpu.filter_windows import Extremes, Median
from napari_segsuite.kernels.cpu.filters import (
    TRUNCATE,
    Intensity,
    Scale,
    Structure,
    gaussian_box,
)

SHAPES = st.sampled_from([(1, 1, 1), (1, 1, 40), (1, 9, 5), (7, 1, 17), (5, 6, 16), (11, 23, 37)])
SIGMAS = st.tuples(*[st.sampled_from([0.0, 0.1, 0.6, 1.3, 4.0])] * 3)
FILTERS = [
    Intensity(),
    Scale((0.4, 1.0, 2.0)),
    Scale((0.4, 1.0, 2.0), planar=True),
    Structure((0.5, 1.0, 1.0), (1.0, 2.0, 2.0)),
    Structure((0.5, 1.0, 1.0), (0.0, 2.0, 3.0), planar=True),
    Extremes((1, 2, 3)),
    Median(),
]


def random_image(shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def whole(filter_, image):
    return filter_(image, (0, 0, 0), image.shape)


def scipy_gaussian(image, sigma, along):
    """Derivative times sigma to its order, by the same weights in double precision."""
    orders = [along.count(axis) for axis in range(3)]
    result = image.astype(float)
    for axis, (s, order) in enumerate(zip(sigma, orders, strict=True)):
        if int(TRUNCATE * s + 0.5) == 0:
            result = result * (order == 0)
            continue

        def run(order, array=result, s=s, axis=axis):
            return ndi.gaussian_filter1d(array, s, axis, order, truncate=TRUNCATE)

        if order == 2:
            impulse = np.zeros(101)
            impulse[50] = 1
            share = ndi.gaussian_filter1d(impulse, s, order=2, truncate=TRUNCATE).sum()
            result = s**2 * (run(2) - share * run(0))
        else:
            result = s**order * run(order)
    return result


@settings(max_examples=60, deadline=None)
@given(SHAPES, SIGMAS, st.sampled_from([(), (0,), (1,), (2,), (0, 0), (2, 2), (0, 1), (1, 2)]))
def test_gaussians_equal_scipy(shape, sigma, along):
    image = random_image(shape)
    expected = scipy_gaussian(image, sigma, along)
    np.testing.assert_allclose(
        gaussian_box(image, sigma, along, (0, 0, 0), shape), expected, rtol=0, atol=3e-6
    )


def test_derivatives_of_a_parabola():
    """Of x², the first derivative is 2 x sigma and the second 2 sigma², but for the cut."""
    x = np.arange(60, dtype=np.float32)
    image = np.tile(x * x / 100, (1, 20, 1))
    at = ((0, 10, 30), (1, 1, 1))
    slope = gaussian_box(image, (0, 2.0, 2.0), (2,), *at).item()
    bend = gaussian_box(image, (0, 2.0, 2.0), (2, 2), *at).item()
    assert slope == pytest.approx(2 * 30 * 2 / 100, rel=0.03)
    assert bend == pytest.approx(2 * 4 / 100, rel=0.1)


@pytest.mark.parametrize("filter_", FILTERS, ids=str)
@pytest.mark.parametrize("shape", [(9, 21, 33), (1, 30, 18), (6, 7, 8), (1, 1, 3)])
def test_a_box_is_bit_for_bit_what_it_is_in_the_whole(filter_, shape):
    image = random_image(shape)
    expected = whole(filter_, image)
    assert expected.dtype == np.float32
    assert expected.shape == (len(filter_.names), *shape)
    rng = np.random.default_rng(1)
    for _ in range(8):
        low = [int(rng.integers(0, n)) for n in shape]
        size = [int(rng.integers(1, n - a + 1)) for n, a in zip(shape, low, strict=True)]
        box = tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))
        np.testing.assert_array_equal(filter_(image, tuple(low), tuple(size)), expected[:, *box])


def matrices(entries, size):
    matrix = np.empty((*entries.shape[1:], size, size))
    for entry, (a, b) in zip(entries, combinations_with_replacement(range(size), 2), strict=True):
        matrix[..., a, b] = matrix[..., b, a] = entry
    return matrix


@pytest.mark.parametrize(
    ("n_axes", "planar", "first"), [(3, False, 0), (3, True, 1), (2, False, 1)]
)
def test_scale_is_value_gradient_deviation_and_hessian(n_axes, planar, first):
    sigma = (0.7, 1.0, 2.0)[3 - n_axes :]
    image = random_image((8, 19, 24)[: n_axes + 1] if n_axes == 3 else (1, 19, 24))
    solid = (0.0,) * (3 - n_axes) + sigma

    def g(along, squares=False):
        return scipy_gaussian(image**2 if squares else image, solid, along)

    axes = range(first, 3)
    pairs = list(combinations_with_replacement(axes, 2))
    hessian = matrices(np.stack([g(pair) for pair in pairs]), len(axes))
    expected = [
        g(()),
        np.sqrt(sum(g((axis,)) ** 2 for axis in axes)),
        np.sqrt(g((), squares=True) - g(()) ** 2),
        *np.moveaxis(np.linalg.eigvalsh(hessian)[..., ::-1], -1, 0),
    ]
    planes = whole(Scale(sigma, planar), image)
    np.testing.assert_allclose(planes, np.stack(expected), rtol=0, atol=1e-5)


def test_derivatives_count_alike_whatever_the_spacing():
    """A blob seen with thick slices bends as much across them as within."""
    z, y, x = np.indices((21, 41, 41)).astype(np.float32)
    round_blob = np.exp(-((2 * (z - 10)) ** 2 + (y - 20) ** 2 + (x - 20) ** 2) / 100)
    bends = Scale((1.5, 3.0, 3.0))(round_blob.astype(np.float32), (10, 20, 20), (1, 1, 1))[3:]
    assert bends.max() < 0
    assert bends.min() == pytest.approx(bends.max(), rel=0.1)


def test_flat_images_have_neither_gradient_nor_bend():
    planes = whole(Scale((0.7, 1.5, 3.0)), np.full((5, 20, 20), 1000, np.float32))
    np.testing.assert_allclose(planes[0], 1000, rtol=1e-6)
    np.testing.assert_allclose(planes[[1, 3, 4, 5]], 0, atol=1e-3)


@pytest.mark.parametrize(
    ("n_axes", "planar", "first"), [(3, False, 0), (3, True, 1), (2, False, 1)]
)
def test_structure_is_the_tensor_of_gradients(n_axes, planar, first):
    image = random_image((7, 18, 25) if n_axes == 3 else (1, 18, 25))
    sigma, window = (0.7, 1.0, 1.0), (0.8, 2.0, 2.0)
    if n_axes == 2:
        sigma, window = (0.0, *sigma[1:]), (0.0, *window[1:])
    axes = range(first, 3)
    slope = {axis: scipy_gaussian(image, sigma, (axis,)) for axis in axes}
    tensor = [
        scipy_gaussian(slope[a] * slope[b], window, ())
        for a, b in combinations_with_replacement(axes, 2)
    ]
    expected = np.linalg.eigvalsh(matrices(np.stack(tensor), len(axes)))[..., ::-1]
    given_axes = slice(3 - n_axes, 3)
    planes = whole(Structure(sigma[given_axes], window[given_axes], planar), image)
    np.testing.assert_allclose(planes, np.moveaxis(expected, -1, 0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [2, 3])
def test_eigenvalues_equal_numpy(size):
    entries = np.random.default_rng(0).normal(size=(size * (size + 1) // 2, 5000))
    entries = entries.astype(np.float32)
    entries[:, :1000] = np.round(entries[:, :1000])  # many that coincide
    entries[size:, 1000:1100] = 0
    entries[:, 1100] = 0
    expected = np.linalg.eigvalsh(matrices(entries, size))[:, ::-1].T
    np.testing.assert_allclose(symmetric_eigenvalues(entries), expected, rtol=0, atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.tuples(*[st.integers(0, 2)] * 3))
def test_extremes_equal_scipy(shape, reach):
    image = random_image(shape)
    size = [2 * r + 1 for r in reach]
    least, largest = whole(Extremes(reach), image)
    np.testing.assert_array_equal(least, ndi.minimum_filter(image, size))
    np.testing.assert_array_equal(largest, ndi.maximum_filter(image, size))


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.integers(2, 300))
def test_median_equals_scipy(shape, levels):
    image = np.floor(random_image(shape) * levels)
    np.testing.assert_array_equal(whole(Median(), image)[0], ndi.median_filter(image, (1, 3, 3)))
