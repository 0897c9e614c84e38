"""`bs(x, df=5)`, `cr`, `cc`, `cs`: splines, with knots and bounds kept from training."""

from formulaic.transforms import basis_spline, cyclic_cubic_spline, natural_cubic_spline

from ..stateful import stateful

BS = stateful("bs", basis_spline, story="B-spline basis, as R's splines::bs.")
CR = stateful("cr", natural_cubic_spline, aliases=("cs",), story="Natural cubic spline basis.")
CC = stateful("cc", cyclic_cubic_spline, story="Cyclic cubic spline basis.")
