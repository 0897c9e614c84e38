import numpy as np
import pandas as pd
import pytest

from bayeszoo.console import check_target, read_table, text_table
from bayeszoo.errors import FileError

TABLE = pd.DataFrame({"x": [1.5, 2.5], "label": ["a", "b"]})


@pytest.mark.parametrize(
    ("name", "separator"), [("t.csv", ","), ("T.CSV", ","), ("t.tsv", "\t"), ("t.v2.csv.gz", ",")]
)
def test_reads_text(tmp_path, name, separator):
    path = tmp_path / name
    TABLE.to_csv(path, sep=separator, index=False)
    pd.testing.assert_frame_equal(read_table(str(path)), TABLE)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_reads_columns(tmp_path, kind):
    path = tmp_path / f"t.{kind}"
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        path.write_bytes(b"")
        with pytest.raises(FileError, match="pyarrow"):
            read_table(str(path))
        return
    getattr(TABLE, f"to_{kind}")(path)
    pd.testing.assert_frame_equal(read_table(str(path)), TABLE)


def test_refuses(tmp_path):
    (tmp_path / "data.csv").write_bytes(b'x,y\n1,"2\n')
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)))
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "book.xlsx").write_bytes(b"")
    for name, words in {
        "dat.csv": "Nearest: `data.csv`",
        "data.csv": "cannot be read as .csv",
        "binary.csv": "cannot be read as .csv",
        "empty.csv": "cannot be read as .csv",
        "book.xlsx": "Kinds: .csv",
        "": "folder",
        "nowhere/at.csv": "there is no file",
    }.items():
        with pytest.raises(FileError, match=words):
            read_table(str(tmp_path / name))


def test_target(tmp_path):
    check_target(str(tmp_path / "fit.nc"))
    for name, words in {"": "is a folder", "no/fit.nc": "there is no folder"}.items():
        with pytest.raises(FileError, match=words):
            check_target(str(tmp_path / name))


def test_text_is_aligned_and_whole():
    table = pd.DataFrame(
        {
            "mean": [251.40510, -0.0000123456, np.nan, 0.0],
            "ess_bulk": [1234.6, 10.0, np.nan, 1.0],
            "p_value": [1e-12, 0.05, np.nan, 1.0],
            "kind": ["a", "long words", "", "b"],
            "warning": [True, False, False, False],
        },
        index=["Intercept", "x", "sd(1|mouse)", "zero"],
    )
    assert text_table(table).splitlines() == [
        "                   mean  ess_bulk  p_value  kind        warning",
        "Intercept         251.4      1235    1e-12  a               yes",
        "x            -1.235e-05        10     0.05  long words       no",
        "sd(1|mouse)                                                  no",
        "zero                  0         1        1  b                no",
    ]
