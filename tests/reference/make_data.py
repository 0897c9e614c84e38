"""Write the simulated reference data sets (CSV, full float precision) next to this file.

    python tests/reference/make_data.py

Needs numpy only. Every data set has its own fixed seed (PCG64), so one can change without
the others. All numbers here are invented; nothing comes from an experiment.
"""

import csv
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


def cell(value):
    """One value as text that reads back to the same number."""
    if isinstance(value, (str, np.str_)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return repr(float(value))


def write(name, **columns):
    lengths = {len(column) for column in columns.values()}
    assert len(lengths) == 1, (name, lengths)
    with open(HERE / f"{name}.csv", "w", newline="", encoding="utf-8") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(columns)
        out.writerows([cell(v) for v in row] for row in zip(*columns.values(), strict=True))
    print(f"{name}.csv: {lengths.pop()} rows")


def labels(prefix, index):
    return np.array([f"{prefix}{i + 1:02d}" for i in index])


def correlated(rng, size, sds, corr):
    """Rows of correlated normal effects with the given standard deviations."""
    factor = np.linalg.cholesky(np.asarray(corr, float))
    return rng.standard_normal((size, len(sds))) @ factor.T * np.asarray(sds, float)


def nested():
    """Classes within schools. Class labels repeat in every school: only school:class is unique."""
    rng = np.random.default_rng(101)
    school, klass, y, x = [], [], [], []
    for s, effect in enumerate(rng.normal(0, 3.0, 12)):
        for c in range(rng.integers(2, 6)):
            n = rng.integers(3, 16)
            class_effect = rng.normal(0, 1.8)
            xs = rng.normal(10 + 0.2 * s, 2.0, n)
            x.extend(xs)
            y.extend(50 + 1.2 * xs + effect + class_effect + rng.normal(0, 2.5, n))
            school.extend([s] * n)
            klass.extend([c] * n)
    write("nested", y=y, x=x, school=labels("s", school), **{"class": labels("c", klass)})


def crossed():
    """Subjects crossed with items; about a tenth of the cells is missing."""
    rng = np.random.default_rng(102)
    subject, item = (a.ravel() for a in np.meshgrid(np.arange(24), np.arange(18), indexing="ij"))
    keep = rng.random(subject.size) > 0.1
    subject, item = subject[keep], item[keep]
    by_subject = correlated(rng, 24, [40.0, 15.0], [[1, -0.4], [-0.4, 1]])
    by_item = rng.normal(0, 25.0, 18)
    x = rng.normal(0.3, 1.0, subject.size)
    y = (
        500
        + by_subject[subject, 0]
        + by_item[item]
        + (20 + by_subject[subject, 1]) * x
        + rng.normal(0, 50.0, subject.size)
    )
    write("crossed", y=y, x=x, subject=labels("p", subject), item=labels("i", item))


def factor_slope():
    """Three stimulation levels (strings) whose effects vary between mice, correlated."""
    rng = np.random.default_rng(103)
    counts = rng.integers(5, 12, (20, 3))
    mouse = np.repeat(np.arange(20), counts.sum(1))
    stim = np.concatenate([np.repeat([0, 1, 2], row) for row in counts])
    order = rng.permutation(mouse.size)
    mouse, stim = mouse[order], stim[order]
    effects = correlated(rng, 20, [2.0, 1.2, 1.8], [[1, -0.3, 0.2], [-0.3, 1, 0.5], [0.2, 0.5, 1]])
    mean = np.array([8.0, 1.5, 3.0])
    total = mean + effects
    slope = np.column_stack([np.zeros(20), total[:, 1], total[:, 2]])
    y = total[mouse, 0] + slope[mouse, stim] + rng.normal(0, 1.5, mouse.size)
    write("factor_slope", y=y, stim=np.array(["a", "b", "c"])[stim], mouse=labels("m", mouse))


def counts():
    """Poisson counts over unequal exposures, with group intercepts."""
    rng = np.random.default_rng(104)
    size = rng.integers(8, 25, 20)
    group = np.repeat(np.arange(20), size)
    effect = rng.normal(0, 0.6, 20)
    x = rng.normal(0, 1.0, group.size)
    exposure = rng.uniform(0.5, 4.0, group.size)
    y = rng.poisson(exposure * np.exp(0.7 + 0.35 * x + effect[group]))
    write("counts", y=y, x=x, exposure=exposure, group=labels("g", group))


def binary():
    """0/1 responses with group intercepts."""
    rng = np.random.default_rng(105)
    size = rng.integers(12, 32, 25)
    group = np.repeat(np.arange(25), size)
    effect = rng.normal(0, 1.0, 25)
    x = rng.normal(0, 1.0, group.size)
    y = rng.random(group.size) < 1 / (1 + np.exp(-(-0.4 + 0.9 * x + effect[group])))
    write("binary", y=y.astype(int), x=x, group=labels("g", group))


def proportion():
    """Successes out of unequal numbers of trials (some rows with 1 trial)."""
    rng = np.random.default_rng(106)
    x = rng.uniform(-2, 2, 160)
    trials = rng.integers(1, 30, 160)
    successes = rng.binomial(trials, 1 / (1 + np.exp(-(0.3 + 0.8 * x))))
    write("proportion", successes=successes, trials=trials, x=x)


def positive():
    """Gamma responses, shape 3, log link."""
    rng = np.random.default_rng(107)
    group = rng.integers(0, 3, 240)
    x = rng.normal(1.0, 0.8, 240)
    mean = np.exp(1.0 + 0.4 * x + np.array([0.0, 0.5, -0.3])[group])
    y = rng.gamma(3.0, mean / 3.0)
    write("positive", y=y, x=x, group=np.array(["control", "drug", "sham"])[group])


def heteroscedastic():
    """Normal responses whose standard deviation depends on x and on the arm."""
    rng = np.random.default_rng(108)
    arm = (rng.random(180) < 0.3).astype(int)
    x = rng.exponential(1.5, 180)
    sd = (0.4 + 0.8 * x) * np.where(arm == 1, 2.5, 1.0)
    y = 2.0 + 0.7 * x + 1.0 * arm + sd * rng.standard_normal(180)
    write("heteroscedastic", y=y, x=x, arm=np.array(["control", "treated"])[arm])


def design():
    """Twelve rows for design matrices (two of every a x b cell) and four new rows of x."""
    x = [0.5, 1.25, 2.0, 2.75, 3.1, 4.0, 4.4, 5.5, 6.25, 7.0, 8.8, 10.0]
    a = ["low", "mid", "top", "low", "mid", "top", "low", "mid", "top", "low", "mid", "top"]
    b = ["n", "n", "n", "y", "y", "y", "y", "y", "y", "n", "n", "n"]
    write("design", x=x, a=a, b=b)
    write(
        "design_new",
        x=[0.75, 3.0, 6.0, 9.5],
        a=["top", "low", "mid", "mid"],
        b=["y", "n", "y", "n"],
    )


if __name__ == "__main__":
    for make in (
        nested,
        crossed,
        factor_slope,
        counts,
        binary,
        proportion,
        positive,
        heteroscedastic,
        design,
    ):
        make()
