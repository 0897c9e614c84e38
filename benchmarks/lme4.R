# Estimates by the names that effects.py wants, from the pieces that lme4 and glmmTMB tell.

# fixed: named coefficients; covariances: list by grouping factor of matrices with dimnames.
named_estimates <- function(fixed, covariances) {
  plain <- function(names) sub("^\\(Intercept\\)$", "1", names)
  names(fixed) <- sub("^\\(Intercept\\)$", "Intercept", names(fixed))
  out <- fixed
  for (group in names(covariances)) {
    cov <- as.matrix(covariances[[group]])
    sds <- sqrt(diag(cov))
    out[sprintf("sd(%s|%s)", plain(rownames(cov)), group)] <- sds
    if (nrow(cov) == 2) out[sprintf("corr(%s)", group)] <- cov[1, 2] / prod(sds)
  }
  out
}

# Warnings of a fit, in one line, beside its value.
with_warnings <- function(code) {
  said <- character()
  value <- withCallingHandlers(code, warning = function(warning) {
    said <<- c(said, conditionMessage(warning))
    invokeRestart("muffleWarning")
  })
  note <- gsub("\\s+", " ", paste(unique(said), collapse = "; "))
  list(value = value, note = substr(note, 1, 200))
}
