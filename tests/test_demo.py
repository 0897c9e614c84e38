import numpy as np

import bayeszoo as bz
from bayeszoo.demo import demo, effects


def test_all_methods_find_the_effect(tmp_path, capsys):
    fits = demo(tmp_path / "out")
    table = effects(fits, 0.3)
    assert list(table.index) == ["nuts", "map", "svi", "lme", "truth"]
    spread = table.loc["nuts", "sd"]
    distance = np.abs(table["mean"] - table.loc["nuts", "mean"]) / spread
    assert (distance[["map", "svi", "lme"]] < 1).all()
    assert distance["truth"] < 3
    text = capsys.readouterr().out
    assert "log(Power), normal" in text
    restored = bz.load(tmp_path / "out" / "lfp-nuts.nc")
    np.testing.assert_allclose(
        restored.summary().loc["stim", "mean"], table.loc["nuts", "mean"], rtol=1e-6
    )
