"""Runs one case under guard, and says whether it was accepted, refused in words, or is a fault."""

from __future__ import annotations

import platform
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bayeszoo as bz

PATIENCE = 10.0
"""Seconds that a case may work beside XLA's compiling; `ALARM` bounds all work, `STARVED` all time."""
ALARM, STARVED = 90, 900
GIB = 2**30
TOKEN = "fuzz_canary"
"""What hostile formulas try to open, import, evaluate or run."""
LONGEST = 6_000

_FOREIGN = re.compile(
    r"unsupported operand|has no attribute|ufunc|not subscriptable|unhashable|broadcast|"
    r"\d positional argument|could not convert|invalid literal|out of bounds|object at 0x|Traceback|"
    r"\x1b|ShapeDtypeStruct|jnp\.|jax\.|not iterable|ambiguous|__\w+__\(\)|codec can't|"
    r"has no len|must be real number|object is not|object of type '|argument must be|argument should be"
)


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        kind: `accepted`, `refused` or `fault`.
        place: of a fault, what tells it from others: its kind and the line of bayeszoo it left.
        text: the message.
        seconds: that it took beside compiling.
    """

    kind: str
    place: str = ""
    text: str = ""
    seconds: float = 0.0


class Hang(BaseException):
    """A case did not end in time."""


class Wrong(AssertionError):  # noqa: N818
    """A case ended without an error, but its answer breaks an invariant."""


def run(call: Callable[[], Any], said: str = "") -> Outcome:
    """Runs a case, which raises `Wrong` where an answer is not as it must be; `said` is its text."""
    started, busy = time.perf_counter(), time.process_time()
    compiled, memory = _Watch.compiling, _peak()
    _Watch.caught.clear()
    try:
        with _alarm(), warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            _Watch.armed = True
            try:
                call()
            finally:
                _Watch.armed = False
        found = Outcome("accepted")
    except bz.BayeszooError as error:
        found = _judge(error, said)
        heard = []
    except TypeError as error:
        found, heard = _bound(error), []
    except (Exception, Hang, SystemExit) as error:
        found, heard = _fault(error), []
    seconds = time.perf_counter() - started - (_Watch.compiling - compiled)
    seconds = max(0.0, min(seconds, time.process_time() - busy))  # others may keep the machine busy
    if _Watch.caught:
        found = Outcome("fault", f"code was run: {_Watch.caught[0]}", str(_Watch.caught))
    elif heard:
        first = heard[0]
        where = f"{first.category.__name__} at {_short(first.filename)}:{first.lineno}"
        found = Outcome("fault", where, str(first.message))
    elif found.kind != "fault" and _peak() - memory > 2 * GIB:
        found = Outcome("fault", "more than 2 GiB of memory")
    elif found.kind != "fault" and seconds > PATIENCE:
        found = Outcome("fault", "slow", f"{seconds:.1f} s")
    return Outcome(found.kind, found.place, found.text, seconds)


def _fault(error: BaseException) -> Outcome:
    text = f"{type(error).__name__}: {error}"
    return Outcome("fault", f"{type(error).__name__} at {_place(error)}", text)


def _bound(error: TypeError) -> Outcome:
    """Python's own refusal of a call whose arguments the signature lacks is as good as ours."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    misspelt = "unexpected keyword argument" in str(error) or "required positional" in str(error)
    if misspelt and Path(last).parent.name == "parts":
        return Outcome("refused", "TypeError", str(error))
    return _fault(error)


def _judge(error: bz.BayeszooError, said: str) -> Outcome:
    text = str(error)
    own = "your function" in text  # whose error is the user's
    foreign = None if own else next((m for m in _FOREIGN.finditer(text) if m[0] not in said), None)
    if not text.strip() or len(text) > LONGEST:
        return Outcome("fault", f"message of {len(text)} characters at {_place(error)}", text[:500])
    if foreign:
        return Outcome("fault", f"foreign words `{foreign[0]}` at {_place(error)}", text)
    return Outcome("refused", type(error).__name__, text)


def _place(error: BaseException) -> str:
    """The innermost line of bayeszoo, and where outside it the error rose, of the first cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if _short(f.filename).startswith("bayeszoo/")]
    last = (ours or frames or [None])[-1]
    return "nowhere" if last is None else f"{_short(last.filename)}:{last.lineno}"


def _short(filename: str) -> str:
    root = str(Path(bz.__file__).parent)
    if filename.startswith(f"{root}/.venv") or not filename.startswith(root):
        return "/".join(Path(filename).parts[-3:])
    return "bayeszoo" + filename.removeprefix(root)


@contextmanager
def _alarm():
    started, busy = time.monotonic(), time.process_time()

    def ring(*_: Any) -> None:
        worked = time.process_time() - busy
        if worked < ALARM and time.monotonic() - started < STARVED:  # others keep the machine busy
            signal.alarm(max(1, ALARM // 3))
            return
        raise Hang(f"not done within {worked:.0f} s of work")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(ALARM)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Watch:
    """What an audit hook, which cannot be removed, and JAX report while a case runs."""

    armed = False
    caught: list[str] = []
    compiling = 0.0
    placed = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _Watch.armed:
        return
    if event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect"):
        _Watch.caught.append(event)
    elif event == "exec" and TOKEN in getattr(arguments[0], "co_names", ()):
        _Watch.caught.append("exec")
    elif event in ("open", "import") and TOKEN in str(arguments[0]):
        _Watch.caught.append(event)


def watch() -> None:
    """Starts to listen, once per process."""
    if _Watch.placed:
        return
    _Watch.placed = True
    platform.processor()  # Python asks `uname -p`, once
    import jax

    def listen(event: str, seconds: float, **_: Any) -> None:
        if event.startswith("/jax/core/compile/") or event.startswith("/jax/compilation_cache/"):
            _Watch.compiling += seconds

    jax.monitoring.register_event_duration_secs_listener(listen)
    sys.addaudithook(_audit)
