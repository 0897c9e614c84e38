# lme4's lmer as it comes, with its summary.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "_start.R"))

prepare <- function(told) {
  attach_all("lme4")
  function(table) {
    fit <- with_warnings(lmer(told$formula, table))
    summary(fit$value)
    found <- named_estimates(fixef(fit$value), VarCorr(fit$value))
    list(estimates = c(found, sigma = sigma(fit$value)), note = fit$note)
  }
}

main(prepare, c("lme4", "Matrix"))
