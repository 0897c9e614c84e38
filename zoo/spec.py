"""ModelSpec: schema + family + priors as a value. It prints itself; it cannot fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FamilyError, FormulaError, PriorError, listing, nearest, pointer
from ..formula import Design, Schema
from ..formula.schema import PredictorSchema, TermSchema
from ..formula.terms import INTERCEPT, MEAN, Predictor
from .blocks import BlockShape
from .checks import check_design, check_silent
from .defaults import default_priors, summarize, summarize_neurons
from .distinct import check_distinct
from .facts import term_facts
from .families import FAMILIES, find_family
from .family import Family, Summary
from .groups import find_group
from .links import find_link
from .mask import Mask, read_mask
from .names import correlation_name, scale_name, shape_name
from .penalties import TermFacts
from .priors import Prior, as_prior
from .structure import GroupStructure, PredictorStructure, Structure

SLOPES, SCALES = "slopes", "sds"


@dataclass(frozen=True)
class ModelSpec:
    """A model without its data's arrays.

    Attributes:
        schema: the formula bound to the training data.
        family: the family of the response.
        links: (parameter, link) for the mean and every modelled parameter.
        priors: (printed name, prior) for every parameter.
        explicit: names of the priors that the user gave.
        summary: what the default priors know of the response.
        neurons: the same for every neuron of a response of two dimensions.
        mask: which coefficient of its own each neuron uses, (coef, neuron) without the intercept, for
            the parameters that are masked.
    """

    schema: Schema
    family: Family
    links: tuple[tuple[str, str], ...]
    priors: tuple[tuple[str, Prior], ...]
    explicit: frozenset[str]
    summary: Summary
    neurons: tuple[Summary, ...] = ()
    mask: Mask | None = None

    @property
    def prior(self) -> dict[str, Prior]:
        """The priors by printed name."""
        return dict(self.priors)

    @property
    def scalars(self) -> tuple[str, ...]:
        """The parameters of the family that are one number each."""
        prior = self.prior
        modelled = {p.parameter for p in self.schema.predictors}
        return tuple(
            p.name for p in self.family.parameters if p.name in prior and p.name not in modelled
        )

    @property
    def structure(self) -> Structure:
        """What a compiled program depends on."""
        links, prior = dict(self.links), self.prior
        predictors = []
        factors: dict[str, int] = {}
        for predictor in self.schema.predictors:
            for group in predictor.groups:
                factors.setdefault(group.term.group, len(factors))
            groups = []
            for i, group in enumerate(predictor.groups):
                names = self.group_names(predictor.parameter, i)
                groups.append(
                    GroupStructure(
                        _shape(prior, names["sd"], [effect.size for effect in group.effects]),
                        group.term.correlated and group.size > 1,
                        find_group(group.term.distribution),
                        _shape(prior, names["shape"]),
                        factors[group.term.group],
                    )
                )
            predictors.append(
                PredictorStructure(
                    predictor.parameter,
                    links[predictor.parameter],
                    predictor.intercept,
                    _shape(prior, *self.coefficient_names(predictor.parameter)),
                    tuple(groups),
                    predictor.own_intercept,
                    _shape(prior, *self.own_names(predictor.parameter)),
                    self.free(predictor.parameter) is not None,
                )
            )
        scalars = self.scalars
        shape = _shape(prior, scalars)
        population = self.schema.neurons is not None
        return Structure(self.family, tuple(predictors), scalars, shape, population=population)

    def predictor(self, parameter: str) -> tuple[PredictorSchema, Predictor]:
        """Returns the predictor of a parameter, bound to the data and as written."""
        position = [p.parameter for p in self.schema.predictors].index(parameter)
        return self.schema.predictors[position], self.schema.formula.predictors[position]

    def free(self, parameter: str) -> np.ndarray | None:
        """Which own coefficients are free, the intercept first, (coef, neuron); None: all."""
        if self.mask is None or parameter != MEAN:
            return None
        first = np.ones((int(self.predictor(parameter)[0].own_intercept), len(self.mask[0])), bool)
        return np.concatenate([first, np.asarray(self.mask, dtype=bool)])

    def coefficient_names(self, parameter: str) -> tuple[list[str], list[int]]:
        """Printed names and sizes of a predictor's common terms, the intercept first."""
        predictor, formula = self.predictor(parameter)
        return _names(predictor.intercept, predictor.terms, formula)

    def own_names(self, parameter: str) -> tuple[list[str], list[int]]:
        """The same for the terms of which every neuron has coefficients of its own."""
        predictor, formula = self.predictor(parameter)
        return _names(predictor.own_intercept, predictor.own, formula)

    def centred_intercept(self, parameter: str) -> bool:
        """Whether the prior of a predictor's intercept is about the centred design."""
        name = INTERCEPT if parameter == MEAN else f"{parameter}_{INTERCEPT}"
        return name not in self.explicit

    def group_names(self, parameter: str, index: int) -> dict[str, Any]:
        """Printed names of one group term's parameters: `sd` and `effects` (lists), `corr`, `shape`."""
        predictor, formula = self.predictor(parameter)
        prefixed, group = formula.prefixed, predictor.groups[index]
        variables = [prefixed(group.variable(effect)) for effect in group.effects]
        member = find_group(group.term.distribution)
        return {
            "effects": variables,
            "sd": [scale_name(variable) for variable in variables],
            "corr": correlation_name(predictor, group, prefixed),
            "shape": [shape_name(p.name, predictor, group, prefixed) for p in member.parameters],
        }


