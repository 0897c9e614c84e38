"""Effects of groups that the training data lacked, drawn from the fitted population of groups.

    u = diag(sd) R z,   R R' = corr,   z from the effects' own distribution

Every group has a stream of random numbers of its own, which its label and the seed determine: the same
new group has the same effects in every prediction with one seed, and different ones are independent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from ..zoo.structure import GroupStructure
from .programs import double_precision


def draw_effects(
    group: GroupStructure,
    flat: Mapping[str, np.ndarray],
    site: str,
    labels: Sequence[object],
    seed: Sequence[int],
) -> np.ndarray:
    """Draws effects of new groups.

    Args:
        group: the group term.
        flat: natural parameters with one leading dimension (sample).
        site: the term's name among them.
        labels: the labels of the groups.
        seed: what the random numbers depend on beside the labels.

    Returns:
        Shape (sample, group, effect): of one sample, groups are independent given its parameters.
    """
    sd = flat[f"{site}.sd"]
    names = [parameter.name for parameter in group.member.parameters]
    shapes = flat[f"{site}.shape"] if names else np.zeros((len(sd), 0))
    given = {name: shapes[:, i, None] for i, name in enumerate(names)}
    keys = np.stack([_key(label, seed) for label in labels])
    with double_precision():
        drawn = jax.vmap(lambda key: group.member.sample(key, sd.shape, given))(keys)
        z = np.swapaxes(np.asarray(drawn), 0, 1)
    if group.correlated:
        values, vectors = np.linalg.eigh(flat[f"{site}.corr"])  # a singular one has a root too
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        z = z @ np.swapaxes(root, 1, 2)
    return z * sd[:, None, :]


def _key(label: object, seed: Sequence[int]) -> np.ndarray:
    """Returns the key of a label's random numbers, the same in every process."""
    digest = hashlib.blake2b(str(label).encode(), digest_size=16).digest()
    numbers = np.frombuffer(digest, dtype=np.uint32).tolist()
    return np.random.default_rng([*seed, *numbers]).integers(0, 2**32, 2, dtype=np.uint32)
