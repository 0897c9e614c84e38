"""Writes data sets of the shapes of lme4's examples, simulated (python, from the root)."""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def main() -> None:
    """Writes the data sets; each has a seed of its own."""
    rng = np.random.default_rng(101)
    batch = np.repeat(list("ABCDEF"), 5)
    write(
        "dyestuff",
        batch=batch,
        y=1500 + 40 * rng.normal(size=6).repeat(5) + 50 * rng.normal(size=30),
    )
    rng = np.random.default_rng(102)
    noise = 4 * rng.normal(size=(6, 5))
    noise -= 0.98 * noise.mean(axis=1, keepdims=True)  # batches vary less than chance would have it
    write("dyestuff_flat", batch=batch, y=(5 + noise).ravel())
    rng = np.random.default_rng(103)
    plate, sample = np.divmod(np.arange(144), 6)
    y = 23 + 0.8 * rng.normal(size=24)[plate] + 1.9 * rng.normal(size=6)[sample]
    labels = {"plate": [f"p{i:02d}" for i in plate], "sample": np.array(list("ABCDEF"))[sample]}
    write("penicillin", **labels, y=y + 0.55 * rng.normal(size=144))
    rng = np.random.default_rng(104)
    batch, cask = np.arange(60) // 6, np.arange(60) // 2
    y = 60 + 1.3 * rng.normal(size=10)[batch] + 2.9 * rng.normal(size=30)[cask]
    labels = {"batch": np.array(list("ABCDEFGHIJ"))[batch], "cask": np.array(list("abc"))[cask % 3]}
    write("pastes", **labels, y=y + 0.82 * rng.normal(size=60))
    rng = np.random.default_rng(105)
    herd, period = np.divmod(np.arange(60), 4)
    kept = rng.random(60) < 0.93
    eta = -1.4 + np.array([0, -1.0, -1.1, -1.6])[period] + 0.65 * rng.normal(size=15)[herd]
    size = rng.integers(2, 35, 60)
    table = {"herd": [f"h{i:02d}" for i in herd], "period": [f"t{i + 1}" for i in period]}
    table |= {"incidence": rng.binomial(size, 1 / (1 + np.exp(-eta))), "size": size}
    write("cbpp", **{name: np.asarray(column)[kept] for name, column in table.items()})
    rng = np.random.default_rng(106)
    n, unit = 300, rng.permutation(300) % 20
    x, arm = rng.normal(size=n), np.array(["a", "b"])[rng.integers(0, 2, n)]
    mu = np.exp(0.8 + 0.3 * x - 0.4 * (arm == "b") + 0.5 * rng.normal(size=20)[unit])
    counts = rng.poisson(rng.gamma(1.8, mu / 1.8))
    zeros = rng.poisson(mu) * (rng.random(n) < 0.75)
    share = np.clip(rng.beta(mu / (1 + mu) * 6, 6 / (1 + mu)), 1e-3, 1 - 1e-3)
    columns = {"overdispersed": counts, "poisson": rng.poisson(mu), "inflated": zeros}
    columns |= {"positive": rng.gamma(2.5, mu / 2.5), "share": share}
    write("units", unit=[f"u{i:02d}" for i in unit], x=x, arm=arm, **columns)


def write(name: str, **columns: object) -> None:
    """Writes one data set, floats so that they read back exactly."""
    path = FOLDER / f"{name}.csv"
    pd.DataFrame(columns).to_csv(path, index=False, float_format="%.17g")


if __name__ == "__main__":
    main()
