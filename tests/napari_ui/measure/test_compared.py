"""The labels that the windows show are those that the numbers are of."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.image import Segmentation
from napari_segsuite.metrics import evaluate
from napari_segsuite.napari_ui.measure.compared import compared_objects
from napari_segsuite.napari_ui.measure.results import Result, Results
from napari_segsuite.space import Space


@pytest.mark.parametrize("is_turned", [False, True])
def test_components_have_the_numbers_of_the_report(is_turned):
    expected = np.zeros((6, 20), np.uint8)
    expected[1:5, 1:18] = 1
    expected[:, 9] = 255
    expected[0, 12:14] = 1
    space = Space.regular(2, (2, 1), "mm")
    reference = Segmentation(expected, space)
    if is_turned:
        flip = np.diag([-2.0, 1.0, 1.0])
        flip[0, 2] = 2.0 * (len(expected) - 1)
        reference = Segmentation(expected[::-1], Space.from_matrix(flip, "mm"))
    prediction = Segmentation(np.where(expected, 1, 0).astype(np.uint8), space)
    options = {"metrics": "instances", "objects": "components", "ignore": (255,)}
    report = evaluate(prediction, reference, **options)
    result = Result("it", prediction, report)
    both = compared_objects(Results(reference, (result,), options), result)
    assert both.ignore == ()
    found = {"prediction": both.prediction.labels, "reference": both.reference.labels}
    assert len(report.objects) == 4
    for row in report.objects:
        here = found[row.role] == row.label
        assert here.sum() == row.size
        assert tuple(np.argwhere(here).mean(axis=0)) == pytest.approx(row.centroid)
