# brms: writes a Stan program and compiles it in every process.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "_sampler.R"))

run <- function(told, table, seed) {
  # Debian's package of Boost's headers for R is empty; they are where C++ looks anyway.
  if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
  family <- list(normal = gaussian(), gamma = Gamma("log"), poisson = poisson())[[told$family]]
  fit <- brm(told$formula, table, family = family, chains = CHAINS, warmup = TUNE,
    iter = TUNE + DRAWS, cores = CORES, seed = seed, refresh = 0, silent = 2)
  summary(fit)
  array <- as.array(fit)
  main <- grep("^(b_|sd_|cor_|sigma$|shape$)", dimnames(array)[[3]], value = TRUE)
  draws <- function() {
    parts <- split_draws(array, main)
    setNames(parts, sub("^b_", "", main))
  }
  note <- paste(c("compiled in every process", correlated(told)), collapse = "; ")
  list(draws = draws, sampling = chain_seconds(fit$fit), note = note)
}

sample_main(run, "brms")