def _shape(
    prior: Mapping[str, Prior], names: Sequence[str], sizes: Sequence[int] | None = None
) -> BlockShape:
    widths = (1,) * len(names) if sizes is None else tuple(sizes)
    return BlockShape(tuple(prior[name].form for name in names), widths)


def _names(
    intercept: bool, terms: Sequence[TermSchema], formula: Predictor
) -> tuple[list[str], list[int]]:
    names = [formula.prefixed(INTERCEPT)] * intercept
    names += [formula.prefixed(term.name) for term in terms]
    return names, [1] * intercept + [term.size for term in terms]


def specify(
    schema: Schema,
    design: Design,
    family: object,
    link: str | None = None,
    priors: Mapping[str, Any] | None = None,
    mask: Any = None,
    functions: Mapping[str, Any] | None = None,
) -> ModelSpec:
    """Joins a schema, a family and priors into a model, and checks that they fit the data.

    Args:
        schema: the formula bound to the data.
        design: the training arrays.
        family: a name, an alias or a Family.
        link: the link of the mean; by default the family's first.
        priors: printed name -> prior, for parameters whose default is not wanted.
        mask: which neuron uses which term, for responses of two dimensions.
        functions: the user's own functions and kernels, for priors of kernels.

    Returns:
        The specification.

    Raises:
        FamilyError: unknown family or link, or the response is outside the support.
        PriorError: a name is none of the model's parameters, or the prior does not fit it.
        FormulaError: a line models a parameter that the family lacks.
        OptionError: the mask does not fit the terms and neurons.
    """
    member = find_family(family)
    _check_response(schema, design, member)
    chosen = link if link is not None else member.links[0]
    links = {MEAN: find_link(chosen, member.links, member.name).name}
    for predictor in schema.formula.predictors[1:]:
        try:
            links[predictor.parameter] = member.parameter(predictor.parameter).link
        except FamilyError as error:
            raise FormulaError(
                f"{error}{pointer(schema.formula.text, predictor.parameter)}"
            ) from None
    mean_link = find_link(links[MEAN], member.links, member.name)
    summary = summarize(member, mean_link, design)
    neurons = summarize_neurons(member, mean_link, design)
    check_distinct(schema, member)
    chosen_mask = read_mask(mask, schema)
    check_design(schema, design, member, summary)
    defaults = default_priors(schema, member, links, design, summary, neurons)
    facts = term_facts(schema, design, functions or {})
    chosen_priors, explicit = _override(defaults, {} if priors is None else priors, schema, facts)
    check_silent(schema, design, member, mean_link, chosen_priors)
    return ModelSpec(
        schema=schema,
        family=member,
        links=tuple(links.items()),
        priors=tuple(chosen_priors.items()),
        explicit=explicit,
        summary=summary,
        neurons=neurons,
        mask=chosen_mask,
    )


def _check_response(schema: Schema, design: Design, family: Family) -> None:
    levels = schema.response_levels
    if levels and not (family.support.labels and len(levels) == 2):
        raise FamilyError(
            f"the response `{schema.response}` holds labels ({listing(schema.response_levels, 5)}); "
            "only family `bernoulli` with two labels reads them, counting the second as 1. If they are "
            "numbers stored as text, convert the column first."
        )
    for extra in schema.extras:
        if extra not in family.extras:
            raise FamilyError(
                f"family `{family.name}` cannot use the {extra.replace('_', ' ')} in "
                f"`{schema.response}`."
            )
    for extra in family.required:
        if extra not in schema.extras:
            raise FamilyError(
                f"family `{family.name}` needs {extra}: write the response as "
                f"prop(successes, {extra}); of single outcomes, 0 or 1, the family is `bernoulli`."
            )
    family.check(design.response["y"], schema.response, design.rows, FAMILIES, schema.neurons)


