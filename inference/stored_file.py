"""What makes a stored fit a file that can be trusted to be whole: a seal at its end, a look inside.

The seal is a digest of all bytes before it, behind the end of the HDF5 file, which its readers ignore.
A file that was cut, changed or damaged does not fit its seal and is never given to the HDF5 library.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from ..errors import FileError

START = b"\nbayeszoo sha256 "
LENGTH = len(START) + 64 + 1
MAGIC = b"\x89HDF\r\n\x1a\n"
BLOCK = 2**20
PATIENCE, PACE = 30.0, 20e6
"""Seconds, and bytes in a further one, after which a file without a seal is taken for endless."""
OBJECTS = 100_000
"""A file with more arrays and groups than this is none of ours."""


def image(groups: Mapping[str, xr.Dataset]) -> memoryview:
    """Returns the content of a NetCDF file of these groups, made in memory.

    The HDF5 library, which writes them, may end a process whose disk is full.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    buffer = io.BytesIO()
    with warnings.catch_warnings(), h5netcdf.File(buffer, "w") as file:
        for name, group in groups.items():
            place = file if name == "/" else file.create_group(name)
            group.dump_to_store(H5NetCDFStore(place))
    return buffer.getbuffer()


def seal(content: bytes | memoryview) -> bytes:
    """Returns the seal of a file's content."""
    return START + hashlib.sha256(content).hexdigest().encode() + b"\n"


def check_seal(path: Path) -> bool:
    """Returns whether a file has a seal.

    Raises:
        FileError: the seal does not fit, or the file is of another kind.
    """
    size = path.stat().st_size
    if size == 0:
        raise FileError(f"`{path}` cannot be read as a fit: it is empty.")
    with open(path, "rb") as file:
        head = file.read(len(MAGIC))
        file.seek(max(0, size - LENGTH))
        tail = file.read()
    if head != MAGIC:
        raise FileError(
            f"`{path}` cannot be read as a fit: it is no NetCDF file as Fit.save writes it (NetCDF 4)."
        )
    if not tail.startswith(START):
        return False
    if tail[len(START) : -1] != _digest(path, size - LENGTH):
        raise FileError(
            f"`{path}` is damaged, or was changed after it was saved: its digest does not fit. Save "
            "the fit again, or take another copy of the file."
        )
    return True


def rehearse(path: Path) -> None:
    """Reads a file without a seal in another process first: damage may hang or crash the HDF5 library.

    Raises:
        ValueError: the process crashed, or did not end.
    """
    code = (
        "import sys; path, sys.path[:] = sys.argv[1], sys.argv[2:]\n"
        f"from {__name__} import read_whole; read_whole(path)"
    )
    words = [sys.executable, "-c", code, str(path), *sys.path]
    limit = PATIENCE + path.stat().st_size / PACE
    try:
        ended = subprocess.run(words, capture_output=True, timeout=limit, check=False).returncode
    except subprocess.TimeoutExpired:
        raise ValueError("its parts run in circles") from None
    if ended < 0:
        raise ValueError("its parts end the process that reads them")


def read_whole(path: str) -> None:
    """Reads all that a file holds."""
    for group in ("/", *look_inside(Path(path))):
        read_group(Path(path), group)


def look_inside(path: Path) -> list[str]:
    """Returns the names of a file's groups, having made sure that it holds what it says, and itself.

    Raises:
        ValueError: something in it points to other files, is packed, or claims more than is there.
    """
    import h5py

    size, claimed, count = path.stat().st_size, 0, 0
    with h5py.File(path, "r") as file:
        waiting: list[Any] = [file]
        names = [name for name in file if isinstance(file.get(name, getlink=True), h5py.HardLink)]
        names = [str(name) for name in names if isinstance(file[name], h5py.Group)]
        while waiting:
            group = waiting.pop()
            for name in group:
                count += 1
                if count > OBJECTS:
                    raise ValueError("it holds too many objects")
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"`{name}` is a link to somewhere else")
                found = group[name]
                if isinstance(found, h5py.Group):
                    waiting.append(found)
                elif isinstance(found, h5py.Dataset):
                    claimed += _claim(name, found)
                if claimed > 2 * size:
                    raise ValueError("its arrays claim to be larger than the file")
    return names


def _claim(name: str, array: Any) -> int:
    if array.external or array.is_virtual:
        raise ValueError(f"`{name}` lies in another file")
    if array.compression is not None or array.scaleoffset is not None:
        raise ValueError(f"`{name}` is packed, which Fit.save never does")
    # texts of variable length lie elsewhere in the file, behind a reference of this size
    return int(array.nbytes)


def read_group(path: Path, group: str) -> xr.Dataset:
    """Reads one group of a file into memory."""
    with warnings.catch_warnings(), xr.open_dataset(path, group=group, engine="h5netcdf") as data:
        return data.load()


def _digest(path: Path, size: int) -> bytes:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while size > 0 and (block := file.read(min(BLOCK, size))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest().encode()
