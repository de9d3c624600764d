"""Overlap metrics beside other libraries: where they agree, and who is right where not.

A test of a disagreement says in its docstring who is right and why.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from napari_segsuite.metrics.confusion import confusion_matrix
from napari_segsuite.metrics.counts import Counts
from napari_segsuite.metrics.overlap import OVERLAP
from napari_segsuite.metrics.volumes import VOLUME

METRICS = {metric.name: metric.function for metric in (*OVERLAP, *VOLUME)}

# Class 3 is missed, class 4 is made up, class 5 is in neither.
REFERENCE = np.array([[0, 1, 1, 2, 0, 3, 0]], np.uint8)
PREDICTION = np.array([[0, 1, 1, 2, 2, 0, 4]], np.uint8)
CLASSES = (0, 1, 2, 3, 4, 5)


def peer(name):
    """A library, with what it warns of while it is imported left unsaid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def blobs(seed=0):
    """Prediction and reference of 5 classes in blocks, the one shifted against the other."""
    coarse = np.random.default_rng(seed).integers(0, 5, (4, 5, 6), dtype=np.uint8)
    reference = coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2)
    return np.roll(reference, (1, 0, 1), (0, 1, 2)), reference


def ours(metric, prediction, reference, classes=range(5)):
    counts = Counts.of(confusion_matrix(prediction, reference), tuple(classes))
    return METRICS[metric](counts)


# --- SimpleITK ----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def simple_itk():
    sitk = peer("SimpleITK")

    def measured(prediction, reference):
        measures = sitk.LabelOverlapMeasuresImageFilter()
        measures.Execute(sitk.GetImageFromArray(reference), sitk.GetImageFromArray(prediction))
        return measures

    return measured


@pytest.mark.parametrize(
    ("metric", "theirs"), [("dice", "GetDiceCoefficient"), ("iou", "GetJaccardCoefficient")]
)
def test_simple_itk_agrees_on_dice_and_iou(simple_itk, metric, theirs):
    for prediction, reference, classes in (
        (*blobs(), range(1, 5)),
        (PREDICTION, REFERENCE, range(1, 5)),
    ):
        measured = simple_itk(prediction, reference)
        expected = [getattr(measured, theirs)(label) for label in classes]
        found = ours(metric, prediction, reference, classes)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


def test_simple_itk_over_all_classes_is_the_pooled_dice(simple_itk):
    prediction, reference = blobs()
    counts = Counts.of(confusion_matrix(prediction, reference), (1, 2, 3, 4)).pooled([0, 1, 2, 3])
    expected = simple_itk(prediction, reference).GetDiceCoefficient()
    assert METRICS["dice"](counts)[0] == pytest.approx(expected, abs=1e-15)


def test_simple_itk_calls_a_signed_difference_similarity(simple_itk):
    """We are right: a similarity is 1 for equal volumes, theirs is 0 and may be negative."""
    prediction, reference = blobs()
    prediction[:2] = 1
    measured = simple_itk(prediction, reference)
    theirs = np.array([measured.GetVolumeSimilarity(label) for label in range(1, 5)])
    found = ours("volume_similarity", prediction, reference, range(1, 5))
    assert theirs.min() < 0
    np.testing.assert_allclose(found, 1 - np.abs(theirs) / 2, rtol=0, atol=1e-15)


# --- scikit-learn -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("metric", "theirs", "options"),
    [
        ("iou", "jaccard_score", {"average": None}),
        ("dice", "f1_score", {"average": None}),
        ("precision", "precision_score", {"average": None}),
        ("recall", "recall_score", {"average": None}),
        ("f_beta", "fbeta_score", {"average": None, "beta": 2}),
        ("mean_accuracy", "balanced_accuracy_score", {}),
        ("accuracy", "accuracy_score", {}),
        ("kappa", "cohen_kappa_score", {}),
        ("multiclass_mcc", "matthews_corrcoef", {}),
    ],
)
def test_scikit_learn_agrees(metric, theirs, options):
    prediction, reference = blobs()
    expected = getattr(peer("sklearn.metrics"), theirs)(
        reference.ravel(), prediction.ravel(), **options
    )
    np.testing.assert_allclose(ours(metric, prediction, reference), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [("dice", "f1_score"), ("iou", "jaccard_score"), ("recall", "recall_score")],
)
def test_scikit_learn_scores_an_absent_class_0(metric, theirs):
    """We are right: 0/0 has no value, and a 0 says that something was got wrong."""
    score = getattr(peer("sklearn.metrics"), theirs)
    expected = quietly(score, REFERENCE.ravel(), PREDICTION.ravel(), labels=CLASSES, average=None)
    found = ours(metric, PREDICTION, REFERENCE, CLASSES)
    assert expected[5] == 0
    assert math.isnan(found[5])
    defined = ~np.isnan(found)
    np.testing.assert_allclose(found[defined], expected[defined], rtol=0, atol=1e-15)


