"""More coefficients than rows."""

from __future__ import annotations

from ..diagnostic import Diagnostic, Evidence


def _find(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    findings = []
    for predictor in model.spec.schema.predictors:
        columns = len(predictor.column_names) + predictor.intercept
        columns += len(predictor.own_names) + predictor.own_intercept
        if columns > model.design.size:
            findings.append(
                f"`{predictor.parameter}` has {columns:,} coefficients but only "
                f"{model.design.size:,} rows: the priors decide what the data leave open. Leave terms "
                "out, or look at how the answer changes with the priors."
            )
    return findings


MORE_COLUMNS = Diagnostic("more_columns", _find, 70)
