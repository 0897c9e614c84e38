"""An exact test of uniform ranks, with a band around their distribution function as a whole.

Among L + 1 exchangeable values the rank of one is uniform on 0, ..., L. Of N ranks, the number up to i
is Binomial(N, (i + 1) / (L + 1)) for each i. The band holds, for every i at once, the counts whose
two-sided binomial tail is above gamma; gamma is chosen so that all counts stay inside with
probability 1 - alarm. The counts form a Markov chain,

    n(i + 1) - n(i) ~ Binomial(N - n(i), (z(i + 1) - z(i)) / (1 - z(i))),   z(i) = (i + 1) / (L + 1),

so that the probability is a recursion and no simulation. The p-value is the alarm rate at which the
band would just be left.

Source: Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32:32; Talts et al. (2018),
arXiv:1804.06788.
"""

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

ROUNDING = 1e-12
"""No p-value is below."""


def p_value(ranks, levels):
    """How often uniform ranks on 0, ..., levels - 1 leave as narrow a band as these do."""
    size, z = len(ranks), np.arange(1, levels) / levels
    counts = np.bincount(ranks, minlength=levels).cumsum()[:-1]
    return max(1 - inside(size, levels, tails(counts, size, z).min()), ROUNDING)


def tails(counts, size, z):
    """Two-sided tail probabilities of binomial counts."""
    return 2 * np.minimum(binom.cdf(counts, size, z), binom.sf(counts - 1, size, z))


def inside(size, levels, gamma):
    """The probability that every count of uniform ranks has a tail probability above gamma."""
    log_factorial = gammaln(np.arange(size + 1) + 1.0)
    every = np.arange(size + 1)
    before, chance, z = np.array([0]), np.array([1.0]), 0.0
    for later in np.arange(1, levels) / levels:
        after = every[tails(every, size, later) > gamma * (1 + 1e-9)]
        if not len(after):
            return 0.0
        p = (later - z) / (1 - z)
        step, left = after[None] - before[:, None], size - before[:, None]
        rest = np.broadcast_to(size - after, step.shape)
        log_pmf = (
            log_factorial[left]
            - log_factorial[np.maximum(step, 0)]
            - log_factorial[rest]
            + step * np.log(p)
            + rest * np.log1p(-p)
        )
        chance = chance @ np.where(step >= 0, np.exp(log_pmf), 0.0)
        before, z = after, later
    return float(chance.sum())
