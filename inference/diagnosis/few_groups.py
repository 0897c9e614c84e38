"""Group factors with so few levels that the spread between them is hardly known."""

from __future__ import annotations

from ..diagnostic import Diagnostic, Evidence

ENOUGH = 5


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    spec, few = fit.model.spec, {}
    for predictor in spec.schema.predictors:
        for i, group in enumerate(predictor.groups):
            scales = spec.group_names(predictor.parameter, i)["sd"]
            told = not fit.backend.frequentist and all(name in spec.explicit for name in scales)
            if len(group.levels) < ENOUGH and not told:
                few.setdefault(group.term.group, (len(group.levels), []))[1].extend(scales)
    if fit.backend.frequentist:
        remedy = 'or use "nuts", which counts that uncertainty in'
    else:
        remedy = "or give it a prior from what is known of such groups"
    return [
        f"`{factor}` has only {count} level(s), so {', '.join(f'`{n}`' for n in names)} "
        f"{'is' if len(names) == 1 else 'are'} hardly known and intervals for the population are "
        f"rough. Treat `{factor}` as an ordinary factor, {remedy}."
        for factor, (count, names) in few.items()
    ]


FEW_GROUPS = Diagnostic("few_groups", _find, 80)
