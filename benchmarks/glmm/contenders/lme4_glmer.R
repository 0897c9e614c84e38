# lme4's glmer as it comes (Laplace), with its summary.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "_start.R"))

prepare <- function(told) {
  attach_all("lme4")
  family <- list(poisson = poisson("log"), gamma = Gamma("log"))[[told$family]]
  function(table) {
    fit <- with_warnings(glmer(told$formula, table, family = family))
    summary(fit$value)
    found <- named_estimates(fixef(fit$value), VarCorr(fit$value))
    if (told$family == "gamma") found <- c(found, alpha = 1 / sigma(fit$value)^2)
    list(estimates = found, note = fit$note)
  }
}

main(prepare, c("lme4", "Matrix"))
