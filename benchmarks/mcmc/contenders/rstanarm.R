# rstanarm: Stan's NUTS with models compiled when the package was built.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "_sampler.R"))

run <- function(told, table, seed) {
  family <- list(normal = gaussian(), gamma = Gamma("log"), poisson = poisson())[[told$family]]
  fit <- stan_glmer(told$formula, table, family = family, chains = CHAINS, warmup = TUNE,
    iter = TUNE + DRAWS, cores = CORES, seed = seed, refresh = 0)
  array <- as.array(fit)
  all <- dimnames(array)[[3]]
  main <- all[!startsWith(all, "b[")]
  summary(fit, pars = main)
  draws <- function() {
    parts <- split_draws(array, main)
    for (name in grep("^Sigma", main, value = TRUE)) {
      sides <- strsplit(sub("^Sigma\\[(.*)\\]$", "\\1", name), ",", fixed = TRUE)[[1]]
      group <- sub(":[^:]*$", "", sides[1])
      if (sub("^.*:", "", sides[1]) == sides[2]) {
        parts[[name]] <- sqrt(parts[[name]])  # sds and correlations, as everybody else's
      } else {
        one <- array[, , sprintf("Sigma[%s:%s,%s]", group, sides[2], sides[2])]
        other <- array[, , sprintf("Sigma[%s,%s]", sides[1], sub("^.*:", "", sides[1]))]
        parts[[name]] <- parts[[name]] / sqrt(one * other)
      }
    }
    parts
  }
  list(draws = draws, sampling = chain_seconds(fit$stanfit), note = correlated(told))
}

sample_main(run, "rstanarm")
