# What every contender in R needs; the twin of _contender.py.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "..", "..", "twice.R"))
source(file.path(here, "..", "..", "lme4.R"))