# --- torchmetrics -------------------------------------------------------------------------
def as_batch(labels):
    return peer("torch").from_numpy(labels.astype(np.int64))[None]


def test_torchmetrics_counts_the_same_pairs():
    theirs = peer("torchmetrics.functional.classification")
    prediction, reference = blobs()
    expected = quietly(
        theirs.multiclass_confusion_matrix, as_batch(prediction), as_batch(reference), 5
    )
    assert np.array_equal(confusion_matrix(prediction, reference).counts, expected.numpy())


def test_torchmetrics_agrees_on_dice_of_classes_made_up_missed_and_absent():
    theirs = peer("torchmetrics.functional.segmentation")
    options = {"num_classes": 6, "average": None, "input_format": "index"}
    expected = quietly(theirs.dice_score, as_batch(PREDICTION), as_batch(REFERENCE), **options)
    found = ours("dice", PREDICTION, REFERENCE, CLASSES)
    np.testing.assert_allclose(found, expected.numpy()[0], rtol=0, atol=1e-7)
    assert math.isnan(found[5])


def test_torchmetrics_scores_an_absent_class_minus_1():
    """We are right: IoU lies in [0, 1], and a mean over classes would take the -1 along."""
    theirs = peer("torchmetrics.functional.segmentation")
    options = {"num_classes": 6, "per_class": True, "input_format": "index"}
    expected = quietly(theirs.mean_iou, as_batch(PREDICTION), as_batch(REFERENCE), **options)
    found = ours("iou", PREDICTION, REFERENCE, CLASSES)
    assert expected[0, 5] == -1
    assert math.isnan(found[5])
    np.testing.assert_allclose(found[:5], expected.numpy()[0, :5], rtol=0, atol=1e-7)
    overall = quietly(
        theirs.mean_iou, as_batch(PREDICTION), as_batch(REFERENCE), num_classes=6,
        input_format="index",
    )  # fmt: skip
    assert ours("mean_iou", PREDICTION, REFERENCE, CLASSES) == pytest.approx(overall.item())


# --- MONAI --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def monai_scores():
    metrics, networks = peer("monai.metrics"), peer("monai.networks.utils")

    def scores(name, prediction, reference, n, **options):
        one_hot = [
            networks.one_hot(as_batch(labels)[:, None], n, dim=1)
            for labels in (prediction, reference)
        ]
        return quietly(getattr(metrics, name), *one_hot, **options).numpy()[0]

    return scores


@pytest.mark.parametrize(("metric", "theirs"), [("dice", "compute_dice"), ("iou", "compute_iou")])
def test_monai_agrees_where_the_reference_has_the_class(monai_scores, metric, theirs):
    prediction, reference = blobs()
    expected = monai_scores(theirs, prediction, reference, 5)
    found = ours(metric, prediction, reference)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("metric", "theirs"), [("dice", "compute_dice"), ("iou", "compute_iou")])
def test_monai_leaves_a_class_that_is_only_predicted_without_a_score(monai_scores, metric, theirs):
    """We are right: all its voxels are wrong, so it is 0; a NaN lets false alarms go free."""
    expected = monai_scores(theirs, PREDICTION, REFERENCE, 6)
    found = ours(metric, PREDICTION, REFERENCE, CLASSES)
    assert math.isnan(expected[4])
    assert found[4] == 0
    assert math.isnan(found[5])
    np.testing.assert_allclose(found[:4], expected[:4], rtol=0, atol=1e-7)


def test_monai_with_empty_classes_kept_scores_an_absent_class_1(monai_scores):
    """Both can be defended: that nothing was found rightly is a success, but has no overlap."""
    expected = monai_scores("compute_dice", PREDICTION, REFERENCE, 6, ignore_empty=False)
    found = ours("dice", PREDICTION, REFERENCE, CLASSES)
    assert expected[5] == 1
    assert math.isnan(found[5])
    np.testing.assert_allclose(found[:5], expected[:5], rtol=0, atol=1e-7)
