"""What a model says of its rows."""

import numpy as np

import bayeszoo as bz


def test_how_many_rows_are_bounds():
    """Other programs write 1 where an event was seen, which this line gives away."""
    data = {"y": np.arange(1.0, 7.0), "c": [1, 0, 0, -1, 1, 1], "x": np.arange(6) % 2}
    said = str(bz.Model("censored(y, c) ~ x", data, family="exponential"))
    assert "Censored: 3 right (above the value), 1 left (below it), 2 seen" in said
    assert "Censored" not in str(bz.Model("y ~ x", data, family="exponential"))
