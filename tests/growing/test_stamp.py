"""The record of grown labels makes them again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from live_scenes import PLAIN, plan_for, seeds
from napari_segsuite.errors import InputError
from napari_segsuite.growing.channels import stack
from napari_segsuite.growing.engines import make_engine
from napari_segsuite.growing.live import GrowthPlan
from napari_segsuite.growing.stamp import provenance_of, with_cleaning
from napari_segsuite.image import Image
from napari_segsuite.provenance import Provenance

REGION = (slice(1, 6), slice(2, 18), slice(0, 22))


def grown(plan: GrowthPlan, painted: np.ndarray) -> np.ndarray:
    engine = make_engine(plan.method, plan.image, painted, plan.settings, plan.allowed)
    engine.adopt(engine.study())
    return np.asarray(engine.labels)


def with_channels() -> GrowthPlan:
    plan = plan_for(REGION)
    other = Image(plan.image.data.astype(np.float32)[::-1].copy(), plan.image.space)
    return replace(plan, image=stack(plan.image, [other]))


def masked(method: str = "growcut") -> GrowthPlan:
    allowed = np.ones((5, 16, 22), bool)
    allowed[:2] = False
    settings = PLAIN if method == "growcut" else {}
    return plan_for(REGION, allowed=allowed, method=method, settings=settings)


@pytest.mark.parametrize(
    "plan",
    [
        plan_for(),
        plan_for(REGION),
        masked(),
        with_channels(),
        masked("watershed"),
        plan_for(REGION, settings={"guide": "learned"}),
        replace(masked(), settings={"guide": "auto"}),
    ],
    ids=["whole", "region", "mask", "channels", "other method", "learned guide", "auto guide"],
)
def test_replay_gives_the_same_labels(plan: GrowthPlan) -> None:
    painted = seeds()[plan.region]
    record = json.loads(json.dumps(provenance_of(plan, painted).to_dict()))
    inputs: dict[str, Any] = {"seeds": painted}
    if "mask" in record["inputs"]:
        inputs["mask"] = plan.allowed
    again = nss.replay(record, plan.image, **inputs)
    np.testing.assert_array_equal(again.labels, grown(plan, painted))
    from_array = nss.replay(record, plan.image.data, **inputs)
    np.testing.assert_array_equal(from_array.labels, again.labels)
    other = painted.copy()
    other[0, 0, 0] = 2
    with pytest.raises(InputError, match="seeds"):
        nss.replay(record, plan.image, **inputs | {"seeds": other})


def test_what_replay_cannot_know_is_noted() -> None:
    plan = plan_for(REGION, smoothing=1.5)
    rule = {"rule": "classes", "classes": (2,), "locked": (), "background": None}
    record = provenance_of(plan, seeds()[REGION], rule).to_dict()
    assert record["injected"]["region"] == [[1, 6], [2, 18], [0, 22]]
    assert record["injected"]["smoothing"] == 1.5
    assert record["injected"]["merging"] == {**rule, "classes": [2], "locked": []}


def test_cleanings_are_noted_in_order() -> None:
    record = provenance_of(plan_for(), seeds()).to_dict()
    first = with_cleaning(record, "clean_labels", {"keep_largest": True})
    second = with_cleaning(first, "split_touching", {})
    assert "cleaned" not in record["injected"]
    names = [entry["method"] for entry in second["injected"]["cleaned"]]
    assert names == ["clean_labels", "split_touching"]
    assert len(first["injected"]["cleaned"]) == 1
    assert Provenance.from_dict(second).method == "growcut"
