"""What a backend is: frozen settings, and a function from a problem and a seed to draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..formula import Design
from ..zoo.spec import ModelSpec
from ..zoo.structure import Structure
from .estimator import Estimator

if TYPE_CHECKING:
    from .checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Problem:
    """What there is to fit.

    Attributes:
        spec: the model.
        training: the design.
        structure: what compiled programs depend on.
        find_numbers: makes the priors and scales, a tree of arrays.
        find_design: makes the arrays that programs take; by default those of the design.
        devices: the JAX devices that the rows are dealt out to; empty for a single one.
        checkpoint: the file that the run's state is kept in, where it is.
    """

    spec: ModelSpec
    training: Design
    structure: Structure
    find_numbers: Callable[[], Mapping[str, Any]]
    find_design: Callable[[], Mapping[str, Any]] | None = None
    devices: tuple[Any, ...] = ()
    checkpoint: Checkpoint | None = None

    @cached_property
    def design(self) -> Mapping[str, Any]:
        """The design as a tree of arrays."""
        return self.training.arrays() if self.find_design is None else self.find_design()

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """Priors and scales as a tree of arrays."""
        return self.find_numbers()


@dataclass(frozen=True, eq=False)
class Draws:
    """What a backend returns.

    Attributes:
        natural: generic name -> draws of shape (chain, draw, ...).
        stats: statistics of each draw, shape (chain, draw).
        converged: False where the method says itself that it did not converge; None if not asked.
        notes: sentences for `diagnose`.
        result: the result of the library that did the work, where there is one, or a function without
            arguments that makes it.
        table: exact estimates of frequentist methods, by printed name.
        trace: the course of an optimisation, such as the ELBO.
        log_likelihood: at the estimates of a frequentist method, with all constants; restricted where
            the method says so.
        parameters: how many parameters were estimated, those of variances among them.
        estimator: the sampling distribution of the coefficients of frequentist methods.
    """

    natural: Mapping[str, Any]
    stats: Mapping[str, Any] = field(default_factory=dict)
    converged: bool | None = None
    notes: tuple[str, ...] = ()
    result: Any = None
    table: Any = None
    trace: Any = None
    log_likelihood: float | None = None
    parameters: int | None = None
    estimator: Estimator | None = None


@dataclass(frozen=True)
class Backend:
    """One way to fit a model, as one constant.

    Attributes:
        name: its name in `fit(method)`.
        settings: the class of its settings, whose fields are the options of `fit`.
        run: (settings, problem, seed, progress) -> Draws.
        sampled: whether draws come from Markov chains, so that R-hat and ESS mean something.
        point: whether there is a single estimate and no spread.
        frequentist: whether the answer is an estimator with its sampling distribution.
        story: one sentence for the documentation.
        many: (settings, problems, seeds, progress) -> one Draws for each, for problems of one
            structure, where a method has a quicker way than one after the other. It may raise where a
            single problem fails; they are then run one by one.
        refuse: raises for problems that have no answer; `run` does so too, `many` does not.
        lengths: of a method that can go on from a check-point, the options that only say how long it
            goes on; None: it cannot.
    """

    name: str
    settings: type[Any]
    run: Callable[[Any, Problem, int, bool], Draws]
    sampled: bool = False
    point: bool = False
    frequentist: bool = False
    story: str = ""
    many: Callable[[Any, Sequence[Problem], Sequence[int], bool], list[Draws]] | None = None
    refuse: Callable[[Problem], None] | None = None
    lengths: tuple[str, ...] | None = None
