# lme4 and R, one fit after the other: glmer of the gamma model (the twin of both `map` and
# `laplace`, fitted once), lmer and lm.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "..", "..", "twice.R"))

prepare <- function(told) {
  attach_all("lme4")
  lme <- as.formula(told$lme)
  ols <- as.formula(told$ols)
  fits <- list(
    laplace = function(table) fixef(glmer(told$formula, table, family = Gamma("log")))[["stim"]],
    lme = function(table) fixef(lmer(lme, table))[["stim"]],
    ols = function(table) coef(lm(ols, table))[["stim"]]
  )
  one <- function(fit, table) tryCatch(suppressWarnings(suppressMessages(fit(table))),
    error = function(error) NaN)
  function(table) {
    tables <- lapply(split(table, table$study), droplevels)
    found <- list(arrays = list(), record = list())
    for (name in names(fits)) {
      start <- Sys.time()
      stim <- vapply(tables, function(table) one(fits[[name]], table), numeric(1))
      found$record[[name]] <- as.numeric(Sys.time() - start, units = "secs")
      found$arrays[[name]] <- matrix(stim, ncol = 1)
    }
    found$note <- "glmer by maximum likelihood stands for both map and laplace, fitted once"
    found
  }
}

main(prepare, c("lme4", "Matrix"))
