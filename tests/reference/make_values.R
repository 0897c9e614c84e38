# Reference values from R and lme4. Run from the root of the repository:
#
#     Rscript tests/reference/make_values.R
#
# Reads datasets/tables/sleepstudy.csv and tests/reference/*.csv; writes values.csv (estimates),
# design_values.csv (model matrices) and accuracy.csv (how well each number is pinned down).
# Needs lme4, numDeriv and dfoptim; compares HC3 with sandwich where that is installed.
#
# Mixed models: bobyqa with tight tolerances, then Newton steps with Richardson derivatives until
# the gradient is rounding error (a derivative-free search alone stops where the deviance no
# longer changes in double precision, some 1e-6 away). nlminb and Nelder-Mead are the check.

suppressPackageStartupMessages({
  library(lme4)
  library(numDeriv)
})
options(digits = 15, stringsAsFactors = FALSE, contrasts = c("contr.treatment", "contr.poly"))
invisible(Sys.setlocale("LC_COLLATE", "C"))   # factor levels in the order Python sorts strings

folder <- "tests/reference"
stopifnot(dir.exists(folder))

read <- function(file, factors = character()) {
  d <- read.csv(file)
  for (n in names(d)) if (is.character(d[[n]]) || n %in% factors) d[[n]] <- factor(d[[n]])
  d
}
path <- function(name) {
  if (name == "sleepstudy") "datasets/tables/sleepstudy.csv" else file.path(folder, paste0(name, ".csv"))
}
number <- function(v) formatC(v, digits = 15, format = "g", width = 1)   # 15 significant digits

values <- list()
accuracy <- list()
add <- function(case, data, formula, method, term, quantity, value) {
  stopifnot(length(term) == length(value), all(is.finite(value)))
  values[[length(values) + 1]] <<- data.frame(case, data = paste0(data, ".csv"), formula, method,
                                              term, quantity, value = number(value))
}
check <- function(case, method, against, objective, parameters) {
  accuracy[[length(accuracy) + 1]] <<- data.frame(
    case, method, against, objective_difference = formatC(objective, digits = 2, format = "e"),
    max_relative_difference = formatC(parameters, digits = 2, format = "e"))
}
apart <- function(a, b) max(abs(a - b) / abs(b))

# Names as bayeszoo prints them ------------------------------------------------------------

printed <- function(terms, data) {
  for (n in names(data)) if (is.factor(data[[n]])) for (l in levels(data[[n]]))
    terms[terms == paste0(n, l)] <- paste0(n, "[", l, "]")
  sub("^\\(Intercept\\)$", "Intercept", terms)
}
sd_name <- function(term, group) {
  if (term == "Intercept") return(paste0("sd(1|", group, ")"))
  level <- regmatches(term, regexpr("\\[.*\\]$", term))
  paste0("sd(", sub("\\[.*\\]$", "", term), "|", group, ")", if (length(level)) level else "")
}
group_name <- function(g) {
  g <- sub("\\.[0-9]+$", "", g)                       # "Subject.1" of uncorrelated terms
  if (g == "class:school") "school:class" else g      # lme4 writes school/class inside out
}

# Every number of one mixed-model fit, as term, quantity, value
table_of <- function(fit, data) {
  rows <- function(term, quantity, value) data.frame(term, quantity, value)
  fixed <- printed(names(fixef(fit)), data)
  out <- rbind(rows(fixed, "estimate", unname(fixef(fit))),
               rows(fixed, "se", sqrt(diag(as.matrix(vcov(fit))))))
  groups <- VarCorr(fit)
  for (g in names(groups)) {
    m <- groups[[g]]
    name <- group_name(g)
    terms <- printed(rownames(m), data)
    out <- rbind(out, rows(sapply(terms, sd_name, name), "sd", attr(m, "stddev")))
    r <- attr(m, "correlation")
    if (nrow(r) > 1) for (i in 1:(nrow(r) - 1)) for (j in (i + 1):nrow(r))
      out <- rbind(out, rows(paste0("corr(", name, ")[", terms[i], ",", terms[j], "]"), "corr", r[i, j]))
  }
  if (isLMM(fit)) out <- rbind(out, rows("sigma", "sigma", sigma(fit)))
  if (isREML(fit)) out <- rbind(out, rows("model", "reml_criterion", as.numeric(REMLcrit(fit))))
  rbind(out, rows("model", "loglik", as.numeric(logLik(fit))))
}

