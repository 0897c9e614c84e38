"""One thread for linear algebra, with and without the package that can do it."""

import contextlib
import sys
import types

from bayeszoo.inference.mixed.threads import one_thread


def test_asks_for_one_thread_and_puts_them_back(monkeypatch):
    asked = []

    @contextlib.contextmanager
    def threadpool_limits(limits, user_api):
        asked.append((limits, user_api))
        yield
        asked.append("back")

    fake = types.SimpleNamespace(threadpool_limits=threadpool_limits)
    monkeypatch.setitem(sys.modules, "threadpoolctl", fake)
    with one_thread():
        assert asked == [(1, "blas")]
    assert asked[-1] == "back"


def test_goes_on_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with one_thread():
        done = True
    assert done
