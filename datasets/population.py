"""A simulated population of neurons that share a stimulus and excite or inhibit each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import names, number, whole
from .temporal import FASTEST, causal, raised_cos_log, spike_train

if TYPE_CHECKING:
    import xarray as xr

REMEDY = "Lower coupling=, stimuli=, rate= or rate_sd="


def population(
    neurons: int = 5,
    bins: int = 20_000,
    seed: int = 0,
    *,
    stimuli: float = 0.5,
    stimuli_cv: float = 0.5,
    coupling: float = 1.0,
    connected: float = 0.3,
    rate: float = 8.0,
    rate_sd: float = 0.4,
    basis: int = 5,
    window: int = 20,
    bin_width: float = 0.01,
    trials: int = 1,
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Simulates the spike counts of coupled neurons under one stimulus of white noise.

    spikes[t, n] ~ Poisson(exp(Intercept[n] + sum_j stim_kernel[j, n] stim[t - 1 - j]
                           + sum_sj coupling_kernel[s, j, n] spikes[t - 1 - j, s]))
    stim_kernel = K @ stim,  coupling_kernel[s] = K @ coupling[s],  K = raised_cos_log(basis, window)
    Intercept[n] = log(rate bin_width) + rate_sd z[n],  stim[b, n] = stim_mean[b] + stim_sd w[b, n]

    with z and w standard normal, so that `truth["formula"]` with family `poisson` and the mask
    `truth["mask"]` is the true model. Every spike suppresses its own neuron for a few bins. Every
    other source reaches a neuron with probability `connected`, and then excites or inhibits it, with
    equal chances and fading strength. The more sources a neuron has on average, the weaker is each,
    so that the rates stay bounded. Terms switched off by `stimuli=0` or `coupling=0` have exactly no
    effect and are not in the formula.

    Args:
        neurons: number of neurons.
        bins: bins per trial.
        seed: the same seed gives the same data.
        stimuli: standard deviation over time of the log rate of a neuron that has the population's
            mean kernel; negative values turn the kernel round.
        stimuli_cv: standard deviation over neurons of each weight of the stimulus, relative to the
            root mean square of the mean weights.
        coupling: strength of all effects of past spikes, 0 or more. At 1, with few neurons, a spike
            of another neuron changes the log rate by 0.5 to 1.5, summed over the bins after it.
        connected: probability that one neuron reaches another; 0 leaves each only its own history.
        rate: rate of the median neuron without stimulus and spikes, in Hz.
        rate_sd: standard deviation over neurons of the log of that rate.
        basis: number of basis functions of each kernel, at least 2.
        window: length of each kernel in bins, at least `basis`.
        bin_width: in s.
        trials: number of trials; neither stimulus nor spikes have effects beyond their own trial.

    Returns:
        A Dataset with `spikes` (time, neuron), `stim` (time,) and the coordinates `time` (start of
        the bin in s, on a clock that stops between trials), `trial` (time, from 0) and `neuron`
        ("n01", ...); and the truth: `Intercept` (log count per bin, shape (neuron,)), `stim` (basis,
        neuron), `stim_mean` (basis,), `stim_sd`, `stim_kernel` (window, neuron), `coupling` (source,
        basis, neuron) and `coupling_kernel` (source, window, neuron), both 0 where `mask` (source,
        neuron) is False, `rate` (Hz, given the past, shape (time, neuron)), `basis`, `window`,
        `bin_width` and `formula`.

    Raises:
        OptionError: an argument is out of range, or a neuron would fire faster than 5,000 Hz.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.population(neurons=3, bins=100)
        >>> dict(data.sizes), truth["coupling"].shape
        ({'time': 100, 'neuron': 3}, (3, 5, 3))

    Source: the coupled model of Pillow et al. (2008), "Spatio-temporal correlations and visual
    signalling in a complete neuronal population".
    """
    neurons, bins = whole("neurons", neurons, 1), whole("bins", bins, 1)
    seed, trials = whole("seed", seed, 0), whole("trials", trials, 1)
    basis = whole("basis", basis, 2)
    window = whole("window", window, basis)
    stimuli = number("stimuli", stimuli, -10, 10)
    stimuli_cv, rate_sd = number("stimuli_cv", stimuli_cv, 0, 10), number("rate_sd", rate_sd, 0, 10)
    coupling, connected = number("coupling", coupling, 0, 1e6), number("connected", connected, 0, 1)
    rate = number("rate", rate, 0, FASTEST, open=True)
    bin_width = number("bin_width", bin_width, 0, 10, open=True)

    rng = np.random.default_rng(seed)
    kernels = raised_cos_log(basis, window)
    intercept = math.log(rate * bin_width) + rate_sd * rng.standard_normal(neurons)
    from_peak = np.arange(basis) - 1
    shape = np.cos(math.pi / 3 * from_peak) * np.exp(-np.abs(from_peak) / 3)
    stim_mean = stimuli * shape / np.linalg.norm(kernels @ shape)
    stim_sd = float(stimuli_cv * np.sqrt(np.mean(stim_mean**2)))
    stim_weights = stim_mean[:, None] + stim_sd * rng.standard_normal((basis, neurons))
    mask, coupling_weights = _coupling(rng, neurons, kernels, coupling, connected)
    stim_kernel, coupling_kernel = kernels @ stim_weights, kernels @ coupling_weights

    stim = rng.standard_normal((trials, bins))
    runs = []
    for one in stim:
        driven = np.stack([causal(one, kernel) for kernel in stim_kernel.T], axis=1)
        runs.append(spike_train(rng, intercept + driven, coupling_kernel, bin_width, REMEDY))
    spikes, log_mean = (np.concatenate(parts) for parts in zip(*runs, strict=True))

    truth = {
        "Intercept": intercept,
        "stim": stim_weights,
        "stim_mean": stim_mean,
        "stim_sd": stim_sd,
        "stim_kernel": stim_kernel,
        "coupling": coupling_weights,
        "coupling_kernel": coupling_kernel,
        "mask": mask,
        "rate": np.exp(log_mean) / bin_width,
        "basis": basis,
        "window": window,
        "bin_width": bin_width,
        "formula": _formula(stimuli != 0, coupling != 0, basis, window, trials > 1),
    }
    return _dataset(spikes, stim, bin_width), truth


