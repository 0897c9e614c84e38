"""`center(x)`, `scale(x)`, `standardize(x)`: with the mean and deviation of the training rows."""

from formulaic.transforms import TRANSFORMS as FORMULAIC
from formulaic.transforms import center, scale

from ..stateful import stateful

CENTER = stateful("center", center, story="x minus its mean.")
SCALE = stateful("scale", scale, story="x minus its mean, over its standard deviation (n - 1).")
STANDARDIZE = stateful("standardize", FORMULAIC["standardize"], story="As scale, dividing by n.")
