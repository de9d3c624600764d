"""Volumes of classes, in the unit of the grid."""

from __future__ import annotations

import numpy as np

from .counts import Counts
from .metric import Metric, Values
from .overlap import ratio


def volume(c: Counts) -> Values:
    """Voxels predicted as the class, times the volume of a voxel."""
    return (c.tp + c.fp) * c.voxel_volume


def volume_reference(c: Counts) -> Values:
    """Voxels of the class in the reference, times the volume of a voxel."""
    return (c.tp + c.fn) * c.voxel_volume


def volume_difference(c: Counts) -> Values:
    """Predicted minus reference volume; positive where too much is predicted."""
    return (c.fp - c.fn) * c.voxel_volume


def relative_volume_difference(c: Counts) -> Values:
    """Predicted minus reference volume, in parts of the reference volume."""
    return ratio(c.fp - c.fn, c.tp + c.fn)


def volume_similarity(c: Counts) -> Values:
    """1 - |fp - fn| / (2 tp + fp + fn) (Taha & Hanbury 2015, doi:10.1186/s12880-015-0068-x)."""
    return 1 - ratio(np.abs(c.fp - c.fn), 2 * c.tp + c.fp + c.fn)


VOLUME = (
    Metric(
        "volume",
        "Volume",
        "predicted voxels x voxel volume",
        volume,
        "How much is predicted. It says nothing about where.",
        group="volume",
        unit="volume",
        better="",
        limits=None,
    ),
    Metric(
        "volume_reference",
        "Reference volume",
        "reference voxels x voxel volume",
        volume_reference,
        "How much there is. Voxels cut by the border count whole or not at all.",
        group="volume",
        unit="volume",
        better="",
        limits=None,
    ),
    Metric(
        "volume_difference",
        "Volume difference",
        "predicted - reference volume",
        volume_difference,
        "Positive where too much is predicted. Misses and false alarms cancel: 0 may be a "
        "prediction in quite another place.",
        group="volume",
        unit="volume",
        better="zero",
        limits=None,
    ),
    Metric(
        "relative_volume_difference",
        "Relative volume difference",
        "(predicted - reference volume) / reference volume",
        relative_volume_difference,
        "Volume difference in parts of the reference. It has no value where the reference lacks "
        "the class, and misses and false alarms cancel.",
        group="volume",
        better="zero",
        limits=None,
        needs=("reference",),
    ),
    Metric(
        "volume_similarity",
        "Volume similarity",
        "1 - |fp - fn| / (2 tp + fp + fn)",
        volume_similarity,
        "1 where both volumes are equal, 0 where one is empty. It says nothing about where.",
        group="volume",
    ),
)
