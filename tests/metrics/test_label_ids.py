"""Labels of any size and type, through every group of metrics."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics import confusion_matrix, evaluate
from napari_segsuite.metrics.catalogue import GROUPS
from napari_segsuite.metrics.error_labels import error_labels
from napari_segsuite.metrics.label_numbers import is_among
from napari_segsuite.metrics.objects.components import components_of_pair


def arrays(dtype, offset):
    found = np.random.default_rng(0).integers(0, 4, (2, 5, 8, 9)).astype(np.uint64)
    return tuple(np.where(found > 0, found + np.uint64(offset), 0).astype(dtype))


@pytest.mark.parametrize(
    ("group", "objects"), [*((group, "labels") for group in GROUPS), ("instances", "components")]
)
@pytest.mark.parametrize(("dtype", "offset"), [("int64", 2**60), ("uint64", 2**63), (">i8", 2**40)])
def test_large_labels_are_measured_as_small_ones(group, objects, dtype, offset):
    values = []
    for kind, start in ((np.uint8, 0), (dtype, offset)):
        prediction, reference = arrays(kind, start)
        options = {"ignore": (start + 1, -1), "mapping": {start + 3: start + 2}}
        report = evaluate(prediction, reference, metrics=group, objects=objects, **options)
        values.append(list(report.mean.values()))
    assert values[0] == pytest.approx(values[1], nan_ok=True, abs=1e-15)


def peak_of(prediction, reference):
    evaluate(prediction, reference, metrics=("instances", "partition"))
    tracemalloc.start()
    evaluate(prediction, reference, metrics=("instances", "partition"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_signed_labels_are_not_copied():
    prediction = np.zeros((64, 128, 128), np.uint32)
    prediction[10:40, 20:80, 30:90] = 70_000
    reference = np.roll(prediction, 3, axis=1)
    unsigned = peak_of(prediction, reference)
    signed = peak_of(prediction.view(np.int32), reference.view(np.int32))
    # The boolean array of a comparison, let alone a copy, would be 1 MB.
    assert signed < unsigned + (1 << 19)


def test_a_mapped_file_is_an_array(tmp_path):
    labels = np.zeros((6, 12, 12), np.uint8)
    labels[1:4, 3:9, 4:11] = 1
    mapped = np.memmap(tmp_path / "labels", np.uint8, "w+", shape=labels.shape)
    mapped[:] = labels
    found = evaluate(mapped, labels, metrics="all").mean
    assert found == pytest.approx(evaluate(labels, labels, metrics="all").mean, nan_ok=True)


def test_thousands_of_labels_over_many_blocks():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 700, (2, 5, 700, 700)).astype(np.uint16)
    first[2:] += 250
    found = confusion_matrix(first, second)
    n = len(found.labels)
    assert n == 950
    table = np.bincount((second.astype(int) * n + first).ravel(), minlength=n * n)
    assert np.array_equal(found.counts.ravel(), table)


def test_large_labels_beside_small_ones_stay_whole_numbers():
    labels = np.array([2**63 + 5, 2**63 + 6, 1], np.uint64)
    assert is_among(labels, (1, 2**63 + 5, -1, 2**64)).tolist() == [True, False, True]
    report = evaluate(labels, labels, ignore=(1, 2**63 + 5))
    assert report.labels == (2**63 + 6,)


def test_ignored_classes_are_not_reported():
    report = evaluate([1, 2, 2], [1, 2, 1], classes=(1, 2), ignore=2)
    assert report.classes == (1,)


@pytest.mark.parametrize("label", [-1, 2**64])
def test_classes_that_no_label_can_have_are_refused(label):
    with pytest.raises(ParameterError, match="'classes' from 0 up"):
        evaluate([[0, 1]], [[0, 1]], metrics="surface", classes=(label,))


def test_what_has_too_few_or_too_many_axes_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="give them axes"):
        evaluate(1, 1)
    series = np.ones((2, 3, 4, 5), np.uint8)
    with pytest.raises(InputError, match="one time point at a time"):
        evaluate(series, series, metrics="instances", objects="components")


def test_error_marks_ignore_label_numbers_only():
    with pytest.raises(ParameterError, match="label numbers for 'ignore'"):
        error_labels([[0, 1]], [[0, 1]], ignore="12")


def test_ignored_voxels_cut_components_in_both():
    prediction, reference = np.array([[1, 1, 1, 0]]), np.array([[1, 9, 1, 9]])
    found = components_of_pair(prediction, reference, (9,))
    assert [array.tolist() for array in found] == [[[1, 0, 2, 0]]] * 2
