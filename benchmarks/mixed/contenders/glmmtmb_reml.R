# glmmTMB by REML as it comes (one thread), with its summary.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "_start.R"))

prepare <- function(told) {
  attach_all("glmmTMB")
  function(table) {
    fit <- with_warnings(glmmTMB(told$formula, table, REML = TRUE))
    summary(fit$value)
    found <- named_estimates(fixef(fit$value)$cond, VarCorr(fit$value)$cond)
    list(estimates = c(found, sigma = sigma(fit$value)), note = fit$note)
  }
}

main(prepare, c("glmmTMB", "TMB"))