# Newton steps on a deviance until its Richardson gradient is rounding error
polish <- function(deviance, par) {
  for (i in 1:12) {
    g <- grad(deviance, par)
    step <- solve(hessian(deviance, par), g)
    par <- par - step
    if (max(abs(step)) < 1e-9) break
  }
  stopifnot(max(abs(step)) < 1e-6)
  par
}

# nlminb reports "singular convergence" where nothing improves any more; the table judges the result
quiet <- function(expr) withCallingHandlers(expr, warning = function(w)
  if (grepl("singular convergence", conditionMessage(w))) invokeRestart("muffleWarning"))

# Linear mixed models -----------------------------------------------------------------------

linear_mixed <- function(case, name, formula, factors = character(), shown = formula, effects = FALSE) {
  data <- read(path(name), factors)
  call <- as.formula(formula)
  for (reml in c(TRUE, FALSE)) {
    method <- if (reml) "lme_reml" else "lme_ml"
    tight <- function(optimizer, options, start = NULL)
      lmer(call, data, REML = reml, start = start,
           control = lmerControl(optimizer = optimizer, optCtrl = options, calc.derivs = FALSE))
    first <- tight("bobyqa", list(rhoend = 1e-10, maxfun = 1e5))
    parsed <- lFormula(call, data, REML = reml)
    deviance <- do.call(mkLmerDevfun, parsed)
    theta <- polish(deviance, getME(first, "theta"))
    value <- deviance(theta)                             # last call sets the state that is read below
    fit <- mkMerMod(environment(deviance), list(par = theta, fval = value, conv = 0),
                    parsed$reTrms, fr = parsed$fr)
    stopifnot(!isSingular(fit))
    best <- table_of(fit, data)
    add(case, name, shown, method, best$term, best$quantity, best$value)
    others <- list(bobyqa = first,
                   nlminbwrap = quiet(tight("nlminbwrap", list(rel.tol = 1e-13))),
                   Nelder_Mead = tight("Nelder_Mead", list(FtolAbs = 1e-13, FtolRel = 1e-16,
                                                           XtolRel = 1e-11, maxfun = 1e5)))
    for (o in names(others)) {
      other <- table_of(others[[o]], data)
      check(case, method, o, value - as.numeric(if (reml) REMLcrit(others[[o]]) else deviance_of(others[[o]])),
            apart(other$value, best$value))
    }
    if (effects && reml) {
      modes <- ranef(fit, condVar = FALSE)
      for (g in names(modes)) for (column in names(modes[[g]])) {
        term <- printed(column, data)
        left <- if (term == "Intercept") "1" else term
        add(case, name, shown, method, paste0(left, "|", g, "[", rownames(modes[[g]]), "]"),
            "group_effect", modes[[g]][[column]])
      }
    }
  }
}
deviance_of <- function(fit) -2 * as.numeric(logLik(fit))

linear_mixed("sleep_correlated", "sleepstudy", "Reaction ~ Days + (Days | Subject)", "Subject", effects = TRUE)
linear_mixed("sleep_uncorrelated", "sleepstudy", "Reaction ~ Days + (Days || Subject)", "Subject")
linear_mixed("sleep_intercept", "sleepstudy", "Reaction ~ Days + (1 | Subject)", "Subject")
linear_mixed("sleep_slope", "sleepstudy", "Reaction ~ Days + (0 + Days | Subject)", "Subject")
linear_mixed("nested", "nested", "y ~ x + (1 | school/class)")
linear_mixed("crossed", "crossed", "y ~ x + (1 | subject) + (1 | item)")
linear_mixed("crossed_slope", "crossed", "y ~ x + (1 + x | subject) + (1 | item)")
linear_mixed("factor_slope", "factor_slope", "y ~ stim + (1 + stim | mouse)")

# Linear models and HC3 ---------------------------------------------------------------------

