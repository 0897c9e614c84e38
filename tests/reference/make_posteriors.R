# Posteriors by rstanarm under priors that both programs can state. From the root, after make_data.py:
#
#     Rscript tests/reference/make_posteriors.R
#
# Writes posteriors.csv: case, data, formula, family, term, quantity, value, mcse. The standard
# deviation of one group effect under decov(1, 1, 1, 1) is exponential with rate 1.

suppressPackageStartupMessages(library(rstanarm))
folder <- "tests/reference"
number <- function(v) formatC(v, digits = 8, format = "g", width = 1)

described <- function(draws, term) {  # iterations x chains
  about <- (draws - mean(draws))^2
  spread <- sqrt(mean(about))
  error <- function(v) sd(v) / sqrt(posterior::ess_mean(v))
  data.frame(term, quantity = c("mean", "sd"), value = number(c(mean(draws), spread)),
             mcse = number(c(error(draws), error(about) / (2 * spread))))
}

fitted_by_stan <- function(case, file, formula, ours, family, ...) {
  data <- read.csv(file.path(folder, file))
  data$xc <- data$x - mean(data$x)
  fit <- stan_glmer(
    formula, data, family = family, prior = normal(0, 1, autoscale = FALSE),
    prior_intercept = normal(0, 2, autoscale = FALSE), prior_covariance = decov(1, 1, 1, 1),
    chains = 4, iter = 6000, warmup = 1000, seed = 1, adapt_delta = 0.98, refresh = 0, ...)
  draws <- as.array(fit)
  names <- dimnames(draws)[[3]]
  parts <- list()
  for (name in names) {
    values <- draws[, , name]
    term <- c("(Intercept)" = "Intercept", "xc" = "center(x)")[name]
    if (is.na(term)) term <- sub("^b\\[\\(Intercept\\) group:(.*)\\]$", "1|group[\\1]", name)
    if (startsWith(name, "Sigma[")) {
      values <- sqrt(values)
      term <- "sd(1|group)"
    }
    parts[[name]] <- described(values, unname(term))
  }
  cbind(case, data = file, formula = ours, family = family$family, do.call(rbind, parts))
}

out <- rbind(
  fitted_by_stan("counts", "counts.csv", y ~ xc + offset(log(exposure)) + (1 | group),
                 "y ~ center(x) + offset(log(exposure)) + (1 | group)", poisson()),
  fitted_by_stan("binary", "binary.csv", y ~ xc + (1 | group),
                 "y ~ center(x) + (1 | group)", binomial()))
write.csv(out, file.path(folder, "posteriors.csv"), row.names = FALSE, quote = TRUE)
