"""Recipes: steps read from records and files, done to other images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite.errors import FormatError, InputError, SegSuiteError
from napari_segsuite.recipes import read_recipe

SHAPE = (9, 11, 12)


def written(folder: Path, content: Any) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_result_is_a_recipe_for_another_image(tmp_path: Path) -> None:
    space = nss.Space.regular(3, (3.0, 1.0, 0.5), "mm")
    classes = (nss.LabelClass(1, "dark", (0.0, 0.0, 1.0, 1.0)), nss.LabelClass(2, "bright"))
    seeds = two_strokes(SHAPE)
    first = nss.run(
        "growcut",
        nss.Image(two_halves(SHAPE), space),
        seeds=nss.Segmentation(seeds, space, classes),
        connectivity=3,
    )
    nss.write(tmp_path / "first.nii.gz", first)
    other = nss.Image(two_halves(SHAPE)[::-1].copy(), space)
    recipe = read_recipe(tmp_path / "first.nii.gz")
    assert recipe.needs == {"seeds"}
    assert recipe.takes("mask")
    result = recipe.apply(other, seeds=seeds)
    expected = nss.run("growcut", other, seeds=seeds, connectivity=3)
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.provenance == expected.provenance
    assert result.space == space
    assert result.classes == classes, "bare seeds give no names: those of the recipe hold"
    beside = read_recipe(tmp_path / "first.labels.json")
    assert beside.apply(other, seeds=seeds).classes == classes


def test_names_of_the_seeds_go_before_those_of_the_recipe(tmp_path: Path) -> None:
    image, seeds = two_halves(SHAPE), two_strokes(SHAPE)
    space = nss.Space.regular(3)
    names = [(nss.LabelClass(1, name), nss.LabelClass(2, name)) for name in ("old", "new")]
    old, new = (nss.Segmentation(seeds, space, classes) for classes in names)
    nss.write(tmp_path / "first.nii", nss.run("growcut", nss.Image(image, space), seeds=old))
    result = read_recipe(tmp_path / "first.nii").apply(nss.Image(image, space), seeds=new)
    assert result.classes == new.classes


def test_numbers_of_instances_take_no_names(tmp_path: Path) -> None:
    balls = np.zeros((5, 9), np.uint8)
    balls[1:4, 1:4], balls[1:4, 5:8] = 1, 1
    first = nss.run("split_touching", nss.Segmentation(balls, nss.Space.regular(2)))
    assert len(first.classes) == 2
    named = tuple(nss.LabelClass(entry.id, "nucleus 17") for entry in first.classes)
    nss.write(tmp_path / "cells.nii", nss.Segmentation(
        first.labels, first.space, named, first.provenance))  # fmt: skip
    again = read_recipe(tmp_path / "cells.nii").apply(nss.Segmentation(balls, first.space))
    assert [entry.name for entry in again.classes] == ["class 1", "class 2"]


def test_steps_go_on_from_each_other_and_leave_a_record_of_all(tmp_path: Path) -> None:
    image, seeds = two_halves(SHAPE), two_strokes(SHAPE)
    steps = [
        {"method": "growcut", "settings": {"connectivity": 2}},
        {"method": "clean_labels", "settings": {"keep_largest": True}},
        {"method": "watershed"},
    ]
    recipe = read_recipe(written(tmp_path, steps))
    result = recipe.apply(image, seeds=seeds)
    grown = nss.run("growcut", image, seeds=seeds, connectivity=2)
    cleaned = nss.run("clean_labels", grown, keep_largest=True)
    expected = nss.run("watershed", image, seeds=cleaned)
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.provenance is not None
    made = result.provenance.inputs["seeds"]["provenance"]
    assert made["settings"]["keep_largest"] is True
    assert made["inputs"]["image"]["provenance"]["settings"]["connectivity"] == 2

    nss.write(tmp_path / "last.nii", result)
    again = read_recipe(tmp_path / "last.nii")
    assert [step.method.id for step in again.steps] == ["growcut", "clean_labels", "watershed"]
    assert again.needs == {"seeds"}
    assert again.apply(image, seeds=seeds).provenance == result.provenance


def test_settings_of_the_pipeline_are_those_recorded(tmp_path: Path) -> None:
    image = np.stack([two_halves(SHAPE)] * 2, axis=-1)
    seeds = two_strokes(SHAPE)
    record = nss.run("growcut", image, seeds=seeds, channel_axis=-1).provenance
    assert record is not None
    recipe = read_recipe(written(tmp_path, record.to_dict()))
    assert recipe.apply(image, seeds=seeds).provenance == record


def test_what_a_record_was_made_with_is_needed_again(tmp_path: Path) -> None:
    image = two_halves(SHAPE)
    record = nss.run("global_threshold", image, mask=image > 0).provenance
    assert record is not None
    recipe = read_recipe(written(tmp_path, record.to_dict()))
    assert recipe.needs == {"mask"}
    assert not recipe.takes("seeds")


def test_progress_runs_once_from_begin_to_end(tmp_path: Path) -> None:
    steps = [{"method": "global_threshold"}, {"method": "clean_labels"}, {"method": "clean_labels"}]
    seen: list[float] = []
    read_recipe(written(tmp_path, steps)).apply(
        two_halves(SHAPE), progress=lambda fraction, message="": seen.append(fraction)
    )
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected steps such as"),
        ("[[1]]", "expected steps such as"),
        ("3", "expected steps such as"),
        ("[" * 100_000, "expected steps such as"),
        ('{"provenance": null, "classes": []}', "expected steps such as"),
        ('{"provenance": {}, "classes": [{"colour": 3}]}', "expected steps such as"),
        ("[]", "at least one step"),
        ("{}", "expected a provenance record"),
        ('{"method": "growcut", "format": 99}', "update napari-segsuite"),
        ('{"method": "growcat"}', "no method 'growcat'"),
        ('{"method": "growcut", "settings": {"colour": 1}}', "no setting 'colour'"),
        ('{"method": "growcut", "injected": {"rng": "x"}}', "whole numbers as rng"),
        ('{"method": "growcut", "injected": {"channel_axis": "z"}}', "and 'z'; correct"),
        ('{"method": "growcut", "setting": {"connectivity": 3}}', "got 'setting' in one"),
        ('[{"method": "growcut"}, {"method": "global_threshold"}]', "works on an image"),
        ('[{"method": "clean_labels"}, {"method": "growcut"}]', "works on an image"),
    ],
)
def test_what_is_no_recipe_is_told_in_one_sentence(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SegSuiteError, match=message) as caught:
        read_recipe(path)
    assert str(caught.value).startswith("recipe.json: ")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_recipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("grow it", encoding="utf-8")
    with pytest.raises(FormatError, match=r"notes\.txt: expected labels with their side file"):
        read_recipe(tmp_path / "notes.txt")
    with pytest.raises(FormatError, match="cannot read"):
        read_recipe(tmp_path / "gone.json")
    with pytest.raises(FormatError, match="no such file"):
        read_recipe(tmp_path / "gone.nii")
    nss.write(tmp_path / "bare.nii", nss.Segmentation(two_strokes(SHAPE), nss.Space.regular(3)))
    with pytest.raises(FormatError, match=r"keep their side file bare\.labels\.json beside"):
        read_recipe(tmp_path / "bare.nii")


def test_a_step_alone_says_what_it_misses(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, {"method": "growcut"}))
    with pytest.raises(InputError, match="needs seeds"):
        recipe.apply(two_halves(SHAPE))


def test_superpixels_are_made_and_then_clustered_or_merged(tmp_path: Path) -> None:
    image = two_halves(SHAPE)
    slic = {"method": "slic", "settings": {"n_superpixels": 20}}
    for step in (
        {"method": "kmeans", "settings": {"n_clusters": 2}},
        {"method": "merge_superpixels"},
    ):
        recipe = read_recipe(written(tmp_path, [slic, step]))
        assert not recipe.needs
        assert recipe.takes("labels") is False
        result = recipe.apply(image)
        regions = nss.run("slic", image, n_superpixels=20)
        expected = nss.run(step["method"], image, labels=regions, **step.get("settings", {}))
        np.testing.assert_array_equal(result.labels, expected.labels)
        assert result.provenance.inputs["labels"]["provenance"]["method"] == "slic"


def test_automatic_seeds_are_grown(tmp_path: Path) -> None:
    image = two_halves(SHAPE)
    steps = [{"method": "entropy_seeds", "settings": {"n_classes": 2}}, {"method": "growcut"}]
    result = read_recipe(written(tmp_path, steps)).apply(image)
    assert (result.labels[..., -2] == 2).all()
    assert (result.labels[..., 1] == 1).all()


def test_methods_that_make_images_are_no_steps(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="makes an image"):
        read_recipe(written(tmp_path, [{"method": "background_effect"}]))


def test_time_points_are_taken_as_they_were(tmp_path: Path) -> None:
    series = nss.Image(np.stack([two_halves(SHAPE), two_halves(SHAPE) // 4]), nss.Space.regular(4))
    result = nss.run("multi_otsu", series, frames="together")
    nss.write(tmp_path / "series.nii.gz", result)
    again = read_recipe(tmp_path / "series.nii.gz").apply(series)
    np.testing.assert_array_equal(again.labels, result.labels)
