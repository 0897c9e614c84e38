# Reference values from lme4 and glmmTMB for the shapes of lme4's examples. From the root:
#
#     python tests/reference/make_shapes.py && Rscript tests/reference/make_shapes.R
#
# Writes shapes.csv: case, data, formula, family, method, term, quantity, value, error. `error` is the
# largest relative difference between this fit's value and that of another optimiser.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
})
options(digits = 15, contrasts = c("contr.treatment", "contr.poly"))
invisible(Sys.setlocale("LC_COLLATE", "C"))
folder <- "tests/reference"
number <- function(v) formatC(v, digits = 15, format = "g", width = 1)
out <- list()

named <- function(terms, data) {
  for (n in names(data)) if (is.factor(data[[n]])) for (l in levels(data[[n]]))
    terms[terms == paste0(n, l)] <- paste0(n, "[", l, "]")
  sub("^\\(Intercept\\)$", "Intercept", terms)
}
sd_names <- function(groups) sapply(names(groups), function(g) {
  g <- sub("^([^:]*):([^:]*)$", "\\2:\\1", g)
  paste0("sd(1|", g, ")")
})
rows <- function(term, quantity, value) data.frame(term = unname(term), quantity, value = unname(value))

lmer_rows <- function(fit, data) {
  v <- VarCorr(fit)
  rbind(rows(named(names(fixef(fit)), data), "estimate", fixef(fit)),
        rows(named(names(fixef(fit)), data), "se", sqrt(diag(as.matrix(vcov(fit))))),
        rows(sd_names(v), "sd", sapply(v, attr, "stddev")),
        if (isLMM(fit)) rows("sigma", "sigma", sigma(fit)),
        rows("model", "loglik", as.numeric(logLik(fit))))
}
tmb_rows <- function(fit, data) {
  v <- VarCorr(fit)$cond
  b <- fixef(fit)$cond
  out <- rbind(rows(named(names(b), data), "estimate", b),
               rows(named(names(b), data), "se", sqrt(diag(vcov(fit)$cond))),
               rows(sd_names(v), "sd", sapply(v, attr, "stddev")),
               rows("model", "loglik", as.numeric(logLik(fit))))
  family <- family(fit)$family
  if (family == "nbinom2") out <- rbind(out, rows("alpha", "scalar", sigma(fit)))
  if (family == "Gamma") out <- rbind(out, rows("alpha", "scalar", 1 / sigma(fit)^2))
  if (family == "beta") out <- rbind(out, rows("kappa", "scalar", sigma(fit)))
  zero <- fixef(fit)$zi
  if (length(zero)) out <- rbind(out, rows("psi", "scalar", 1 - plogis(zero)))
  out
}
keep <- function(case, name, formula, family, method, best, other) {
  stopifnot(best$term == other$term)
  error <- abs(best$value - other$value) / pmax(abs(best$value), 1e-8)
  out[[length(out) + 1]] <<- data.frame(
    case, data = paste0(name, ".csv"), formula, family, method, best[c("term", "quantity")],
    value = number(best$value), error = formatC(error, digits = 1, format = "e"))
}

linear <- function(case, formula) {
  data <- read.csv(file.path(folder, paste0(case, ".csv")), stringsAsFactors = TRUE)
  for (reml in c(TRUE, FALSE)) {
    fit <- function(optimizer, options) suppressMessages(lmer(
      as.formula(formula), data, REML = reml,
      control = lmerControl(optimizer = optimizer, optCtrl = options, calc.derivs = FALSE)))
    keep(case, case, formula, "normal", if (reml) "lme_reml" else "lme_ml",
         lmer_rows(fit("bobyqa", list(rhoend = 1e-11, maxfun = 1e5)), data),
         lmer_rows(fit("Nelder_Mead", list(FtolAbs = 1e-14, XtolRel = 1e-12, maxfun = 1e5)), data))
  }
}
linear("dyestuff", "y ~ 1 + (1 | batch)")
linear("dyestuff_flat", "y ~ 1 + (1 | batch)")
linear("penicillin", "y ~ 1 + (1 | plate) + (1 | sample)")
linear("pastes", "y ~ 1 + (1 | batch/cask)")

local({
  data <- read.csv(file.path(folder, "cbpp.csv"), stringsAsFactors = TRUE)
  fit <- function(optimizer, options) glmer(
    cbind(incidence, size - incidence) ~ period + (1 | herd), data, binomial,
    control = glmerControl(optimizer = optimizer, optCtrl = options, tolPwrss = 1e-13))
  keep("cbpp", "cbpp", "prop(incidence, size) ~ period + (1 | herd)", "binomial", "glmer",
       lmer_rows(fit("bobyqa", list(rhoend = 1e-10, maxfun = 1e5)), data),
       lmer_rows(fit("Nelder_Mead", list(FtolAbs = 1e-14, XtolRel = 1e-11, maxfun = 1e5)), data))
})

general <- function(y, family, ours, zero = ~ 0) {
  data <- read.csv(file.path(folder, "units.csv"), stringsAsFactors = TRUE)
  data$response <- data[[y]]
  fit <- function(optimizer, arguments, control) suppressWarnings(glmmTMB(
    response ~ x + arm + (1 | unit), data, family = family, ziformula = zero,
    control = glmmTMBControl(optimizer = optimizer, optArgs = arguments, optCtrl = control)))
  keep(paste0("units_", ours), "units", paste(y, "~ x + arm + (1 | unit)"), ours, "glmmTMB",
       tmb_rows(fit(nlminb, list(), list(rel.tol = 1e-14, eval.max = 1e4, iter.max = 1e4)), data),
       tmb_rows(fit(optim, list(method = "BFGS"), list(reltol = 1e-16, maxit = 1e4)), data))
}
general("poisson", poisson(), "poisson")
general("overdispersed", nbinom2(), "negative_binomial")
general("inflated", poisson(), "zero_inflated_poisson", ~ 1)
general("positive", Gamma("log"), "gamma")
general("share", beta_family(), "beta")

table <- do.call(rbind, out)
write.csv(table, file.path(folder, "shapes.csv"), row.names = FALSE, quote = 1:7)
cat(nrow(table), "rows |", R.version.string, "| lme4", as.character(packageVersion("lme4")),
    "| glmmTMB", as.character(packageVersion("glmmTMB")), "\n")