local({
  data <- read(path("heteroscedastic"))
  formula <- "y ~ x + arm"
  fit <- lm(as.formula(formula), data)
  terms <- printed(names(coef(fit)), data)
  put <- function(...) add("heteroscedastic", "heteroscedastic", formula, ...)
  put("lm", terms, "estimate", coef(fit))
  put("lm", terms, "se", sqrt(diag(vcov(fit))))
  put("lm", "sigma", "sigma", sigma(fit))
  put("lm", "model", "loglik", as.numeric(logLik(fit)))
  X <- model.matrix(fit)
  bread <- solve(crossprod(X))
  u <- residuals(fit) / (1 - hatvalues(fit))
  hc3 <- bread %*% crossprod(X * u) %*% bread
  put("lm_hc3", terms, "estimate", coef(fit))
  put("lm_hc3", terms, "se", sqrt(diag(hc3)))
  if (requireNamespace("sandwich", quietly = TRUE))
    check("heteroscedastic", "lm_hc3", "sandwich::vcovHC", 0,
          apart(sqrt(diag(sandwich::vcovHC(fit, "HC3"))), sqrt(diag(hc3))))
})

# Generalised linear models -----------------------------------------------------------------

general <- function(case, name, formula, family, method, shown = formula) {
  data <- read(path(name))
  control <- glm.control(epsilon = 1e-15, maxit = 200)
  first <- glm(as.formula(formula), family, data, control = control)
  # started once more from its own optimum, so that the weights behind the SEs are final too
  fit <- glm(as.formula(formula), family, data, start = coef(first), control = control)
  X <- model.matrix(fit)
  mu <- fitted(fit)
  score <- crossprod(X, fit$prior.weights * (fit$y - mu) * family$mu.eta(fit$linear.predictors) /
                          family$variance(mu))
  terms <- printed(names(coef(fit)), data)
  s <- summary(fit)
  put <- function(...) add(case, name, shown, method, ...)
  put(terms, "estimate", coef(fit))
  put(terms, "se", s$coefficients[, "Std. Error"])
  if (method == "glm_gamma") put("model", "dispersion", s$dispersion)
  put("model", "deviance", deviance(fit))
  put("model", "null_deviance", fit$null.deviance)
  put("model", "loglik", as.numeric(logLik(fit)))
  step <- abs(s$cov.unscaled %*% score) / abs(coef(fit))
  check(case, method, "one more Newton step", deviance(fit) - deviance(first), max(step))
}
general("counts_glm", "counts", "y ~ x + offset(log(exposure))", poisson(), "glm_poisson")
general("proportion_glm", "proportion", "cbind(successes, trials - successes) ~ x", binomial(),
        "glm_binomial", shown = "prop(successes, trials) ~ x")
general("binary_glm", "binary", "y ~ x", binomial(), "glm_bernoulli")
general("positive_glm", "positive", "y ~ x + group", Gamma(link = "log"), "glm_gamma")

# Generalised linear mixed models, Laplace --------------------------------------------------

# The same Laplace approximation written out for one scalar effect per group: log density of the
# response at the mode of each effect, found by Newton to rounding error. Independent of lme4, and
# the source of the values: glmer's Poisson log likelihood is 4e-7 off whatever its tolerances, and
# the standard errors from its finite-difference Hessian 2e-3.
laplace <- function(par, y, X, offset, group, family) {
  tau <- par[1]
  fixed <- as.vector(X %*% par[-1]) + offset
  u <- rep(0, nlevels(group))
  part <- function(u) {
    eta <- fixed + tau * u[group]
    mu <- family$linkinv(eta)
    list(mu = mu, w = if (family$family == "poisson") mu else mu * (1 - mu))
  }
  for (i in 1:100) {
    p <- part(u)
    g <- tau * as.vector(rowsum(y - p$mu, group)) - u
    h <- tau^2 * as.vector(rowsum(p$w, group)) + 1
    step <- g / h
    u <- u + pmax(-1, pmin(1, step))
    if (max(abs(step)) < 1e-14) break
  }
  p <- part(u)
  density <- if (family$family == "poisson") dpois(y, p$mu, log = TRUE) else dbinom(y, 1, p$mu, log = TRUE)
  h <- tau^2 * as.vector(rowsum(p$w, group)) + 1
  sum(density) - sum(u^2) / 2 - sum(log(h)) / 2
}

