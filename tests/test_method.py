"""The declaration itself, the registry and the checks of a direct call."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest
from annotated_types import Ge

import napari_segsuite as nss
from napari_segsuite import method as method_module
from napari_segsuite import registry
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.method import Extras, method
from napari_segsuite.progress import SILENT, Progress


@pytest.fixture
def declare(scratch_registry: None) -> Any:
    """Declare a method that is gone again after the test."""

    def make(**options: Any) -> Any:
        @method(title="Test method", family="threshold", bytes_per_voxel=1, **options)
        def brighter(
            image: Any,
            mask: Any = None,
            *,
            above: Annotated[float, Ge(0)] = 5.0,
            channel_axis: int | None = None,
            extras: Extras | None = None,
            progress: Progress = SILENT,
        ) -> Any:
            """Keep what is brighter.

            More words.

            Parameters
            ----------
            image : array
                The image.
            mask : array
                Where.
            above : float
                How bright
                at least.
            """
            return (image > above).astype(np.uint8)

        return brighter

    return make


def test_record_follows_from_signature_and_docstring(declare: Any) -> None:
    declare(channels="any", extras=("glow",))
    record = registry.get_method("brighter")
    assert (record.summary, record.description) == ("Keep what is brighter.", "More words.")
    assert [(i.name, i.required, i.help) for i in record.inputs] == [
        ("image", True, "The image."),
        ("mask", False, "Where."),
    ]
    assert [p.name for p in record.params] == ["above"]
    assert record.params[0].help == "How bright at least."
    assert record.injected == {"channel_axis", "extras", "progress"}


def test_a_taken_id_and_an_unknown_family_are_refused(declare: Any) -> None:
    declare()
    with pytest.raises(ValueError, match="'brighter' is declared already"):
        declare()
    with pytest.raises(ValueError, match="unknown family 'magic'"):
        method(title="Magic", family="magic", bytes_per_voxel=1)


def test_direct_calls_are_checked(declare: Any) -> None:
    brighter = declare(channels="any")
    image = np.arange(12.0).reshape(3, 4)
    with pytest.raises(ParameterError, match="'above' must be a number >= 0, got -1"):
        brighter(image, above=-1)
    with pytest.raises(InputError, match=r"mask of the image's shape \(3, 4\), got shape \(3, 3\)"):
        brighter(image, np.ones((3, 3)))
    with pytest.raises(InputError, match="say channel_axis=-1"):
        brighter(np.zeros((5, 6, 3)), np.ones((5, 6)))
    with pytest.raises(InputError, match="channel axis between"):
        brighter(image, channel_axis=2)
    with pytest.raises(InputError, match="expected an array of numbers, got str"):
        brighter("brain.nii.gz")
    with pytest.raises(TypeError, match="unexpected keyword"):
        brighter(image, bellow=1)
    assert brighter(image.tolist(), above=10).sum() == 1


def test_a_mask_arrives_as_bool(declare: Any) -> None:
    seen = {}

    @method(title="Spy", family="threshold", bytes_per_voxel=1)
    def spy(image: Any, mask: Any = None) -> Any:
        """Look."""
        seen["mask"] = mask
        return image

    declare()
    spy(np.ones((2, 2)), np.array([[0, 3], [1, 0]]))
    np.testing.assert_array_equal(seen["mask"], [[False, True], [True, False]])


def test_unknown_settings_are_named(declare: Any) -> None:
    declare()
    with pytest.raises(ParameterError, match="has no setting 'sigma'; it has above"):
        registry.get_method("brighter").check({"sigma": 1})


def test_unknown_methods_are_named() -> None:
    with pytest.raises(ParameterError, match="there is no method 'grow_cut'"):
        registry.get_method("grow_cut")


def test_methods_are_ordered_by_family_and_title() -> None:
    families = [record.family for record in registry.methods()]
    order = list(method_module.FAMILIES)
    assert families == sorted(families, key=order.index)


def test_a_broken_third_party_is_left_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        value = "their_package.methods"

        def load(self) -> None:
            raise RuntimeError("boom")

    monkeypatch.setattr(registry, "entry_points", lambda group: [Broken()])
    with pytest.warns(UserWarning, match="their_package.methods.*boom"):
        registry._load.__wrapped__()


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, -1), 2.0, np.zeros(3)])
def test_direct_calls_check_the_spacing(spacing: Any) -> None:
    image, seeds = np.zeros((3, 4, 5)), np.zeros((3, 4, 5), np.uint8)
    seeds[0], seeds[-1] = 1, 2
    for method_id in ("growcut", "watershed"):
        with pytest.raises(InputError, match="expected 3 positive spacings"):
            getattr(nss, method_id)(image, seeds, spacing=spacing)
        getattr(nss, method_id)(image, seeds, spacing=np.ones(3))
