"""The forest against scikit-learn's extremely randomised trees, on samples it has not seen."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.kernels.cpu.feature_bank import compute_features, sampled_edges
from napari_segsuite.kernels.cpu.filters import Intensity, Scale
from napari_segsuite.kernels.cpu.forest import predict, train


def accuracies(samples, classes, others, their_classes, min_leaf=2):
    """Balanced share of right answers of ours and of theirs."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    n_classes = int(classes.max()) + 1
    forest = train(samples, classes, n_classes, min_leaf=min_leaf, n_trees=100)
    peer = ensemble.ExtraTreesClassifier(
        100, min_samples_leaf=min_leaf, max_features=0.3, class_weight="balanced", random_state=0
    ).fit(samples.T, classes)
    answers = predict(forest, others).argmax(0), peer.predict(others.T)
    return [
        np.mean([(answer == their_classes)[their_classes == k].mean() for k in range(n_classes)])
        for answer in answers
    ]


def two_moons(n, seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, n).astype(np.uint8)
    angle = rng.uniform(0, np.pi, n) + np.pi * classes
    points = np.stack([np.cos(angle) + classes, np.sin(angle) + 0.5 * classes])
    points += rng.normal(0, 0.25, points.shape)
    return np.clip(points * 40 + 90, 0, 255).astype(np.uint8), classes


def three_clouds(n, seed):
    """Three classes, one of them rare, in ten features of which six say nothing."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(3, n, p=[0.6, 0.3, 0.1]).astype(np.uint8)
    centres = np.array([[90, 90, 90, 90], [150, 90, 120, 90], [90, 150, 90, 120]]).T
    points = np.concatenate([centres[:, classes], np.full((6, n), 128)])
    return np.clip(rng.normal(points, 30), 0, 255).astype(np.uint8), classes


@pytest.mark.parametrize("cloud", [two_moons, three_clouds])
def test_synthetic_classes_are_told_apart_as_well_as_by_the_peer(cloud):
    ours, theirs = accuracies(*cloud(2000, seed=0), *cloud(8000, seed=1))
    assert theirs > 0.75
    assert ours > theirs - 0.01


def test_tissues_of_a_brain_are_told_apart_as_well_as_by_the_peer(test_data):
    folder = test_data / "brain_mni152"
    image = nss.read(folder / "t1_2mm.nii.gz").data.astype(np.float32)
    tissue = np.asarray(nss.read(folder / "tissue_2mm.nii.gz").data)
    middle = len(image) // 2
    image = np.ascontiguousarray(image[middle - 8 : middle + 8])
    tissue = tissue[middle - 8 : middle + 8].ravel().astype(np.uint8)
    filters = [Intensity(), *(Scale((s, s, s)) for s in (0.7, 1.5, 3))]
    bank = compute_features(image, filters, edges=sampled_edges(image, filters))
    rng = np.random.default_rng(0)
    order = rng.permutation(tissue.size)
    some, others = order[:2000], order[2000:12000]
    bank = bank.reshape(len(bank), -1)
    ours, theirs = accuracies(bank[:, some], tissue[some], bank[:, others], tissue[others])
    assert theirs > 0.8
    assert ours > theirs - 0.01
