"""Methods compared on one image: what is run, how it is scored, and what is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from annotated_types import Ge

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite.comparing import Entry, Scene, compare, names_of
from napari_segsuite.comparing.files import ReportFiles
from napari_segsuite.errors import Cancelled, InputError, ParameterError, SpaceMismatchError
from napari_segsuite.image import classes_present
from napari_segsuite.method import method
from napari_segsuite.space import Space
from napari_segsuite.typing import ImageArray, LabelArray

SHAPE = (9, 11, 12)
SPACE = Space.regular(3, (3.0, 0.7, 0.5), "mm")
MANUAL = {"algorithm": "manual"}
OTSU = Entry("global_threshold", {"algorithm": "otsu"}, name="Otsu")


@pytest.fixture
def image() -> nss.Image:
    return nss.Image(two_halves(SHAPE), SPACE, "halves")


@pytest.fixture
def truth() -> np.ndarray:
    return (two_halves(SHAPE) > 100).astype(np.uint8)


@pytest.fixture
def swapped(scratch_registry: None) -> list[tuple[int, ...]]:
    """A method that labels the bright half 1 and the dark one 2; the shapes it was called with."""
    shapes: list[tuple[int, ...]] = []

    @method(title="Swapped", family="clustering", bytes_per_voxel=1)
    def swapped(image: ImageArray, *, offset: Annotated[int, Ge(0)] = 0) -> LabelArray:
        """Label the bright half 1 and the dark half 2.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        offset : int
            Added to the labels.
        """
        shapes.append(image.shape)
        return (np.where(image > 100, 1, 2) + offset).astype(np.uint8)

    return shapes


@pytest.fixture
def broken(scratch_registry: None) -> None:
    @method(title="Broken", family="clustering", bytes_per_voxel=1)
    def broken(image: ImageArray) -> LabelArray:
        """Fail.

        Parameters
        ----------
        image : (M, N[, P]) array
            Ignored.
        """
        raise InputError("Broken: expected something else; try again.")


# --- entries --------------------------------------------------------------------------


def test_names_tell_what_differs_from_the_defaults() -> None:
    entries = [
        Entry("global_threshold"),
        Entry("global_threshold", MANUAL | {"value": 3}),
        Entry(
            "global_threshold",
            {"algorithm": nss.get_method("global_threshold").check({})["algorithm"]},
        ),
        Entry("growcut", {"evolution": (1, 2)}, name="GrowCut, two steps"),
    ]
    assert names_of(entries) == [
        "Global threshold",
        "Global threshold (algorithm=manual, value=3.0)",
        "Global threshold 2",
        "GrowCut, two steps",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no_such_method",), "there is no method"),
        (("global_threshold", {"colour": 1}), "no setting 'colour'"),
        (("global_threshold", {"algorithm": "luck"}), "must be one of"),
    ],
)
def test_entries_are_checked_before_anything_runs(arguments: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Entry(*arguments)


def test_methods_that_give_an_image_are_no_entries(scratch_registry: None) -> None:
    @method(title="Blur", family="effects", output="image", bytes_per_voxel=1)
    def blur(image: ImageArray) -> ImageArray:
        """Return the image.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        """
        return image

    with pytest.raises(ParameterError, match="gives an image"):
        Entry("blur")


# --- what is run ----------------------------------------------------------------------


def test_each_result_is_that_of_a_run_by_itself(image: nss.Image) -> None:
    seeds = nss.Segmentation(two_strokes(SHAPE), SPACE, (nss.LabelClass(2, "bright"),))
    found = compare(image, [OTSU, "watershed"], seeds=seeds)
    assert [row.name for row in found.rows] == ["Otsu", "Watershed"]
    for entry, row in zip((OTSU, Entry("watershed")), found.rows, strict=True):
        given = {"seeds": seeds} if entry.method == "watershed" else {}
        alone = nss.run(entry.method, image, **given, **entry.settings)
        result = found.results[row.name]
        np.testing.assert_array_equal(result.labels, alone.labels)
        assert result.classes == alone.classes
        assert result.provenance == alone.provenance
        assert result.space == SPACE
        assert result.name == f"halves {row.name}"
        assert row.n_labels == len(np.unique(alone.labels[alone.labels > 0]))
        assert row.seconds is not None
        assert row.memory == nss.get_method(entry.method).memory_per_voxel(1, {}) * 9 * 11 * 12


def test_a_run_on_a_few_voxels_comes_before_the_one_that_is_timed(
    swapped: list[tuple[int, ...]],
) -> None:
    compare(two_halves((40, 50)), ["swapped"])
    assert swapped == [(16, 16), (40, 50)]


def test_one_that_fails_does_not_stop_the_others(broken: None, image: nss.Image) -> None:
    found = compare(image, ["broken", "watershed", OTSU])
    first, second, third = found.rows
    assert first.error == "Broken: expected something else; try again."
    assert "needs seeds" in second.error
    assert third.error == ""
    assert list(found.results) == ["Otsu"]
    assert "Broken: expected something else" in found.to_markdown()


def test_methods_on_labels_are_given_the_labels(image: nss.Image) -> None:
    labels = two_halves(SHAPE) > 100
    tidy = Entry("clean_labels", {"keep_largest": True})
    found = compare(image, [tidy], labels=labels, reference=labels)
    np.testing.assert_array_equal(found.results[tidy.title].labels, labels)
    # Their numbers mean what they meant before.
    assert found.rows[0].matching is None
    assert "works on labels" in compare(image, [tidy]).rows[0].error


def test_cancelling_passes_through(image: nss.Image) -> None:
    reports = []

    def stop(fraction: float, message: str = "") -> None:
        reports.append(fraction)
        if fraction >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        compare(image, [OTSU, "global_threshold"], progress=stop)
    assert reports == sorted(reports)
    assert reports[0] == 0


def test_what_does_not_fit_is_refused_at_once(image: nss.Image, truth: np.ndarray) -> None:
    with pytest.raises(InputError, match="at least one method"):
        compare(image, [])
    with pytest.raises(InputError, match="reference of the image's shape"):
        compare(image, [OTSU], reference=nss.Segmentation(truth[1:], SPACE))
    elsewhere = nss.Segmentation(truth, Space.regular(3, (1.0, 1.0, 1.0), "mm"))
    with pytest.raises(SpaceMismatchError, match="resample the reference"):
        compare(image, [OTSU], reference=elsewhere)
    with pytest.raises(SpaceMismatchError, match="resample the seeds"):
        compare(image, ["watershed"], seeds=elsewhere)
    with pytest.raises(ParameterError, match="match 'auto' or 'none'"):
        compare(image, [OTSU], match="perhaps")  # type: ignore[arg-type]


def test_channels_and_spacing_of_bare_arrays(truth: np.ndarray) -> None:
    data = np.stack([two_halves(SHAPE)] * 2, axis=-1)
    found = compare(data, ["kmeans"], channel_axis=-1, spacing=(3.0, 0.7, 0.5), reference=truth)
    assert found.image.space.spacing == (3.0, 0.7, 0.5)
    assert found.rows[0].error == ""
    assert found.results["K-means"].labels.shape == SHAPE


# --- scores ---------------------------------------------------------------------------


def test_scores_are_those_that_evaluate_gives(image: nss.Image, truth: np.ndarray) -> None:
    row = compare(image, [OTSU], reference=truth).rows[0]
    usual = ("overlap", "volume")
    expected = nss.evaluate(truth, truth, spacing=SPACE.spacing, metrics=usual)
    assert row.report is not None
    assert row.report.mean == expected.mean
    assert row.report.per_class == expected.per_class
    only = compare(image, [OTSU], reference=truth, metrics=("iou",)).rows[0].report
    assert only is not None
    assert list(only.mean) == ["iou"]


def test_arbitrary_numbers_are_matched_or_compared_as_they_are(
    swapped: None, image: nss.Image, truth: np.ndarray
) -> None:
    red = nss.LabelClass(1, "bright", (1.0, 0.0, 0.0, 1.0))
    reference = nss.Segmentation(truth, SPACE, (red,))
    entry = Entry("swapped", {"offset": 5})
    found = compare(image, [entry], reference=reference)
    row, result = found.rows[0], found.results[entry.title]
    assert row.matching == {6: 1, 7: 0}
    assert row.report is not None
    assert row.report.mean["dice"] == row.report.mean["accuracy"] == 1
    assert set(np.unique(result.labels)) == {6, 7}
    bright, dark = result.classes
    assert (bright.id, bright.name, bright.colour) == (6, "bright", red.colour)
    assert (dark.id, dark.name) == (7, "background")
    assert "6→1, 7→0" in found.to_markdown()
    plain = compare(image, [entry], reference=reference, match="none")
    assert plain.rows[0].report is not None
    assert plain.rows[0].report.mean["dice"] == 0
    assert "as they are" in plain.to_markdown()


def test_labels_of_painted_classes_keep_their_meaning(image: nss.Image) -> None:
    reference = np.where(two_halves(SHAPE) > 100, 1, 2)
    row = compare(image, ["watershed"], seeds=two_strokes(SHAPE), reference=reference).rows[0]
    assert row.matching is None
    assert row.report is not None
    assert row.report.mean["dice"] < 0.2


def test_a_threshold_too_low_is_not_taken_for_the_background() -> None:
    image = np.concatenate([np.full(50, 0), np.full(40, 50), np.full(10, 90)]).reshape(10, 10)
    reference = (image == 90).astype(np.uint8)
    low = Entry("global_threshold", MANUAL | {"value": 20.0})
    row = compare(image.astype(np.uint8), [low], reference=reference).rows[0]
    assert row.matching == {1: 1}
    assert row.report is not None
    assert row.report.mean["dice"] == pytest.approx(2 * 10 / (50 + 10))


def test_more_labels_than_classes_go_where_they_overlap(
    image: nss.Image, truth: np.ndarray
) -> None:
    quarters = np.ones(SHAPE, np.uint8)
    for number, start in enumerate((3, 6, 9), 2):
        quarters[..., start:] = number
    scene_row, result = _judged(image, quarters, truth)
    assert scene_row.matching == {1: 0, 2: 0, 3: 1, 4: 1}
    assert scene_row.report.mean["dice"] == 1
    assert [c.name for c in result.classes] == ["background"] * 2 + ["class 1"] * 2


def _judged(image: nss.Image, labels: np.ndarray, truth: np.ndarray) -> Any:
    scene = Scene(image, {}, nss.Segmentation(truth, SPACE))
    result = nss.Segmentation(labels, SPACE, classes_present(labels))
    return scene.judge("some", OTSU, result, 1.0)


# --- tables and files -----------------------------------------------------------------


@pytest.fixture
def found(broken: None, image: nss.Image, truth: np.ndarray) -> Any:
    return compare(image, [OTSU, "broken", "global_threshold"], reference=truth)


def test_table_has_every_metric_and_class(found: Any, tmp_path: Path) -> None:
    found.to_csv(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["Otsu", "Broken", "Global threshold"]
    report = found.rows[0].report
    for name, value in report.mean.items():
        assert float(lines[0][name]) == value
    for name, values in report.per_class.items():
        assert float(lines[0][f"{name} 0 background"]) == values[0]
        assert float(lines[0][f"{name} 1"]) == values[1]
    assert json.loads(lines[0]["settings"]) == OTSU.settings
    assert lines[1]["dice"] == lines[1]["seconds"] == ""
    assert "expected something else" in lines[1]["error"]


def test_markdown_has_one_line_per_entry(found: Any) -> None:
    head, _, *lines = found.to_markdown().splitlines()
    titles = [cell.strip() for cell in head.strip("|").split("|")]
    assert titles[:4] == ["Method", "Time (s)", "Memory (MiB)", "Labels"]
    assert len({len(line) for line in (head, *lines[:3])}) == 1
    first = dict(
        zip(titles, (cell.strip() for cell in lines[0].strip("|").split("|")), strict=True)
    )
    assert first["Dice"] == "1"
    assert first["Labels"] == "1"


def test_dictionary_is_plain(found: Any) -> None:
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["rows"][0]["scores"]["mean"]["dice"] == 1
    assert plain["rows"][1]["scores"] is None
    assert plain["rows"][0]["matching"] == {"1": 1}


def test_report_has_picture_tables_and_labels(found: Any, tmp_path: Path) -> None:
    from matplotlib.image import imread

    written = found.save_report(tmp_path / "new" / "folder")
    names = [path.name for path in written]
    assert names == [
        "otsu.nii.gz",
        "global_threshold.nii.gz",
        "comparison.png",
        "comparison.csv",
        "report.md",
    ]
    labels = nss.read(written[0])
    np.testing.assert_array_equal(labels.labels, found.results["Otsu"].labels)
    assert labels.space.is_close(SPACE)
    text = written[-1].read_text(encoding="utf-8")
    assert "](comparison.png)" in text
    assert "[otsu.nii.gz](otsu.nii.gz), `global_threshold`" in text
    assert "Broken: no labels" in text
    # The image, the reference and two results, in two columns of 3 inches.
    assert imread(written[2]).shape[1] == 2 * 3 * 110


def test_nothing_is_written_without_a_picture(found: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="slice from 0 to 8, got 9"):
        found.save_report(tmp_path, slice_index=9)
    assert list(tmp_path.iterdir()) == []


def test_files_do_not_replace_each_other() -> None:
    names = ["K-means", "k means", "...", "K-means (a)"]
    files = ReportFiles.in_folder(Path("out"), names)
    paths = [path.name.lower() for path in files.labels.values()]
    assert len(set(paths)) == 4


@pytest.mark.parametrize("channels", [None, 2, 3])
def test_picture_of_a_plane_with_and_without_channels(
    tmp_path: Path, swapped: None, channels: int | None
) -> None:
    plane = two_halves((20, 30)).astype(np.float32)
    plane[0, 0] = np.nan
    data = plane if channels is None else np.stack([plane] * channels)
    axis = None if channels is None else 0
    entries = ["kmeans"] if channels else ["swapped", "slic"]
    found = compare(data, entries, channel_axis=axis)
    assert not [row.error for row in found.rows if row.error]
    assert found.save_report(tmp_path)[-3].stat().st_size > 1000


def test_clusters_of_a_real_brain_agree_with_its_tissues(test_data: Path) -> None:
    folder = test_data / "brain_mni152"
    entries = ["kmeans", Entry("kmeans", {"n_clusters": 3}), "kmedoids", "multi_otsu"]
    found = compare(folder / "t1_2mm.nii.gz", entries, reference=folder / "tissue_2mm.nii.gz")
    assert not [row.error for row in found.rows if row.error]
    assert len(found.metrics) >= 10
    best = max(row.report.mean["dice"] for row in found.rows if row.report)
    assert best > 0.7
