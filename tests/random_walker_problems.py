"""Problems for the random walker, and their solution by dense linear algebra."""

from __future__ import annotations

from itertools import product

import numpy as np


def random_problem(shape, n_channels, masked, seed=0):
    """Mild noise on steps, seeds of three classes, and a mask with holes."""
    rng = np.random.default_rng(seed)
    ramp = np.floor(3 * np.arange(shape[-1]) / shape[-1])
    image = (rng.normal(0, 0.2, (n_channels, *shape)) + ramp).astype(np.float32)
    seeds = np.zeros(shape, np.uint8)
    seeds.flat[rng.choice(seeds.size, 9, replace=False)] = np.repeat([1, 2, 3], 3)
    mask = (rng.random(shape) < 0.8) | (seeds > 0) if masked else None
    return image, seeds, mask


def dense_weights(image, mask, beta, spacing):
    """Conductance between neighbours by faces, as a matrix."""
    shape = image.shape[1:]
    allowed = np.ones(shape, bool) if mask is None else mask
    step = np.array(spacing or (1.0,) * len(shape)) / min(spacing or (1.0,))
    usable = image[:, allowed].astype(float)
    values = (image.astype(float) - usable.min()) / np.ptp(usable)
    deviation = values[:, allowed].std()
    weights = np.zeros((allowed.size, allowed.size))
    index = np.arange(allowed.size).reshape(shape)
    for p, axis in product(np.ndindex(*shape), range(len(shape))):
        q = tuple(x + (a == axis) for a, x in enumerate(p))
        if q[axis] == shape[axis] or not (allowed[p] and allowed[q]):
            continue
        square = ((values[(slice(None), *p)] - values[(slice(None), *q)]) ** 2).sum()
        square /= np.sqrt(len(image)) * step[axis] ** 2
        weight = max(np.exp(-beta * square / (10 * deviation)), 1e-6) / step[axis] ** 2
        weights[index[p], index[q]] = weights[index[q], index[p]] = weight
    return weights


def dense_probabilities(image, seeds, mask, beta, spacing):
    """(K, M, N[, P]) probabilities of classes 1 … K; zero where no seed is reached."""
    allowed = np.ones(seeds.shape, bool) if mask is None else mask
    weights = dense_weights(image, reached(seeds, allowed), beta, spacing)
    free = (reached(seeds, allowed) & (seeds == 0)).ravel()
    laplacian = np.diag(weights.sum(0)) - weights
    result = []
    for value in range(1, int(seeds.max()) + 1):
        solution = (seeds == value).ravel().astype(float)
        known = -laplacian[free] @ solution
        solution[free] = np.linalg.solve(laplacian[np.ix_(free, free)], known)
        result.append(solution.reshape(seeds.shape))
    return np.array(result)


def reached(seeds, allowed):
    """Allowed voxels connected to a seed, by growing one step at a time."""
    found = (seeds > 0) & allowed
    while True:
        grown = found.copy()
        for axis in range(seeds.ndim):
            ahead, behind = [slice(None)] * seeds.ndim, [slice(None)] * seeds.ndim
            ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
            grown[tuple(ahead)] |= found[tuple(behind)]
            grown[tuple(behind)] |= found[tuple(ahead)]
        grown &= allowed
        if np.array_equal(grown, found):
            return found
        found = grown
