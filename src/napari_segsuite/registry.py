"""All methods: those of this package and those other packages register."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import warnings
from importlib.metadata import entry_points

from .errors import ParameterError
from .method import FAMILIES, Method, declared

ENTRY_POINT_GROUP = "napari_segsuite.methods"


def methods() -> tuple[Method, ...]:
    """Every method, ordered by family and title.

    Examples
    --------
    >>> import napari_segsuite as nss
    >>> "growcut" in [method.id for method in nss.methods()]
    True
    """
    _load()
    order = list(FAMILIES)
    return tuple(sorted(declared().values(), key=lambda m: (order.index(m.family), m.title)))


def get_method(method_id: str) -> Method:
    """The method with this id.

    Raises
    ------
    ParameterError
        If there is none.
    """
    _load()
    if method_id not in declared():
        raise ParameterError(
            f"there is no method '{method_id}'; `napari-segsuite methods` lists them.",
            name="method",
        )
    return declared()[method_id]


@functools.cache
def _load() -> None:
    from . import families

    for module in pkgutil.walk_packages(families.__path__, f"{families.__name__}."):
        importlib.import_module(module.name)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            point.load()
        except Exception as error:  # noqa: BLE001 - somebody else's package must not break ours
            warnings.warn(
                f"the methods of '{point.value}' could not be loaded and are left out: {error}",
                stacklevel=2,
            )
