"""Any text -> a formula, without data."""

from bayeszoo.formula import BASES, TRANSFORMS, Vocabulary, parse
from fuzzing.formulas import texts
from fuzzing.part import Part

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
VOCABULARY = Vocabulary(ROLES | dict.fromkeys(BASES, "basis"), tuple("yxzghnkmwspt"))


def _run(text: str) -> None:
    formula = parse(text, VOCABULARY)
    assert hash(formula) == hash(parse(text, VOCABULARY))
    for predictor in formula.predictors:
        str(predictor)


PART = Part("text to formula", 37, texts, _run)
