"""Formulas: grown from the grammar, damaged ones, hostile ones, and any text."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fuzzing.junk import lines

NUMERIC = ["x", "z", "t", "w", "n", "k", "p"]
LABELS = ["g", "h", "s"]
UNARY = (
    "log exp sqrt abs sin cos tanh log1p expm1 log2 log10 np.log center scale standardize".split()
)
WINDOWS = [
    "2",
    "4",
    "9",
    "30",
    "0",
    "-3",
    "2.5",
    "1000000",
    "'200ms'",
    "'0s'",
    "'1 parsec'",
    "None",
    "x",
    "nan",
]
COUNTS = ["1", "2", "3", "5", "0", "-1", "2.5", "1e9", "'a'", "None", "x", "True", "99999999999"]
ATTACKS = lines("attacks")
SOUND = lines("sound")

number = st.sampled_from(NUMERIC)
label = st.sampled_from(LABELS)
windows, counts = st.sampled_from(WINDOWS), st.sampled_from(COUNTS)


@st.composite
def _basis(draw: Any) -> str:
    name = draw(
        st.sampled_from(
            "raised_cos_log raised_cos bspline cyclic_bspline mspline fourier history orth_exp".split()
        )
    )
    good = draw(st.integers(0, 3)) > 0
    count = draw(st.sampled_from(["3", "4", "5"])) if good else draw(counts)
    window = draw(st.sampled_from(["6", "8"])) if good else draw(windows)
    if name == "history":
        return f"history({window})"
    if name == "orth_exp":
        return f"orth_exp([0.1, {count}], {window})"
    extra = draw(
        st.sampled_from(
            [""] * 6 + [", width=3", ", order=2", ", degree=1", ", nope=1", ", decay=False"]
        )
    )
    return f"{name}({count}, {window}{extra})"


@st.composite
def _tuned(draw: Any) -> str:
    name, count = (
        draw(st.sampled_from(["bspline", "cyclic_bspline", "fourier", "raised_cos", "mspline"])),
        draw(counts),
    )
    count = "5" if draw(st.booleans()) else count
    bounds = draw(
        st.sampled_from(
            ["", "", ", bounds=(-3, 3)", ", bounds=(3, -3)", ", bounds=(0, 'a')", ", bounds=3"]
        )
    )
    return f"{name}({count}{bounds})"


@st.composite
def _factor(draw: Any) -> str:
    x = draw(number)
    match draw(st.integers(0, 17)):
        case 0 | 1 | 2 | 3 | 4:
            return x
        case 5 | 6:
            return draw(label)
        case 7:
            return f"{draw(st.sampled_from(UNARY))}({x})"
        case 8:
            op = draw(st.sampled_from("+ - * / ** // % == < >=".split()))
            return (
                f"I({x} {op} {draw(st.sampled_from(['2', '0.5', 'z', '0', '-1', '1e300', 'w']))})"
            )
        case 9:
            contrast = draw(
                st.sampled_from(
                    [
                        "",
                        ", contr.sum",
                        ", contr.poly",
                        ", Treatment('l1')",
                        ", contr.helmert",
                        ", contr.treatment('l0')",
                        ", levels=['l0', 'l1', 'l2', 'l3', 'l4']",
                        ", Diff",
                    ]
                )
            )
            return f"C({draw(st.one_of(label, number))}{contrast})"
        case 10:
            name = draw(st.sampled_from(["poly", "bs", "cr", "cc", "cs"]))
            option = {"poly": ""}.get(name, "df=")
            return f"{name}({x}, {option}{draw(st.one_of(st.just('4'), counts))})"
        case 11:
            lag = draw(st.sampled_from(["", "", ", lag=0", ", lag=-2", ", lag=3"]))
            by = draw(st.sampled_from(["", "", ", by=g"]))
            pad = draw(st.sampled_from(["", "", ", pad='zero'"]))
            return f"conv({x}, {draw(_basis())}{by}{lag}{pad})"
        case 12:
            return f"lags({x}, {draw(st.one_of(st.just('3'), counts))})"
        case 13:
            return f"tuning({x}, {draw(_tuned())})"
        case 14:
            return f"tuning(({x}, {draw(number)}), {draw(_tuned())} * {draw(_tuned())})"
        case 15:
            return f"lag({x}, {draw(st.one_of(st.just('1'), counts))})"
        case 16:
            return draw(st.sampled_from(["0", "1", "-1", "2", ".", "1e5", "nope", "yy", "y", "X"]))
        case _:
            return draw(st.sampled_from(ATTACKS))


@st.composite
def _term(draw: Any) -> str:
    factors = [draw(_factor()) for _ in range(draw(st.sampled_from([1, 1, 1, 1, 2, 2, 3])))]
    text = draw(st.sampled_from([":", ":", "*", "/"])).join(factors)
    return f"({text} + {draw(_factor())})**2" if draw(st.integers(0, 30)) == 0 else text


@st.composite
def _group(draw: Any) -> str:
    effects = draw(
        st.sampled_from(
            ["1", "1", "1", "x", "1 + x", "0 + x", "h", "0 + h", "x + z", "poly(x, 2)", "0", "."]
        )
    )
    effects = draw(_term()) if draw(st.integers(0, 8)) == 0 else effects
    bar = draw(st.sampled_from(["|", "|", "|", "||", "|||"])) if draw(st.booleans()) else "|"
    by = draw(
        st.sampled_from(
            [
                "g",
                "g",
                "g",
                "h",
                "g/h",
                "g:h",
                "g*h",
                "x",
                "n",
                "y",
                "nope",
                "g + h",
                "log(x)",
                "1",
                "neuron",
            ]
        )
    )
    head = draw(st.sampled_from([""] * 6 + ["student", "nope"]))
    return f"{head}({effects} {bar} {by})"


@st.composite
def _response(draw: Any) -> str:
    good = draw(st.integers(0, 2)) > 0
    if good:
        return draw(
            st.sampled_from(
                ["y"] * 4
                + [
                    "w",
                    "n",
                    "p",
                    "log(w)",
                    "prop(k, m)",
                    "weighted(y, w)",
                    "measured(y, w)",
                    "censored(w, s)",
                    "h",
                    "k",
                ]
            )
        )
    return draw(
        st.sampled_from(
            [
                "log(y)",
                "prop(m, k)",
                "weighted(y, y)",
                "weighted(y, g)",
                "measured(y, z)",
                "censored(y, g)",
                "censored(s, y)",
                "prop(y)",
                "1",
                "0",
                "g",
                "I(y + x)",
                "poly(y, 2)",
                "offset(y)",
                "y + x",
                "",
                "nope",
                "C(y)",
                "conv(y, history(2))",
                "weighted(log(w), w)",
                "log(prop(k, m))",
                "censored(weighted(y, w), s)",
                "lag(y)",
                "y:x",
                "I(1)",
                "measured(y, 0)",
                "weighted(y, 2)",
                "prop(k, 8)",
                "prop(k, -1)",
                "I(y > 0)",
                "bs(y, df=4)",
                ".",
            ]
        )
    )


@st.composite
def _line(draw: Any) -> str:
    parts = [draw(_term()) for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3])))]
    if draw(st.integers(0, 3)) == 0:
        parts.append(draw(_group()))
    if draw(st.integers(0, 12)) == 0:
        parts.append(
            draw(
                st.sampled_from(
                    ["offset(log(w))", "offset(x)", "offset(y)", "offset(g)", "offset(1)"]
                )
            )
        )
    joint = draw(st.sampled_from([" + ", " + ", " + ", " - ", "+", " * "]))
    return joint.join(parts) or draw(st.sampled_from(["1", "0", "-1", "", "1 - 1"]))


@st.composite
def grown(draw: Any) -> str:
    """A formula from the grammar: most are well formed, many fit the data."""
    lines = [f"{draw(_response())} ~ {draw(_line())}"]
    for _ in range(draw(st.sampled_from([0] * 8 + [1, 1, 2]))):
        left = draw(
            st.sampled_from(
                [
                    "sigma",
                    "sigma",
                    "alpha",
                    "nu",
                    "kappa",
                    "psi",
                    "mu",
                    "nope",
                    "log(sigma)",
                    "sigma + x",
                ]
            )
        )
        lines.append(f"{left} ~ {draw(_line())}")
    return "\n".join(lines)


RESPONSES = ["y"] * 4 + ["log(w)", "weighted(y, w)", "measured(y, w)", "censored(w, s)", "I(y + 1)"]
FURTHER = ["", "", "", "", "\nsigma ~ x", "\nsigma ~ h + (1 | g)", "\nsigma ~ 1"]
PAIRS = [
    ("prop(k, m)", "binomial"),
    ("n", "poisson"),
    ("n", "negative_binomial"),
    ("n", "zero_inflated_poisson"),
    ("h", "bernoulli"),
    ("p", "beta"),
    ("w", "gamma"),
    ("w", "exponential"),
    ("w", "inverse_gaussian"),
    ("w", "lognormal"),
    ("y", "student"),
]


@st.composite
def sound(draw: Any) -> tuple[str, str]:
    """A formula and a family that fit a good table."""
    right = draw(st.sampled_from(SOUND))
    if draw(st.integers(0, 3)) == 0:
        right += " + " + draw(st.sampled_from(["x", "z", "h", "t", "(1 | g)", "offset(t)"]))
    if draw(st.integers(0, 2)) == 0:
        left, family = draw(st.sampled_from(PAIRS))
        return f"{left} ~ {right}", family
    return f"{draw(st.sampled_from(RESPONSES))} ~ {right}{draw(st.sampled_from(FURTHER))}", "normal"


_CHARACTERS = "yxzghnkmw ~+-*/:^()|01.,`'\"{}[]%\\\n_#=<>é\t\u2028\u200b\x00;!&@$?"


@st.composite
def damaged(draw: Any) -> str:
    """A grown formula with some of its characters removed, doubled, swapped or replaced."""
    text = list(draw(grown()))
    for _ in range(draw(st.integers(1, 4))):
        if not text:
            break
        i = draw(st.integers(0, len(text) - 1))
        j = draw(st.integers(i, min(len(text), i + 5)))
        match draw(st.integers(0, 3)):
            case 0:
                del text[i:j]
            case 1:
                text[i:i] = text[i:j]
            case 2:
                text[i] = draw(st.sampled_from(_CHARACTERS))
            case 3:
                text[i:i] = list(draw(st.sampled_from(ATTACKS)))
    return "".join(text)


hostile = st.tuples(
    st.sampled_from(ATTACKS),
    st.sampled_from(
        [
            "y ~ {}",
            "{} ~ x",
            "y ~ x:{}",
            "y ~ ({} | g)",
            "y ~ (1 | {})",
            "y ~ log({})",
            "y ~ conv({}, history(3))",
            "y ~ conv(x, {})",
            "y ~ C({})",
            "y ~ offset({})",
            "y ~ x\nsigma ~ {}",
            "y ~ I({} + 1)",
            "y ~ tuning({}, bspline(5))",
            "y ~ C(g, {})",
            "y ~ poly(x, {})",
        ]
    ),
).map(lambda pair: pair[1].format(pair[0]))
raw = st.text(max_size=60)
pieces = st.lists(
    st.sampled_from(
        [
            *_CHARACTERS,
            "y ~ ",
            "(1 | g)",
            "conv(",
            "||",
            "**",
            "//",
            "np.",
            "__",
            "\r\n",
            "~",
            "C(",
            "1e999",
            "0x",
            "1_0",
        ]
    ),
    max_size=40,
).map("".join)
formulas = st.one_of(grown(), grown(), grown(), damaged(), hostile)
texts = st.one_of(grown(), damaged(), damaged(), hostile, raw, pieces)
