"""Engines keep labels in line with seeds: a session, or any seeded method run anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from live_scenes import PLAIN, SPACING, plan_for, seeds
from napari_segsuite import jobs
from napari_segsuite.errors import Cancelled, InputError, ParameterError
from napari_segsuite.growing.engines import (
    LIVE_METHOD,
    MethodEngine,
    SessionEngine,
    is_offered,
    make_engine,
)
from napari_segsuite.method import Extras, method
from napari_segsuite.registry import get_method, methods
from napari_segsuite.typing import ImageArray, LabelArray

OFFERED = [method.id for method in methods() if is_offered(method)]


def engine_of(method: str, painted: np.ndarray, allowed: Any = None, **settings: Any) -> Any:
    return make_engine(method, plan_for().image, painted, settings, allowed)


def test_growcut_follows_and_all_others_run_anew() -> None:
    assert LIVE_METHOD in OFFERED
    assert "watershed" in OFFERED
    assert "global_threshold" not in OFFERED
    assert isinstance(engine_of(LIVE_METHOD, seeds()), SessionEngine)
    assert isinstance(engine_of("watershed", seeds()), MethodEngine)


@pytest.mark.parametrize("method", OFFERED)
def test_labels_are_those_of_the_method(method: str) -> None:
    painted = seeds()
    engine = engine_of(method, painted)
    assert engine.follow(painted) is None
    painted[3, 9:12, 9:14] = 1
    box = engine.follow(painted)
    expected = jobs.run(method, plan_for().image, seeds=painted).labels
    np.testing.assert_array_equal(engine.labels, expected)
    np.testing.assert_array_equal(engine.seeds, painted)
    assert box is not None
    assert (expected[box] == 1).any()
    if engine.strength is not None:
        assert engine.strength[3, 10, 10] == pytest.approx(1)


@pytest.mark.parametrize("method", OFFERED)
def test_growth_stays_where_it_may(method: str) -> None:
    allowed = np.ones(seeds().shape, bool)
    allowed[:3] = False
    engine = engine_of(method, seeds(), allowed)
    assert not engine.labels[:3].any()
    assert (engine.labels[3:] != 0).any()


def test_settings_and_spacing_reach_the_session() -> None:
    settings = {"connectivity": 3, "cost": "slicer", "locality": 0.2}
    engine = engine_of(LIVE_METHOD, seeds(), **settings, evolution=())
    session = nss.GrowSession(plan_for().image.data, seeds(), spacing=SPACING, **settings)
    np.testing.assert_array_equal(engine.labels, session.labels)
    np.testing.assert_array_equal(engine.strength, session.strength)
    unlike = nss.GrowSession(plan_for().image.data, seeds(), **settings)
    assert (engine.strength != unlike.strength).any()
    with pytest.raises(ParameterError, match="locality"):
        engine_of(LIVE_METHOD, seeds(), locality=-1.0)


def test_session_learns_where_it_can() -> None:
    engine = engine_of(LIVE_METHOD, seeds(), **PLAIN, guide="none")
    assert not engine.is_stale
    assert engine.adopt(engine.study()) is None
    engine = engine_of(LIVE_METHOD, seeds(), **PLAIN, guide="auto")
    assert engine.is_stale
    engine.adopt(engine.study())
    assert not engine.is_stale
    expected = nss.growcut(plan_for().image.data, seeds(), spacing=SPACING, **PLAIN, guide="auto")
    np.testing.assert_array_equal(engine.labels, expected)
    assert engine.session.classifier is not None


def test_methods_learn_nothing_and_keep_what_they_had_when_they_fail() -> None:
    painted = seeds()
    engine = engine_of("watershed", painted)
    before = engine.labels.copy()
    assert not engine.is_stale
    assert engine.adopt(engine.study()) is None
    one_class = np.where(painted == 1, 1, 0)
    with pytest.raises(InputError):
        engine.follow(one_class)
    np.testing.assert_array_equal(engine.labels, before)
    np.testing.assert_array_equal(engine.seeds, painted)

    def cancel(*_: Any) -> None:
        raise Cancelled

    painted[3, 9:12, 9:14] = 1
    with pytest.raises(Cancelled):
        engine.follow(painted, cancel)
    assert engine.follow(painted) is not None


def test_a_method_engine_keeps_its_own_seeds() -> None:
    painted = seeds()
    engine = MethodEngine(get_method("watershed"), plan_for().image, {})
    assert not engine.seeds.any()
    assert not engine.labels.any()
    engine.follow(painted)
    painted[...] = 7
    assert engine.seeds.max() == 2


# --- how sure -------------------------------------------------------------------------
@pytest.fixture
def sure(scratch_registry: None) -> list[Any]:
    """A method that says how sure it is, and the masks it was given."""
    masks: list[Any] = []

    @method(title="Sure", family="seeded", channels="single", extras=("margin",), bytes_per_voxel=1)
    def sure(
        image: ImageArray,
        seeds: LabelArray,
        mask: LabelArray | None = None,
        *,
        offset: float = 0.0,
        extras: Extras | None = None,
    ) -> LabelArray:
        """Label by the seeds alone.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seeds : (M, N[, P]) array
            Painted classes.
        mask : (M, N[, P]) array, optional
            Noted.
        offset : float
            Added to the margin.
        """
        masks.append(mask)
        if extras is not None and "margin" in extras.wanted:
            extras["margin"] = image.astype(np.float32) + np.float32(offset)
        return seeds.astype(np.uint8)

    return masks


def test_margin_is_that_of_the_method_with_the_seeds_as_they_are(sure: list[Any]) -> None:
    allowed = np.ones(seeds().shape, bool)
    engine = engine_of("sure", seeds(), allowed, offset=0.5)
    painted = seeds()
    painted[3, 9:12, 9:14] = 1
    engine.follow(painted)
    reports: list[float] = []
    found = engine.margin(lambda fraction, _message="": reports.append(fraction))
    np.testing.assert_array_equal(found, plan_for().image.data + np.float32(0.5))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(sure[-1], allowed)
    assert reports


def test_margin_of_growcut_is_that_of_its_session(sure: list[Any]) -> None:
    engine = engine_of(LIVE_METHOD, seeds(), **PLAIN)
    result = jobs.run(LIVE_METHOD, plan_for().image, seeds=seeds(), extras=("margin",), **PLAIN)
    np.testing.assert_array_equal(engine.margin(), result.extras["margin"])


def test_methods_that_do_not_say_name_those_that_do(sure: list[Any]) -> None:
    with pytest.raises(InputError, match=r"Watershed does not say how sure it is; .*Sure"):
        engine_of("watershed", seeds()).margin()