def _coupling(
    rng: np.random.Generator, neurons: int, kernels: np.ndarray, coupling: float, connected: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draws which source reaches which neuron, and the weights, shape (source, basis, neuron)."""
    drawn = rng.random((neurons, neurons)) < connected
    signs = rng.choice([-1.0, 1.0], size=(neurons, neurons))
    sizes = rng.uniform(0.5, 1.5, size=(neurons, neurons))
    fading = np.exp(-np.arange(kernels.shape[1]) / 1.5)
    fading /= np.sum(kernels @ fading)
    sources = max(1.0, connected * (neurons - 1))
    weights = np.where(drawn, signs * sizes / math.sqrt(sources), 0.0)[:, None, :] * fading[:, None]
    own = np.arange(neurons)
    weights[own, :, own] = -1.5 * np.exp(-np.arange(kernels.shape[1]))
    return (drawn | np.eye(neurons, dtype=bool)) & (coupling != 0), coupling * weights


def _formula(stimulated: bool, coupled: bool, basis: int, window: int, by_trial: bool) -> str:
    inside = f"raised_cos_log({basis}, {window})" + ", by=trial" * by_trial
    terms = [f"conv(stim, {inside})"] * stimulated + [f"conv(spikes, {inside})"] * coupled
    return "spikes ~ " + (" + ".join(terms) or "1")


def _dataset(spikes: np.ndarray, stim: np.ndarray, bin_width: float) -> xr.Dataset:
    import xarray as xr

    trials, bins = stim.shape
    return xr.Dataset(
        {"spikes": (("time", "neuron"), spikes), "stim": ("time", stim.ravel())},
        coords={
            "time": ("time", np.arange(len(spikes)) * bin_width, {"units": "s"}),
            "trial": ("time", np.repeat(np.arange(trials), bins)),
            "neuron": names("n", spikes.shape[1]),
        },
    )
