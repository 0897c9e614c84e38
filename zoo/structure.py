"""The structure of a model: all that a compiled program depends on, without a number."""

from __future__ import annotations

from dataclasses import dataclass

from .blocks import NOTHING, BlockShape
from .elimination import Order
from .families import FAMILIES
from .family import Family
from .group import GroupDistribution

LOCAL = "local "


@dataclass(frozen=True)
class GroupStructure:
    """The shape of one group term.

    Attributes:
        sd: the standard deviations, one prior per term.
        correlated: whether the effects have correlations.
        member: the distribution of the effects.
        shape: the parameters of that distribution.
        factor: numbers the grouping factors of the model; terms of one factor share a number.
    """

    sd: BlockShape
    correlated: bool
    member: GroupDistribution
    shape: BlockShape
    factor: int

    @property
    def effects(self) -> int:
        """The number of effects per group."""
        return self.sd.size


@dataclass(frozen=True)
class PredictorStructure:
    """The shape of one predictor; its coefficients begin with the intercept, if it has one.

    Attributes:
        parameter: the parameter that it models.
        link: the name of its link.
        intercept: whether there is a common intercept.
        coefficients: the common coefficients.
        groups: the group terms.
        own_intercept: whether every neuron has an intercept of its own.
        own: the coefficients that every neuron has of its own.
        masked: whether some neurons lack some of them.
    """

    parameter: str
    link: str
    intercept: bool
    coefficients: BlockShape
    groups: tuple[GroupStructure, ...]
    own_intercept: bool = False
    own: BlockShape = NOTHING
    masked: bool = False


@dataclass(frozen=True)
class Marginal:
    """How group effects are integrated out.

    Attributes:
        order: the order of elimination.
        coefficients: whether the common coefficients of the mean are integrated out with them.
        exact: whether the response is normal, so that cross products take the place of rows; else
            Laplace's method integrates.
    """

    order: Order
    coefficients: bool = False
    exact: bool = True


@dataclass(frozen=True)
class Structure:
    """All that a compiled program depends on; every number is an argument.

    Attributes:
        family: the family.
        predictors: the predictor of the mean first.
        scalars: parameters of the family that are one number each.
        scalar_shape: their priors.
        marginal: how group effects are integrated out; None: they are not.
        population: whether the response has a second dimension, of neurons; each of them then has
            scalars of its own.
    """

    family: Family
    predictors: tuple[PredictorStructure, ...]
    scalars: tuple[str, ...]
    scalar_shape: BlockShape
    marginal: Marginal | None = None
    population: bool = False

    @property
    def groups(self) -> dict[str, GroupStructure]:
        """The group terms by the name of their site, in the order of the model."""
        return {
            f"{p.parameter}.group{i}": g for p in self.predictors for i, g in enumerate(p.groups)
        }

    @property
    def key(self) -> str:
        """A text that is equal for equal structures.

        It starts with `LOCAL` where it is so within this process only, because the user's own
        distributions or family are part of the structure.
        """
        predictors = [
            (
                p.parameter,
                p.link,
                p.intercept,
                p.coefficients.key,
                [(g.sd.key, g.correlated, g.member.name, g.shape.key, g.factor) for g in p.groups],
                (p.own_intercept, p.own.key, p.masked),
            )
            for p in self.predictors
        ]
        scalars = (self.scalars, self.scalar_shape.key)
        family = self.family.name
        if FAMILIES.get(family) is not self.family:
            family += f" object {id(self.family)}"
        text = repr((family, predictors, scalars, self.marginal, self.population))
        return LOCAL + text if " object " in text else text
