"""Records of how a result came about."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from napari_segsuite.errors import InputError
from napari_segsuite.provenance import FORMAT, Provenance, describe_input


def test_round_trip_through_json() -> None:
    record = Provenance("growcut", {"connectivity": 3, "evolution": (1, 2)}, extras=("strength",))
    again = Provenance.from_dict(json.loads(json.dumps(record.to_dict())))
    assert again.method == "growcut"
    assert again.extras == ("strength",)
    assert again.to_dict() == record.to_dict()


@pytest.mark.parametrize("broken", [{"format": FORMAT + 1, "method": "growcut"}, {"format": 1}])
def test_foreign_records_are_refused(broken: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected a provenance record"):
        Provenance.from_dict(broken)


def digest_of(array: np.ndarray, **options: bool) -> str:
    return describe_input("image", array, **options)["sha256"]


def test_labels_in_another_type_are_the_same_labels() -> None:
    labels = np.array([[0, 3], [200, 1]])
    kinds = (np.uint8, np.uint16, np.int64)
    assert len({digest_of(labels.astype(kind), are_labels=True) for kind in kinds}) == 1
    assert digest_of(labels, are_labels=True) != digest_of(labels + 1, are_labels=True)


def test_digest_depends_on_values_shape_and_type_but_not_on_layout() -> None:
    array = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    assert digest_of(array) == digest_of(np.asfortranarray(array))
    others = [array + 1, array.reshape(3, 2, 4), array.astype(np.int16), array.ravel()]
    assert len({digest_of(other) for other in [array, *others]}) == 5


@pytest.mark.parametrize(
    "data",
    [
        None,
        "growcut",
        {},
        {"method": 1, "settings": {}},
        {"method": "growcut"},
        {"method": "growcut", "settings": None},
        {"method": "growcut", "settings": {}, "format": "1"},
        {"method": "growcut", "settings": {}, "inputs": {"image": {}}},
    ],
)
def test_what_is_no_record_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match="expected a provenance record of a result"):
        Provenance.from_dict(data)
