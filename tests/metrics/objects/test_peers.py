"""Instance metrics and contingency tables against the packages that others use."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segsuite.metrics.contingency import Contingency, contingency_table
from napari_segsuite.metrics.objects.instances import INSTANCES, match_at, match_instances

SCORES = {metric.name: metric.function for metric in INSTANCES}
PERCENTS = (10, 30, *range(50, 100, 5))


def ellipsoids(shape, n, seed):
    """Two label images of objects that are moved, lost, merged and made up."""
    rng = np.random.default_rng(seed)
    reference, prediction = np.zeros((2, *shape), np.int32)
    grid = np.indices(shape)
    for label in range(1, n + 1):
        place, radii = rng.uniform(4, np.array(shape) - 4), rng.uniform(2, 5, len(shape))
        shift, growth = rng.normal(0, 0.7, len(shape)), rng.uniform(0.8, 1.2)
        for image, middle, size in ((reference, 0, 1), (prediction, shift, growth)):
            centre = (place + middle).reshape(-1, *[1] * len(shape))
            distance = ((grid - centre) / (size * radii.reshape(centre.shape))) ** 2
            image[distance.sum(axis=0) <= 1] = label
    names = rng.permutation(n + 1)
    return np.where(prediction % 7 == 3, 0, names[prediction] * (prediction > 0)), reference


CASES = {
    "2D": lambda: ellipsoids((90, 100), 60, 0),
    "3D": lambda: ellipsoids((30, 40, 50), 70, 1),
    "noise": lambda: tuple(np.random.default_rng(2).integers(0, 9, (2, 40, 40), np.int32)),
    "no prediction": lambda: (np.zeros((9, 9), np.int32), np.eye(9, dtype=np.int32)),
    "nothing": lambda: tuple(np.zeros((2, 9, 9), np.int32)),
}


@pytest.mark.parametrize("case", CASES)
def test_table_against_scikit_image(case):
    metrics = pytest.importorskip("skimage.metrics")
    prediction, reference = CASES[case]()
    theirs = metrics.contingency_table(reference, prediction, sparse_type="array").toarray()
    table = contingency_table(prediction, reference)
    dense = np.zeros_like(theirs)
    dense[
        table.reference_ids[table.rows].astype(int), table.prediction_ids[table.columns].astype(int)
    ] = table.counts
    assert np.array_equal(dense, theirs)


@pytest.mark.parametrize("case", CASES)
def test_matches_against_stardist(case):
    peer = pytest.importorskip("stardist.matching")
    prediction, reference = CASES[case]()
    table = contingency_table(prediction, reference)
    for percent in PERCENTS:
        theirs = peer.matching(reference, prediction, thresh=percent / 100)
        ours = match_at(table, percent)
        assert (len(ours.iou), theirs.n_true - len(ours.iou)) == (theirs.tp, theirs.fn), percent
        total = theirs.mean_matched_score * theirs.tp
        assert ours.iou.sum() == pytest.approx(total, rel=1e-5), percent


@pytest.mark.parametrize("case", ["2D", "3D", "noise", "no prediction"])
def test_scores_against_stardist(case):
    peer = pytest.importorskip("stardist.matching")
    prediction, reference = CASES[case]()
    instances = match_instances(contingency_table(prediction, reference))
    theirs = peer.matching(reference, prediction, thresh=0.5)
    assert SCORES["ap50"](instances) == pytest.approx(theirs.accuracy)
    assert SCORES["instance_recall"](instances) == pytest.approx(theirs.recall)
    assert SCORES["instance_f1"](instances) == pytest.approx(theirs.f1)
    if instances.n_predicted:
        assert SCORES["instance_precision"](instances) == pytest.approx(theirs.precision)
    if instances.tp[0] == instances.tp_above[0]:  # else theirs takes an IoU of 1/2 for a match
        assert SCORES["pq"](instances) == pytest.approx(theirs.panoptic_quality, rel=1e-5)


def bars(*parts):
    """Objects 20 voxels long, the prediction the first voxels of each."""
    reference, prediction = np.zeros((2, len(parts), 22), np.int32)
    for label, n in enumerate(parts, 1):
        reference[label - 1, :20], prediction[label - 1, :n] = label, label
    return prediction, reference


def test_ties_match_as_fractions_do():
    peer = pytest.importorskip("stardist.matching")
    prediction, reference = bars(13, 16, 14, 19)  # IoU .65, .8, .7 and .95
    table = contingency_table(prediction, reference)
    tp = [4, 4, 4, 4, 3, 2, 2, 1, 1, 1]
    assert match_instances(table).tp.tolist() == tp
    steps = np.arange(0.5, 1, 0.05)
    assert [found.tp for found in peer.matching(reference, prediction, thresh=tuple(steps))] == tp
    # Theirs rounds IoU and threshold to float32 alike. In float64 the steps of this range are
    # above the fractions at some places, and ties are lost.
    iou = np.array([13, 16, 14, 19]) / 20
    assert [(iou >= step).sum() for step in steps] != tp


def test_rounding_never_makes_a_match():
    peer = pytest.importorskip("stardist.matching")
    # One voxel short of 65 % of 52 million.
    shared, union = 65 * 2**19 - 1, 100 * 2**19
    overlap = np.array([[0, 0], [union - shared, shared]])
    assert peer.intersection_over_union(overlap)[1, 1] >= 0.65  # in float32
    table = Contingency(
        np.array([1], np.uint64),
        np.array([0, 1], np.uint64),
        np.array([0, 0]),
        np.array([0, 1]),
        overlap[1],
    )
    assert [len(match_at(table, percent).iou) for percent in (64, 65)] == [1, 0]


@pytest.mark.parametrize("case", ["2D", "3D"])
def test_panoptic_quality_against_panoptica(case):
    panoptica = pytest.importorskip("panoptica")
    prediction, reference = CASES[case]()
    instances = match_instances(contingency_table(prediction, reference))
    with warnings.catch_warnings(action="ignore"):
        evaluator = panoptica.Panoptica_Evaluator(
            expected_input=panoptica.InputType.UNMATCHED_INSTANCE,
            instance_matcher=panoptica.NaiveThresholdMatching(matching_threshold=0.5),
            instance_metrics=[panoptica.Metric.IOU],
            global_metrics=[],
            verbose=False,
        )
        theirs = evaluator.evaluate(prediction.astype(np.uint16), reference.astype(np.uint16))
        theirs = theirs["ungrouped"] if isinstance(theirs, dict) else theirs
        counts, qualities = (theirs.tp, theirs.fp, theirs.fn), (theirs.pq, theirs.sq, theirs.rq)
    # Theirs takes an IoU of exactly 1/2 for a match, which the definition of PQ does not.
    assert counts == (instances.tp[0], instances.fp[0], instances.fn[0])
    n_all = instances.n_reference + instances.n_predicted
    assert qualities[0] == pytest.approx(2 * instances.sum_iou[0] / n_all)
    n_ties = instances.tp[0] - instances.tp_above[0]
    assert n_ties == {"2D": 0, "3D": 1}[case]
    if not n_ties:
        assert [SCORES[name](instances) for name in ("pq", "sq", "rq")] == pytest.approx(qualities)


def nuclei(test_data, n):
    from skimage import io

    paths = sorted((test_data / "nuclei_dsb2018" / "val" / "labels").glob("*.png"))
    return [io.imread(path) for path in paths[:n]]


def test_real_nuclei_against_stardist(test_data):
    peer = pytest.importorskip("stardist.matching")
    for reference in nuclei(test_data, 6):
        grown = ndi.grey_dilation(np.roll(reference, 1, axis=0), size=(3, 3))
        prediction = np.where(grown % 9 == 1, 0, grown)
        instances = match_instances(contingency_table(prediction, reference))
        theirs = peer.matching(reference, prediction, thresh=(0.55, 0.75, 0.9))
        assert instances.tp[[1, 5, 8]].tolist() == [found.tp for found in theirs]
        assert instances.fp[[1, 5, 8]].tolist() == [found.fp for found in theirs]
        assert instances.n_missed > 0


def test_real_axons_compared_with_themselves(test_data):
    from skimage import io
    from skimage.measure import label

    classes = io.imread(test_data / "em_axon_myelin" / "val" / "labels" / "sem_12.png")
    axons = label(classes == 2)
    instances = match_instances(contingency_table(axons, axons))
    assert instances.n_reference == axons.max() > 5
    assert SCORES["mean_ap"](instances) == SCORES["pq"](instances) == SCORES["aji"](instances) == 1
    assert {row.status for row in instances.objects} == {"matched"}
