"""Predicted labels that count as other classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import ParameterError
from napari_segsuite.metrics import confusion_matrix, evaluate
from napari_segsuite.metrics.mapping import map_confusion, map_labels

labels_of = hnp.arrays(np.uint8, st.just((3, 4)), elements=st.integers(0, 4))
mappings = st.dictionaries(st.integers(0, 6), st.integers(0, 9), max_size=4)


@settings(max_examples=100, deadline=None)
@given(labels_of, labels_of, mappings)
def test_mapping_the_matrix_is_mapping_the_labels(prediction, reference, mapping):
    mapped = np.vectorize(lambda label: mapping.get(label, label))(prediction)
    expected = confusion_matrix(mapped, reference)
    assert np.array_equal(map_labels(prediction, mapping), mapped)
    found = map_confusion(confusion_matrix(prediction, reference), mapping)
    assert found.labels == expected.labels
    assert np.array_equal(found.counts, expected.counts)


def test_subclasses_are_merged_before_they_are_scored():
    reference = np.array([0, 1, 1, 2])
    prediction = np.array([0, 3, 4, 2])
    report = evaluate(prediction, reference, mapping={3: 1, 4: 1}, metrics=("overlap", "volume"))
    assert report.classes == (0, 1, 2)
    assert report.mean["dice"] == 1
    assert report.per_class["volume"][1] == 2


def test_large_labels_are_mapped_without_a_table_of_their_size():
    labels = np.array([[0, 2**40], [2**40, 7]], np.uint64)
    assert map_labels(labels, {2**40: 3}).tolist() == [[0, 3], [3, 7]]
    assert map_labels(labels, {7: 2**63}).tolist() == [[0, 2**40], [2**40, 2**63]]


@pytest.mark.parametrize("mapping", [{1: -1}, {"a": 1}, {1: 0.5}, {True: 1}, [1], {1: 2**64}])
def test_what_is_no_mapping_is_refused(mapping):
    with pytest.raises(ParameterError, match="label numbers from 0 up in 'mapping'"):
        evaluate([0, 1], [0, 1], mapping=mapping)
