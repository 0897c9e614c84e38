"""The house rules: imports go one way, nothing asks which member it is, importing changes nothing."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import bayeszoo

ROOT = Path(bayeszoo.__file__).resolve().parent
LEAVES = ("errors", "registry", "_version", "file_name", "console")
ALLOWED = {
    "formula": {"formula"},
    "zoo": {"zoo", "formula"},
    "inference": {"inference", "zoo", "formula"},
    "plots": {"plots", "inference", "zoo", "formula"},
    "report": {"report", "plots", "inference", "zoo", "formula"},
    "datasets": {"datasets"},
}
FOLDERS = tuple(ALLOWED)


EXCEPTED = {  # `bz.zoo` is itself a part of the front door: its entries return the door's Model
    ("arrow", "zoo/__init__.py"),
    # `fit.report` is a door of Fit to what stands above it; this file holds the door and nothing else
    ("arrow", "inference/reporting.py"),
}


def by_file(rule=""):
    def marks(path):
        return [pytest.mark.xfail(strict=True)] * ((rule, _named(path)) in EXCEPTED)

    rows = [pytest.param(path, marks=marks(path), id=_named(path)) for path in _files()]
    return pytest.mark.parametrize("path", rows)


@functools.cache
def _files():
    found = sorted(ROOT.glob("*.py"))
    for folder in FOLDERS:
        found += sorted((ROOT / folder).rglob("*.py"))
    return tuple(found)


def _module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {_module(path): path for path in _files()}


def _imports(path, module_level_only=False):
    """The modules of the package that a file imports, as tuples of names."""
    tree = ast.parse(path.read_text("utf-8"))
    here = _module(path) if path.name == "__init__.py" else _module(path)[:-1]
    for node in _nodes(tree, module_level_only):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1] + tuple((node.module or "").split("."))
            base = tuple(part for part in base if part)
            for name in node.names:
                target = (*base, name.name)
                yield target if target in MODULES else base
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = (
                [node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
            )
            for name in names:
                assert name.split(".")[0] != "bayeszoo", f"{path}: import relatively"


def _nodes(tree, module_level_only):
    """All nodes; or those that run on import, without what only type checkers see."""
    if not module_level_only:
        yield from ast.walk(tree)
        return
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _named(path):
    return str(path.relative_to(ROOT))


@by_file("arrow")
def test_imports_go_one_way(path):
    folder = _module(path)[0] if _module(path) else ""
    for target in _imports(path):
        head = target[0] if target else ""
        if folder in LEAVES:
            assert head in LEAVES and head != folder, f"{_named(path)} imports {'.'.join(target)}"
        elif folder in ALLOWED:
            allowed = ALLOWED[folder] | set(LEAVES)
            assert head in allowed, f"{_named(path)} imports {'.'.join(target)}"


def _graph():
    graph = {}
    for module, path in MODULES.items():
        targets = {t for t in _imports(path, module_level_only=True) if t in MODULES}
        if path.name == "__init__.py" and "discover(" in path.read_text("utf-8"):
            targets |= {m for m in MODULES if m[:-1] == module}  # it imports its members
        graph[module] = targets - {module}
    return graph


def test_no_module_imports_itself_in_a_circle():
    graph, done = _graph(), set()

    def visit(module, trail):
        assert module not in trail, " <- ".join(".".join(m) for m in (*trail, module))
        if module not in done:
            for target in sorted(graph[module]):
                visit(target, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@by_file()
def test_no_file_is_long(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_most_files_are_short():
    lengths = sorted(len(path.read_text("utf-8").splitlines()) for path in _files())
    assert lengths[len(lengths) // 2] <= 150


MEMBERS = ("family", "link", "backend", "group", "transform", "basis", "member", "entry", "method")


@by_file("member")
def test_nothing_asks_which_member_it_is(path):
    """No `family.name == "gamma"`, no `method in ("ols", "lme")`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        texts = [n for s in sides for n in ast.walk(s) if isinstance(n, ast.Constant)]
        if not any(isinstance(n.value, str) for n in texts):
            continue
        for side in sides:
            asked = isinstance(side, ast.Attribute) and side.attr in ("name", "method")
            named = ast.unparse(side).split(".")[0].split("_")[-1] in MEMBERS
            assert not (asked and named), f"{_named(path)}:{node.lineno}: {ast.unparse(node)}"


def test_public_names_are_few():
    for path in _files():
        if path.name == "__init__.py" and len(_module(path)) == 1:
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                    assert len(node.value.elts) <= 15, _named(path)


def _run(code):
    """Runs code in a fresh process that finds the package as this one does."""
    before = f"import sys; sys.path[:] = {sys.path!r}\n"
    out = subprocess.run(
        [sys.executable, "-c", before + code], capture_output=True, text=True, timeout=120
    )
    assert out.returncode == 0, out.stderr
    return out.stdout.split()


HEAVY = ("arviz", "statsmodels", "altair", "jax", "numpyro", "formulaic", "matplotlib", "pandas")


def test_the_first_import_is_light():
    code = "import bayeszoo, sys; print(*[m for m in {!r} if m in sys.modules])"
    assert _run(code.format(HEAVY)) == []


def test_a_model_needs_no_library_of_one_verb():
    code = (
        "import bayeszoo as bz, sys\n"
        "model = bz.Model('y ~ x', {'y': [1., 2., 4.], 'x': [0., 1., 3.]})\n"
        "str(model), model.prior_table()\n"
        "print(*[m for m in ('arviz', 'statsmodels', 'altair', 'matplotlib') if m in sys.modules])"
    )
    assert _run(code) == []


def test_importing_changes_no_settings():
    code = (
        "import warnings, numpy, pandas, jax, logging, os, random\n"
        "import arviz, statsmodels.api, numpyro\n"
        "def state():\n"
        "    shown = {n: repr(pandas.get_option('display.' + n)) for n in "
        "('max_rows', 'max_columns', 'width', 'precision', 'float_format')}\n"
        "    return (list(warnings.filters), numpy.geterr(), numpy.get_printoptions(), shown, "
        "dict(jax.config.values), logging.root.level, list(logging.root.handlers), "
        "dict(os.environ), random.getstate()[1][:5], numpy.random.get_state()[1][:5].tolist())\n"
        "before = state()\n"
        "import bayeszoo as bz\n"
        "for name in bz.__all__: getattr(bz, name)\n"
        "model = bz.Model('y ~ x + (1 | g)', {'y': [1., 2., 4., 3., 5., 9.], "
        "'x': [0., 1., 3., 2., 7., 1.], 'g': list('aabbcc')})\n"
        "str(model)\n"
        "for one, other in zip(before, state()): assert one == other, (one, other)\n"
    )
    _run(code)


def test_every_folder_is_covered():
    folders = {p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()}
    assert folders - {"tests"} <= set(FOLDERS)
