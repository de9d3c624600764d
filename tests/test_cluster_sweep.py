"""One image in different numbers of clusters."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.cluster_sweep import ClusterSweep, sweep_clusters
from napari_segsuite.errors import Cancelled, FormatError, InputError, ParameterError
from napari_segsuite.space import Space


def three_levels(shape: tuple[int, ...] = (24, 25)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, shape)
    return np.array([20, 90, 200])[truth] + rng.integers(-6, 7, shape), truth


@pytest.fixture
def sweep() -> ClusterSweep:
    image, truth = three_levels()
    return sweep_clusters(image, n_clusters=range(2, 6), reference=truth)


@pytest.mark.parametrize("method", ["kmeans", "kmedoids", "gaussian_mixture"])
def test_each_result_is_what_the_method_gives(method: str) -> None:
    image, _ = three_levels((5, 8, 9))
    colour = np.stack([image, image[::-1]], axis=-1)
    found = sweep_clusters(colour, method, (2, 4), channel_axis=-1, rng=3, standardize=True)
    assert found.labels.shape == (2, 5, 8, 9)
    for labels, n in zip(found.labels, (2, 4), strict=True):
        expected = nss.run(method, colour, n_clusters=n, channel_axis=-1, rng=3, standardize=True)
        np.testing.assert_array_equal(labels, expected.labels)


def test_the_number_of_levels_is_suggested(sweep: ClusterSweep) -> None:
    assert sweep.suggested == 3
    assert [row.n_clusters for row in sweep.rows] == [2, 3, 4, 5]
    inertia = [row.inertia for row in sweep.rows]
    assert inertia == sorted(inertia, reverse=True)
    assert sweep.rows[1].dice == 1
    assert min(sweep.rows, key=lambda row: row.davies_bouldin).n_clusters == 3


def test_without_a_reference_there_is_no_dice() -> None:
    found = sweep_clusters(three_levels()[0], n_clusters=[3])
    assert math.isnan(found.rows[0].dice)
    assert "dice" not in found.scores
    assert found.suggested == 3


def test_regions_mask_and_geometry_reach_the_method() -> None:
    image, truth = three_levels((6, 8, 8))
    mask = np.ones(image.shape, bool)
    mask[0] = False
    regions = 1 + np.arange(image.size).reshape(image.shape) // 2
    space = Space.regular(3, (3.0, 1.0, 1.0), "mm")
    found = sweep_clusters(
        nss.Image(image, space), n_clusters=[3], labels=regions, mask=mask, reference=truth
    )
    assert found.space == space
    assert not found.labels[0, 0].any()
    assert found.labels[0, 1:].all()
    np.testing.assert_array_equal(found.labels[0, 1:, :, ::2], found.labels[0, 1:, :, 1::2])


def test_voxels_outside_the_mask_do_not_lower_dice() -> None:
    image, truth = three_levels()
    mask = np.indices(image.shape)[0] > 5
    assert sweep_clusters(image, n_clusters=[3], mask=mask, reference=truth).rows[0].dice == 1


def test_csv_has_a_line_per_number(sweep: ClusterSweep, tmp_path: Path) -> None:
    sweep.to_csv(tmp_path / "sweep.csv")
    with (tmp_path / "sweep.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["n_clusters"]) for line in lines] == [2, 3, 4, 5]
    assert float(lines[1]["bic"]) == sweep.rows[1].bic
    with pytest.raises(FormatError, match="does not exist"):
        sweep.to_csv(tmp_path / "nowhere" / "sweep.csv")


def test_markdown_marks_the_suggestion(sweep: ClusterSweep) -> None:
    lines = sweep.to_markdown().splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("| Clusters | Inertia | Silhouette")
    assert lines[3].startswith("| **3** |")
    assert "**" not in "".join(lines[:3] + lines[4:])
    one = sweep_clusters(three_levels()[0], n_clusters=[1, 2]).to_markdown()
    assert "| 1 | " in one
    assert "–" in one.splitlines()[2]


def test_a_picture_is_drawn_into_a_file_or_into_axes(sweep: ClusterSweep, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    sweep.plot(tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    axes = Figure().subplots(1, len(sweep.scores))
    sweep.plot(axes)
    drawn = axes[1].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, [(row.n_clusters, row.silhouette) for row in sweep.rows])


def test_progress_covers_all_runs_and_cancels() -> None:
    seen: list[float] = []
    image, _ = three_levels()
    sweep_clusters(image, n_clusters=[2, 3], progress=lambda f, _m="": seen.append(f))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert 0.5 in seen

    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        sweep_clusters(image, progress=stop)


def test_what_cannot_be_swept_is_refused_in_words() -> None:
    image, truth = three_levels()
    with pytest.raises(ParameterError, match="at least one number"):
        sweep_clusters(image, n_clusters=[])
    with pytest.raises(ParameterError, match="setting 'n_clusters'"):
        sweep_clusters(image, "global_threshold")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="'n_clusters' must be"):
        sweep_clusters(image, n_clusters=[0])
    with pytest.raises(InputError, match="reference of the image's shape"):
        sweep_clusters(image, n_clusters=[2], reference=truth[:-1])
