"""Compiled programs: one per model structure and array shapes, kept in the process and on disk.

The key of a program is made from its name, the model's structure, the shapes, dtypes and devices of
its arguments, the versions of the compiler's parts, this package's source and the processor. Programs
on disk are machine code that is trusted, as in JAX's own compile cache: the folder belongs to the
user and is readable by nobody else. The environment variable BAYESZOO_CACHE moves it, or switches
it off with the value `off`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..errors import FitError
from ..zoo.structure import LOCAL

LIMIT_BYTES = 1_000_000_000
STALE = 3600
"""Seconds after which a file that is still being written is taken for left behind."""
HELD = 256
"""The most programs that a process holds, the last used ones: each takes some megabytes."""
COUNTS = {"compiled": 0, "loaded": 0}
"""How many programs this process has compiled and loaded from disk."""

_memory: OrderedDict[str, Any] = OrderedDict()
_lock = threading.Lock()
_users: set[int] = set()  # the process, and the one that it was forked from after it made programs
_busy: dict[str, threading.Lock] = {}
_tracing = threading.Lock()  # NumPyro keeps one stack of handlers for all threads


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """Runs JAX in float64 within this context and thread, whatever its global setting."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield


def program(
    name: str, key: str, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Callable[..., Any]:
    """Returns the compiled form of a function for arguments of these shapes.

    Args:
        name: what the function does.
        key: everything static that the function depends on.
        function: a pure function of arrays; it must not close over data.
        arguments: a tree of arrays, of which only structure, shapes, dtypes and devices matter.

    Returns:
        A callable that takes arguments of exactly these shapes; safe to call from several threads.

    Raises:
        FitError: the process was forked from one that had made programs.
    """
    _check_fork()
    leaves, tree = jax.tree.flatten(arguments)
    shapes = [_describe(leaf) for leaf in leaves]
    promotion = str(jax.config.jax_numpy_rank_promotion)  # pyright: ignore[reportAttributeAccessIssue]
    text = repr((name, key, str(tree), shapes, promotion, environment()))
    digest = hashlib.sha256(text.encode()).hexdigest()[:40]
    with _lock:
        if digest in _memory:
            _memory.move_to_end(digest)
            return _memory[digest][0]
        turn = _busy.setdefault(digest, threading.Lock())
    with turn:  # others compile other programs at the same time
        if digest not in _memory:
            portable = not key.startswith(LOCAL)
            compiled = _load(digest) if portable else None
            if compiled is None:
                compiled = _compile(function, arguments)
                if portable:
                    _store(digest, compiled)
            with _lock:  # the function keeps alive what the key names by identity
                _memory[digest] = (compiled, function)
                _forget()
                _busy.pop(digest, None)
                return compiled
    return program(name, key, function, arguments)  # another thread made it meanwhile


def _check_fork() -> None:
    """Refuses to wait for ever: a forked process has no copy of the threads that JAX had started.

    Raises:
        FitError: the process was forked after its parent had made programs.
    """
    _users.add(os.getpid())
    if len(_users) > 1:
        raise FitError(
            "this process was forked from one that had already fitted; JAX cannot go on in it. Start "
            'processes by "spawn" (multiprocessing.get_context("spawn")), or fork before the first fit.'
        )


def _forget() -> None:
    """Drops the programs that were not used for longest, where they are too many.

    Each takes hundreds of memory mappings. Linux grants a process 65,530 and ends it at the next one.
    """
    while len(_memory) > 1 and (len(_memory) > HELD or _mappings() > _granted() // 2):
        _memory.popitem(last=False)


def _mappings() -> int:
    """The number of the process's memory mappings; 0 where the system does not tell."""
    try:
        with open("/proc/self/maps", "rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


@cache
def _granted() -> int:
    try:
        return int(Path("/proc/sys/vm/max_map_count").read_text())
    except (OSError, ValueError):
        return 65_530


def _describe(leaf: Any) -> tuple[Any, ...]:
    """Returns what a program depends on of an array: how it lies on devices, where it has several."""
    if not isinstance(leaf, jax.Array):
        return np.shape(leaf), str(np.asarray(leaf).dtype)
    several = (str(leaf.sharding),) if len(leaf.sharding.device_set) > 1 else ()
    return (leaf.shape, str(leaf.dtype), *several)


def _compile(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    COUNTS["compiled"] += 1
    with double_precision():
        with _tracing:
            traced = jax.jit(function).lower(*arguments)
        return traced.compile()


# -------------------------------------------------------------------------------- on disk


def cache_folder() -> Path | None:
    """Returns the folder of compiled programs, or None where the cache is switched off."""
    chosen = os.environ.get("BAYESZOO_CACHE", "")
    if chosen.lower() in ("off", "0", "none", "false"):
        return None
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "bayeszoo"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "bayeszoo"
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "bayeszoo"


def _load(digest: str) -> Callable[..., Any] | None:
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"{digest}.program"
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None
        content = path.read_bytes()
        checksum, payload = content[:32], content[32:]
        if hashlib.sha256(payload).digest() != checksum:
            raise ValueError("damaged")
        from jax.experimental.serialize_executable import deserialize_and_load

        _register_lapack()
        with double_precision():
            ids, *parts = pickle.loads(payload)  # noqa: S301 - own cache
            present = {device.id: device for device in jax.devices()}
            loaded = deserialize_and_load(*parts, execution_devices=[present[id] for id in ids])
        with contextlib.suppress(OSError):  # a folder that may only be read
            path.touch()
    except FileNotFoundError:
        return None
    except Exception:  # a damaged or foreign program is compiled anew
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    COUNTS["loaded"] += 1
    return loaded


@cache
def _register_lapack() -> None:
    """Loads the addresses of LAPACK's routines, which otherwise happens when JAX lowers a program."""
    from jaxlib.lapack import _lapack

    _lapack.initialize()


def _store(digest: str, compiled: Any) -> None:
    folder = cache_folder()
    if folder is None:
        return
    temporary = ""
    try:
        from jax.experimental.serialize_executable import serialize

        # not all devices, nor those of the arguments, which it may leave unused
        ids = [device.id for device in compiled.runtime_executable().local_devices()]
        payload = pickle.dumps((ids, *serialize(compiled)))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            temporary = file.name
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, folder / f"{digest}.program")
        _prune(folder)
    except Exception:  # a full disk or a read-only folder only costs the next process a compile
        with contextlib.suppress(OSError):
            if temporary:
                os.unlink(temporary)


def _prune(folder: Path) -> None:
    for part in folder.glob("*.part"):  # of processes that were killed while they wrote
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink(missing_ok=True)
    files = sorted(folder.glob("*.program"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in files)
    for path in files[:-1]:
        if total <= LIMIT_BYTES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)


@cache
def environment() -> str:
    """Returns all that a program depends on beside the model: versions, source, processor."""
    import jaxlib
    import numpyro

    return repr(
        (
            sys.version_info[:3],
            jax.__version__,
            jaxlib.__version__,
            numpyro.__version__,
            np.__version__,
            source_digest(),
            _processor(),
            os.environ.get("XLA_FLAGS", ""),
        )
    )


@cache
def source_digest() -> str:
    """Returns a digest of the source of models and methods."""
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for folder in ("zoo", "inference"):
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        keep = sorted(
            {line for line in lines if line.startswith(("model name", "flags", "Features"))}
        )
        return hashlib.sha256("\n".join(keep).encode()).hexdigest()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
