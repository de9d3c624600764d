"""Local entropy against ``skimage.filters.rank.entropy``, in turns, median of the ratios.

Run ``python benchmarks/local_entropy.py [REPEATS]``. The values have to be equal.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage.filters import rank
from skimage.morphology import ball, disk

from napari_segsuite.kernels.cpu.local_entropy import local_entropy
from napari_segsuite.samples import load

Image = NDArray[np.uint8]


def images() -> dict[str, Image]:
    """Noise in 2D and 3D, and the bundled brain."""
    rng = np.random.default_rng(0)
    return {
        "noise 2D": rng.integers(0, 256, (1024, 1024), dtype=np.uint8),
        "noise 3D": rng.integers(0, 256, (128, 128, 64), dtype=np.uint8),
        "brain 3D": brain(),
    }


def brain() -> Image:
    """The bundled brain in 8 bits."""
    data = load("brain")["image"].data.astype(float)
    return np.rint(255 * data / data.max()).astype(np.uint8)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def main(repeats: int = 3) -> None:
    """Print one line per image and window."""
    print(f"{'image':>9} {'radius':>7} {'ours ms':>9} {'skimage ms':>11} {'ratio':>7} {'error':>8}")
    for name, image in images().items():
        for radius in (3, 5):
            window = (disk if image.ndim == 2 else ball)(radius)
            ours = local_entropy(image, window.astype(bool))
            error = np.abs(ours - rank.entropy(image, window)).max()
            assert error < 1e-5
            pairs = [
                (
                    seconds(local_entropy, image, window.astype(bool)),
                    seconds(rank.entropy, image, window),
                )
                for _ in range(repeats)
            ]
            fast, slow = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
            ratio = statistics.median(theirs / mine for mine, theirs in pairs)
            print(f"{name:>9} {radius:>7} {fast:>9.1f} {slow:>11.1f} {ratio:>7.1f} {error:>8.1g}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
