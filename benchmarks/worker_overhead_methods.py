"""The same work twice, for a thread and for the compute process."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge

from napari_segsuite.method import method
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray


def _threshold(image: ImageArray, passes: int, progress: Progress) -> LabelArray:
    total = np.zeros(image.shape, np.float32)
    for i in range(passes):
        progress(i / passes, "working")
        total += np.sqrt(image + i)
    return (total > total.mean()).astype(np.uint8)


@method(title="Local work", family="threshold", bytes_per_voxel=16)
def local_work(
    image: ImageArray, *, passes: Annotated[int, Ge(1)] = 1, progress: Progress = SILENT
) -> LabelArray:
    """Numpy, in a thread."""
    return _threshold(image, passes, progress)


@method(title="Remote work", family="threshold", requires=("torch",), bytes_per_voxel=16)
def remote_work(
    image: ImageArray, *, passes: Annotated[int, Ge(1)] = 1, progress: Progress = SILENT
) -> LabelArray:
    """The same numpy, in the compute process."""
    return _threshold(image, passes, progress)