def _override(
    defaults: dict[str, Prior],
    given: Mapping[str, Any],
    schema: Schema,
    facts: Mapping[str, TermFacts],
) -> tuple[dict[str, Prior], frozenset[str]]:
    if not isinstance(given, Mapping):
        raise PriorError("priors= takes a dictionary from parameter names to priors.")
    sizes, counts = _sizes(schema)
    terms = {
        predictor.prefixed(term.name)
        for predictor in schema.formula.predictors
        for term in predictor.common
        if term.factors
    }
    shortcuts = {SLOPES: terms, SCALES: {name for name in defaults if name.startswith("sd(")}}
    out, explicit = dict(defaults), set()
    # shortcuts first, so that a prior by name wins over one by shortcut
    for name, value in sorted(given.items(), key=lambda item: item[0] not in shortcuts):
        plain = str(name).replace("`", "")
        matching = {key for key in defaults if key.replace("`", "") == plain}
        targets = shortcuts.get(str(name), matching)
        if not targets:
            names = [*defaults, SLOPES, SCALES]
            raise PriorError(
                f"the model has no parameter `{name}`.{nearest(str(name), names)} "
                f"Parameters: {listing(defaults)}; or `slopes`, `sds` for all of a kind."
            )
        prior = as_prior(value, str(name))
        for target in targets:
            chosen = _bind(prior, target, facts)
            _check_prior(
                target, chosen, defaults[target], sizes.get(target, 1), counts.get(target, 1)
            )
            out[target] = chosen
            explicit.add(target)
    return out, frozenset(explicit)


def _bind(prior: Prior, target: str, facts: Mapping[str, TermFacts]) -> Prior:
    """Gives penalties the numbers of their term; they are about coefficients alone."""
    if target in facts:
        return prior.bind(facts[target])
    if prior.form.relative or prior.form.joint or prior.form.local:
        raise PriorError(
            f"{prior} is a prior of the coefficients of a term, but `{target}` is none. "
            f"Terms: {listing(facts)}."
        )
    return prior


def _sizes(schema: Schema) -> tuple[dict[str, int], dict[str, int]]:
    """How many numbers each parameter has, and for how many neurons."""
    sizes, counts = {}, {}
    neurons = len(schema.neurons.labels) if schema.neurons is not None else 1
    for predictor, formula in zip(schema.predictors, schema.formula.predictors, strict=True):
        for term in (*predictor.terms, *predictor.own):
            sizes[formula.prefixed(term.name)] = term.size
        own = [INTERCEPT] * predictor.own_intercept + [term.name for term in predictor.own]
        counts |= dict.fromkeys(map(formula.prefixed, own), neurons)
        for group in predictor.groups:
            for effect in group.effects:
                sizes[scale_name(formula.prefixed(group.variable(effect)))] = effect.size
    return sizes, counts


def _check_prior(name: str, prior: Prior, default: Prior, size: int, neurons: int) -> None:
    if prior.is_correlation != default.is_correlation:
        fitting = "bz.LKJ(eta)" if default.is_correlation else "a prior of a number"
        raise PriorError(f"`{name}` takes {fitting}, not {prior}.")
    if prior.is_correlation:
        return
    distribution = prior.distribution()
    if getattr(distribution.support, "is_discrete", False):
        raise PriorError(f"`{name}` is continuous, but {prior} is a discrete prior.")
    shape = tuple(distribution.batch_shape) + tuple(distribution.event_shape)
    allowed = [(), (size,)] + [(1,)] * (size == 1)
    if neurons > 1:
        allowed += [(size, neurons), (1, neurons)] + [(neurons,)] * (size == 1)
    if shape not in allowed:
        each = f", or {size} x {neurons} (one row per coefficient, one column per neuron)"
        raise PriorError(
            f"the prior of `{name}` has shape {shape}, but the parameter has {size} "
            f"number(s){each if neurons > 1 else ''}."
        )
    needs_positive = default.name.startswith("Half") or default.name in ("Gamma", "Beta")
    if needs_positive:
        support = distribution.support
        inside = (
            bool((~support(-1.0)).all()) if hasattr(support(-1.0), "all") else not support(-1.0)
        )
        if not inside:
            raise PriorError(
                f"`{name}` is positive, but {prior} allows negative values. Use for example "
                "HalfNormal(scale), Exponential(rate), or Flat(low=0)."
            )
