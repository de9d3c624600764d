"""Contingency table and object metrics against their peers: median ratio of calls in turns.

Needs scikit-image, stardist and panoptica; peers that are not there are left out.
Run ``python benchmarks/instances.py [SIZE] [REPEATS]``.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_segsuite.metrics.contingency import contingency_table
from napari_segsuite.metrics.objects.instances import INSTANCES, match_instances
from napari_segsuite.metrics.partition import PARTITION, measure_partition

Labels = NDArray[np.int32]


def ellipsoids(size: int) -> tuple[Labels, Labels]:
    """Reference and prediction: objects of 4 to 7 voxels radius, moved, some lost, renamed."""
    rng = np.random.default_rng(0)
    reference = np.zeros((size,) * 3, np.int32)
    centres = spread_out(rng.integers(8, size - 8, (6000 * size**3 // 256**3, 3)), 15)
    for label, centre in enumerate(centres, 1):
        box = tuple(slice(c - 8, c + 8) for c in centre)
        steps = np.ogrid[-8:8, -8:8, -8:8]
        radii = rng.uniform(4, 7, 3)
        inside = sum((step / radius) ** 2 for step, radius in zip(steps, radii, strict=True)) <= 1
        reference[box][inside & (reference[box] == 0)] = label
    names = np.zeros(len(centres) + 1, np.int32)
    names[1:] = 1 + rng.permutation(len(centres))
    names[rng.integers(1, len(names), len(names) // 17)] = 0
    return names[np.roll(reference, (1, 0, 1), axis=(0, 1, 2))], reference


def spread_out(places: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    """Places in turn, without those too near to one taken before."""
    from scipy.spatial import cKDTree

    tree, free = cKDTree(places), np.ones(len(places), bool)
    for i, place in enumerate(places):
        if free[i]:
            free[tree.query_ball_point(place, distance)] = False
            free[i] = True
    return places[free]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def extra_megabytes(work: Callable[[], object]) -> float:
    """How far a call raises the peak of memory, in a fork that starts from what there is."""
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()

    def measure() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        answer.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)

    child = context.Process(target=measure)
    child.start()
    child.join()
    return float(answer.get())


def compare(
    title: str, ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> None:
    """Print times in turns, their ratio and the memory of both."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    fast, slow = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    memory = f"{extra_megabytes(ours):>10.1f} {extra_megabytes(theirs):>12.1f}"
    print(f"{title:<34} {fast:>9.1f} {slow:>10.1f} {ratio:>7.1f} {memory}")


def compare_tables(title: str, prediction: Labels, reference: Labels, repeats: int) -> None:
    from skimage import metrics

    theirs = metrics.contingency_table(reference, prediction, sparse_type="array").tocsr()
    theirs.sort_indices()
    table = contingency_table(prediction, reference)
    assert np.array_equal(theirs.data, table.counts)
    assert np.array_equal(theirs.indices, table.prediction_ids[table.columns])
    compare(
        f"{title}: scikit-image",
        lambda: contingency_table(prediction, reference),
        lambda: metrics.contingency_table(reference, prediction),
        repeats,
    )


def all_scores(prediction: Labels, reference: Labels) -> dict[str, float]:
    """Every object and partition metric, from the arrays."""
    table = contingency_table(prediction, reference)
    instances, partition = match_instances(table), measure_partition(table)
    scores = {metric.name: metric.function(instances) for metric in INSTANCES}
    return scores | {metric.name: metric.function(partition) for metric in PARTITION}


def compare_stardist(prediction: Labels, reference: Labels, repeats: int) -> None:
    from stardist.matching import matching

    instances = match_instances(contingency_table(prediction, reference))
    theirs = matching(reference, prediction, thresh=instances.thresholds)
    assert instances.tp.tolist() == [found.tp for found in theirs]
    compare(
        "25 scores: stardist, 10 thresholds",
        lambda: all_scores(prediction, reference),
        lambda: matching(reference, prediction, thresh=instances.thresholds),
        repeats,
    )


def compare_panoptica(prediction: Labels, reference: Labels, repeats: int) -> None:
    import panoptica

    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.UNMATCHED_INSTANCE,
        instance_matcher=panoptica.NaiveThresholdMatching(matching_threshold=0.5),
        instance_metrics=[panoptica.Metric.IOU, panoptica.Metric.DSC],
        global_metrics=[],
        verbose=False,
    )
    arrays = prediction.astype(np.uint16), reference.astype(np.uint16)
    theirs = evaluator.evaluate(*arrays)
    theirs = theirs["ungrouped"] if isinstance(theirs, dict) else theirs
    instances = match_instances(contingency_table(prediction, reference))
    assert theirs.tp == instances.tp[0]
    compare(
        "25 scores: panoptica, IoU and Dice",
        lambda: all_scores(prediction, reference),
        lambda: evaluator.evaluate(*arrays),
        repeats,
    )


def compare_partitions(prediction: Labels, reference: Labels, repeats: int) -> None:
    from skimage import metrics

    scores = all_scores(prediction, reference)
    split, merge = metrics.variation_of_information(reference, prediction)
    error = metrics.adapted_rand_error(reference, prediction)[0]
    assert np.allclose([scores["voi_split"], scores["voi_merge"]], [split, merge])
    assert np.isclose(scores["adapted_rand_error"], error)
    compare(
        "25 scores: scikit-image, VOI and ARE",
        lambda: all_scores(prediction, reference),
        lambda: (
            metrics.variation_of_information(reference, prediction),
            metrics.adapted_rand_error(reference, prediction),
        ),
        repeats,
    )


def main(size: int = 256, repeats: int = 3) -> None:
    """Print one line per peer."""
    warnings.simplefilter("ignore")
    prediction, reference = ellipsoids(size)
    noise = np.random.default_rng(0).integers(0, 5000, (2, size, size, size), np.int32)
    print(f"{size}^3 int32, {reference.max()} objects, {(reference > 0).mean():.1%} foreground")
    columns = ("ours ms", "theirs ms", "ratio", "ours MB", "theirs MB")
    print("{:<34} {:>9} {:>10} {:>7} {:>10} {:>12}".format("", *columns))
    compare_tables("table", prediction, reference, repeats)
    compare_tables("table of noise", *noise, repeats)
    compare_partitions(prediction, reference, repeats)
    for peer, work in (("stardist", compare_stardist), ("panoptica", compare_panoptica)):
        if importlib.util.find_spec(peer):
            work(prediction, reference, repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
