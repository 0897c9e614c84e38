# Everything runs in .venv, made from PYTHON with the exact versions in constraints.txt.
PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MPLBACKEND := Agg
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: audit trust help setup demo test slow notebooks check check-format check-lint check-types format clean
.PHONY: calibration error-rates fuzz
.PHONY: references edges

help:
	@echo "make setup    .venv with everything (PYTHON=python3.12 chooses the interpreter)"
	@echo "make demo     simulate recordings, fit one model by every method, show one table"
	@echo "make test     the tests, in WORKERS=2 processes (ARGS='-k lfp' for some)"
	@echo "make slow     the tests that take minutes: calibration, simulation studies"
	@echo "make calibration  rank the truth among posterior draws; tables in docs/trust (hours)"
	@echo "make error-rates  count false positives of every method; table in docs/trust (an hour)"
	@echo "make fuzz     FUZZ=20000 wrong inputs: each is answered or refused in words"
	@echo "make references  compare with R, statsmodels, quadrature; table in docs/trust"
	@echo "make edges    fits at the edges of what data can be; table in docs/trust"
	@echo "make notebooks  run the notebooks (py:percent; open them with jupytext)"
	@echo "make trust    docs/trust.md from the tables in docs/trust"
	@echo "make audit    known advisories about the pinned versions (takes a network)"
	@echo "make check    formatting, lint and types"
	@echo "make format   put the formatting right"
	@echo "make bench    compare with other libraries (BENCH='--kinds mixed --repeats 1')"
	@echo "make clean    remove .venv, .venv-peers and everything that was built"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) setuptools
	$(PIP) --no-build-isolation -e ".[dev]"
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m bayeszoo demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

RESULTS := docs/recovery.csv
slow: $(STAMP)
	@mkdir -p docs && echo "family,group effects,intervals that cover,intervals" > $(RESULTS)
	BAYESZOO_RESULTS=$(RESULTS) $(BIN)/python -m pytest -q tests/calibration -m "slow or not slow" \
		-n $(WORKERS) --dist worksteal $(ARGS)

calibration: $(STAMP)
	$(BIN)/python tests/calibration/sbc.py $(ARGS)

error-rates: $(STAMP)
	$(BIN)/python tests/calibration/error_rates.py $(ARGS)

FUZZ ?= 20000
fuzz: $(STAMP)
	@mkdir -p docs/trust
	$(BIN)/python tests/fuzz/run.py $(FUZZ) --csv docs/trust/fuzz.csv $(ARGS)

REFERENCES := docs/trust/references.csv
references: $(STAMP)
	@mkdir -p docs/trust && rm -f $(REFERENCES)
	BAYESZOO_REFERENCES=$(REFERENCES) $(BIN)/python -m pytest -q tests/reference -m "slow or not slow" $(ARGS)

EDGES := docs/trust/edges.csv
edges: $(STAMP)
	@mkdir -p docs/trust && rm -f $(EDGES)
	BAYESZOO_EDGES=$(EDGES) $(BIN)/python -m pytest -q tests/edges -m "slow or not slow" $(ARGS)

notebooks: $(STAMP)
	$(BIN)/python notebooks/run.py $(ARGS) $(filter-out notebooks/run.py,$(wildcard notebooks/*.py))

# Asks a database of advisories about the pinned versions; takes a network that reaches one.
audit:
	$(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install -q pip-audit
	.venv-audit/bin/pip-audit -r constraints.txt --no-deps --disable-pip

trust:
	$(PYTHON) docs/make_trust.py

check: check-format check-lint check-types

check-format: $(STAMP)
	$(BIN)/ruff format --check --quiet .

check-lint: $(STAMP)
	$(BIN)/ruff check .

check-types: $(STAMP)
	$(BIN)/basedpyright

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The benchmark itself runs in .venv; only the peers have an environment of their own.
include benchmarks/peers.mk
bench: $(STAMP)
bench: private override PYTHON := $(BIN)/python
