"""How sure an engine is of each voxel."""

from __future__ import annotations

from .. import jobs
from ..errors import InputError
from ..progress import SILENT, Progress
from ..registry import get_method, methods
from ..typing import FloatArray, LabelArray
from .engines import NOT_LIVE
from .live import GrowthPlan

EXTRA = "margin"


def margin(plan: GrowthPlan, seeds: LabelArray, progress: Progress = SILENT) -> FloatArray:
    """Strength of the winning class minus that of the runner-up, in the region of a plan.

    Parameters
    ----------
    plan : GrowthPlan
    seeds : (M, N[, P]) integer array
        On the grid of the region.
    progress : callable

    Returns
    -------
    (M, N[, P]) float32 array

    Raises
    ------
    InputError
        If the method of the plan does not say.
    """
    method = get_method(plan.method)
    if EXTRA not in method.extras:
        able = ", ".join(other.title for other in methods() if EXTRA in other.extras)
        raise InputError(f"{method.title} does not say how sure it is; choose {able or 'another'}.")
    settings = {name: value for name, value in plan.settings.items() if name not in NOT_LIVE}
    takes_mask = any(entry.name == "mask" for entry in method.inputs)
    result = jobs.run(
        method,
        plan.image,
        seeds=seeds,
        mask=plan.allowed if takes_mask else None,
        extras=(EXTRA,),
        device="cpu",
        progress=progress,
        **settings,
    )
    found: FloatArray = result.extras[EXTRA]
    return found
