import pytest


def test_is_the_published_table(sleepstudy):
    assert sleepstudy.shape == (180, 3)
    assert list(sleepstudy.columns) == ["Reaction", "Days", "Subject"]
    assert (sleepstudy.groupby("Subject")["Days"].apply(list).map(tuple) == tuple(range(10))).all()
    assert sleepstudy["Subject"].map(type).eq(str).all()
    assert sleepstudy["Reaction"].mean() == pytest.approx(298.507892, abs=1e-6)
