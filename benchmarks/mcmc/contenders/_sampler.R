# What every sampler in R does around its fit; the twin of _contender.py.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "..", "..", "twice.R"))

scale_of <- as.numeric(Sys.getenv("BENCH_SCALE", "1"))
CHAINS <- 4
TUNE <- DRAWS <- if (scale_of == 1) 1000 else max(50, round(1000 * scale_of))
CORES <- min(CHAINS, parallel::detectCores())

# Run one sampler from the command line: FILE JOB SEED, or FILE --probe.
#
# run: of what `about` tells, a data frame and a seed, makes the fit and its summary; returns a list
#   with `draws`, a function that gives matrices (draw, chain) by name and is called after the clock
#   has stopped, and maybe `sampling` (seconds) and `note`.
sample_main <- function(run, packages) {
  words <- commandArgs(trailingOnly = TRUE)
  if (identical(words[1], "--probe")) return(invisible(tell(probe(packages, NULL))))
  job <- words[1]
  seed <- as.integer(words[2])
  told <- about(job)
  attach_all(packages)
  outcome <- run(told, read_table(job, "a", told), seed)
  record <- list(job = job, seed = seed, epoch_stop = as.numeric(Sys.time()), peak_mib = peak_mib())
  record$wall_in_process <- record$epoch_stop - as.numeric(STARTED)
  record$sampling <- outcome$sampling
  record$note <- outcome$note
  record$versions <- versions(packages)
  keep(lapply(outcome$draws(), t))
  tell(record)
}

# Matrices (draw, chain) of an array (draw, chain, parameter), for some of its parameters.
split_draws <- function(array, names) {
  setNames(lapply(names, function(name) array[, , name]), names)
}

# Seconds of the slowest pair of chains, as rstan tells them; CORES run at a time.
chain_seconds <- function(stanfit) {
  seconds <- rowSums(rstan::get_elapsed_time(stanfit))
  sum(sapply(split(seconds, ceiling(seq_along(seconds) / CORES)), max))
}

# Note on whether slopes of groups are correlated with intercepts, as the formula asks.
correlated <- function(told) {
  if (grepl("(1 \\+ \\w+|Days) \\|", told$text)) "correlated group effects" else ""
}