general_mixed <- function(case, name, formula, fixed, family) {
  data <- read(path(name))
  call <- as.formula(formula)
  tight <- function(optimizer, options)
    glmer(call, data, family, control = glmerControl(optimizer = optimizer, optCtrl = options,
                                                     tolPwrss = 1e-13, calc.derivs = TRUE))
  X <- model.matrix(as.formula(fixed), data)
  offset <- if ("exposure" %in% names(data)) log(data$exposure) else rep(0, nrow(data))
  deviance <- function(par) -2 * laplace(par, data$y, X, offset, data$group, family)
  fits <- list(bobyqa = tight("bobyqa", list(rhoend = 1e-9, maxfun = 1e5)),
               nlminbwrap = quiet(tight("nlminbwrap", list(rel.tol = 1e-13))),
               Nelder_Mead = tight("Nelder_Mead", list(FtolAbs = 1e-13, FtolRel = 1e-16,
                                                       XtolRel = 1e-11, maxfun = 1e5)))
  start <- c(getME(fits$bobyqa, "theta"), fixef(fits$bobyqa))
  par <- polish(deviance, start)
  if (par[1] < 0) par[1] <- -par[1]
  covariance <- 2 * solve(hessian(deviance, par))
  terms <- printed(colnames(X), data)
  numbers <- c(par[-1], sqrt(diag(covariance))[-1], par[1], -deviance(par) / 2)
  add(case, name, formula, "glmer_laplace", c(terms, terms, sd_name("Intercept", "group"), "model"),
      c(rep("estimate", length(terms)), rep("se", length(terms)), "sd", "loglik"), numbers)
  for (o in names(fits)) {
    fit <- fits[[o]]
    other <- table_of(fit, data)
    stopifnot(other$term == c(terms, terms, "sd(1|group)", "model"))
    se <- other$quantity == "se"
    check(case, "glmer_laplace", paste0(o, " (glmer)"), deviance(par) - deviance_of(fit),
          apart(other$value[!se], numbers[!se]))
    check(case, "glmer_laplace", paste0(o, " (glmer), standard errors"), 0,
          apart(other$value[se], numbers[se]))
  }
}
general_mixed("counts_glmer", "counts", "y ~ x + offset(log(exposure)) + (1 | group)", ~ x, poisson())
general_mixed("binary_glmer", "binary", "y ~ x + (1 | group)", ~ x, binomial())

# Design matrices ---------------------------------------------------------------------------

designs <- list()
local({
  train <- read(path("design"))
  new <- read(path("design_new"))
  for (n in c("a", "b")) new[[n]] <- factor(new[[n]], levels = levels(train[[n]]))
  keep <- function(case, data, formula, matrix) {
    for (j in seq_len(ncol(matrix)))
      designs[[length(designs) + 1]] <<- data.frame(
        case, data, formula, position = j - 1, column = colnames(matrix)[j],
        row = seq_len(nrow(matrix)) - 1, value = number(as.vector(matrix[, j])))
  }
  write <- function(case, formula, contrasts = NULL, shown = formula) {
    frame <- model.frame(as.formula(formula), train)
    keep(case, "design.csv", shown, model.matrix(terms(frame), frame, contrasts.arg = contrasts))
    held <- model.frame(terms(frame), new, xlev = .getXlevels(terms(frame), frame))
    keep(case, "design_new.csv", shown, model.matrix(terms(frame), held, contrasts.arg = contrasts))
  }
  bs <- splines::bs
  write("poly", "~ poly(x, 3)")
  write("poly_raw", "~ poly(x, 3, raw = TRUE)")
  write("bs", "~ bs(x, df = 5)")
  write("treatment", "~ a")
  write("sum", "~ a", list(a = "contr.sum"), "~ C(a, contr.sum)")
  write("helmert", "~ a", list(a = "contr.helmert"), "~ C(a, contr.helmert)")
  write("cross", "~ a * x")
  write("cross_factors", "~ a * b")
  write("cells", "~ a:b")
  write("cells_no_intercept", "~ 0 + a:b")
  write("no_intercept", "~ 0 + a")
  write("no_intercept_two", "~ 0 + a + b")
  write("slopes_no_main", "~ a + a:x")
  write("slopes_per_level", "~ 0 + a + a:x")
})

save <- function(parts, file) {
  table <- do.call(rbind, parts)
  write.csv(table, file.path(folder, file), row.names = FALSE, quote = which(sapply(table, is.character) &
            !names(table) %in% c("value", "objective_difference", "max_relative_difference")))
  cat(file, nrow(table), "rows\n")
}
save(values, "values.csv")
save(accuracy, "accuracy.csv")
save(designs, "design_values.csv")
cat(R.version.string, "| lme4", as.character(packageVersion("lme4")), "| numDeriv",
    as.character(packageVersion("numDeriv")), "\n")
