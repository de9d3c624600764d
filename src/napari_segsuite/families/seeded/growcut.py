"""GrowCut: seeds fight for every voxel, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...errors import ParameterError
from ...kernels.growcut_cost import Steps, build_steps
from ...label_values import present_labels
from ...method import Extras, method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from .growcut_inputs import largest_difference, prepare
from .guide import GuideSource, learn
from .guide import features as guided_features
from .margins import margin_of

# Share of the work, roughly, that is done once the guide is learned.
_LEARNING = 0.6


@method(
    title="GrowCut",
    family="seeded",
    channels="any",
    extras=("strength", "margin"),
    devices=("cpu", "cuda"),
    # With a guide; a tenth of it without.
    bytes_per_voxel=22,  # 12 without the margin
    bytes_per_channel=4,
    bytes_by_setting={"guide": {"learned": (64, 40), "auto": (64, 40)}},
    stacked_by="evolution",
    requires=("numba",),
    references=(
        "https://www.graphicon.ru/oldgr/en/publications/text/gc2005vk.pdf",
        "10.1109/TPAMI.2004.1261076",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC11612195/",
    ),
)
def growcut(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    connectivity: Annotated[int, Ge(1), Le(3)] = 1,
    cost: Literal["growcut", "slicer"] = "growcut",
    locality: Annotated[float, Ge(0), Le(10), Unit("per physical unit")] = 0.0,
    evolution: Annotated[tuple[int, ...], Ge(0)] = (),
    guide: Literal["none", "learned", "auto"] = "none",
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    device: str = "cpu",
    rng: int = 0,
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Grow every painted class until it meets the others, by strength of contrast.

    Each voxel goes to the seed whose strongest path reaches it: a path loses strength at
    every step, the more the larger the change of intensity. This is the fixed point of
    the cellular automaton of Vezhnevets and Konouchine, computed exactly: on the CPU by
    block-wise sweeps, on a GPU as a stencil, with the same labels. The force of an attack
    is capped at 1 - 2**-22, so that strength falls along every path and, where the
    published rule leaves a tie, the fewer steps win.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels, compared by Euclidean distance.
        Voxels that are NaN or infinite stay unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; at least two classes.
    mask : (M, N[, P]) bool array, optional
        Where growth may go; voxels outside stay 0.
    connectivity : int
        Neighbours differ in at most this many axes: 1 = faces, 2 = edges, 3 = corners;
        3 counts as 2 in a 2D image.
    cost : {"growcut", "slicer"}
        Force of an attack: "growcut" multiplies (1 - contrast) along the path, "slicer" orders
        paths by their summed contrast, as Grow from seeds in 3D Slicer does.
    locality : float
        Extra loss of strength per unit of path length, in the image's unit or in pixels:
        higher values keep each class nearer to its seeds.
    evolution : tuple of int
        Steps of the synchronous automaton to keep: the labels then come as a time
        stack, one frame per step, for watching the classes fight. Slower; empty for the
        end result alone.
    guide : {"none", "learned", "auto"}
        "learned" trains forests on the painted voxels, and on others that they and growth
        agree about, and lets contrast be the change of intensity, between its 1st and 99th
        percentile, together with half the change of probability: much better where
        intensity alone does not tell the classes apart. "auto" leaves the choice to the
        program, which learns wherever two classes can be learned from; growth is plain
        elsewhere.
    spacing : tuple of float, optional
        Voxel size per axis. A step of length d then attacks with g ** (d / d_min); without
        it every neighbour counts as one step, as published.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    device : str
        "cpu" or "cuda".
    rng : int
        Seed of the forest.
    extras : Extras, optional
        "strength": the strength in [0, 1] with which each voxel is held (float32);
        "margin": that minus the strength with which the runner-up would hold it, for which
        growth is repeated without each class in turn.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Class of every voxel, 0 where no seed reaches. Smallest type that holds the seeds.
        Of equally strong attackers the one last in lexicographic order of the offsets
        wins, whatever the number of threads.

    Raises
    ------
    InputError
        If seeds and image do not match, or fewer than two classes are painted.

    References
    ----------
    .. [1] V. Vezhnevets, V. Konouchine, "GrowCut: Interactive multi-label N-D image
       segmentation by cellular automata", Graphicon 2005, 150-156.
    .. [2] A. X. Falcao, J. Stolfi, R. de Alencar Lotufo, "The image foresting transform",
       IEEE TPAMI 26(1), 2004, 10.1109/TPAMI.2004.1261076.
    .. [3] Y. Gao et al., "Grow from seeds" by adaptive dynamic programming, Sci Rep 14,
       29878, 2024 (the "slicer" cost).

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 11, 12, 80, 81, 82]], dtype=np.uint8)
    >>> seeds = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8)
    >>> nss.growcut(image, seeds)
    array([[1, 1, 1, 2, 2, 2]], dtype=uint8)
    """
    features, painted, contrast, allowed = prepare(image, seeds, mask, channel_axis)
    if guide != "none":
        learning = part_of(progress, 0, _LEARNING)
        source = GuideSource(image, spacing, channel_axis, allowed, "GrowCut")
        learned = learn(source, painted, rng, learning)
        features = guided_features(source, learned)
        contrast = largest_difference(features, allowed)
        progress = part_of(progress, _LEARNING, 1)
    steps = build_steps(
        painted.ndim,
        min(connectivity, painted.ndim),
        contrast,
        cost=cost,
        spacing=spacing,
        locality=locality,
    )
    wanted = frozenset() if extras is None else extras.wanted
    if evolution:
        if wanted:
            raise ParameterError(
                "GrowCut: 'evolution' must be empty where strength or margin are asked for, got "
                f"{evolution}; ask for one of the two.",
                name="evolution",
            )
        from ...kernels.cpu.automaton import evolve

        frames: LabelArray = evolve(
            features, painted, steps, evolution, mask=allowed, progress=progress
        )
        return frames
    grow = _grower(features, steps, allowed, device)
    if extras is None or "margin" not in wanted:
        labels, strength = grow(painted, progress)
    else:
        turns = 1 + len(present_labels(painted))
        labels, strength = grow(painted, part_of(progress, 0, 1 / turns))
        extras["margin"] = margin_of(
            labels,
            strength,
            painted,
            lambda seeds, report: grow(seeds, report)[1],
            part_of(progress, 1 / turns, 1),
        )
    if extras is not None and "strength" in wanted:
        extras["strength"] = strength
    return labels


def _grower(
    features: NDArray[Any], steps: Steps, mask: MaskArray | None, device: str
) -> Callable[[LabelArray, Progress], tuple[LabelArray, FloatArray]]:
    """What grows seeds in these features on the device."""
    if device.startswith("cuda"):
        from ...kernels.gpu import growcut as gpu

        return lambda seeds, progress: gpu.grow(
            features, seeds, steps, mask=mask, device=device, progress=progress
        )
    from ...kernels.cpu import growcut as cpu

    return lambda seeds, progress: cpu.grow(features, seeds, steps, mask=mask, progress=progress)
