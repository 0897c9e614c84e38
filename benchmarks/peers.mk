# The peers' environment and the benchmark; included by the Makefile at the root.
# The pins were made in two steps: pip install 'bambi==0.17.2' nutpie numpyro numba 'matplotlib<3.11',
# then, held to those (-c), pip install --dry-run 'nemos==0.2.8' scikit-learn glum statsmodels.
# Contenders in R take what is installed (README.md has the packages of Debian).
PYTHON ?= .venv/bin/python
PEERS := .venv-peers
PEERS_REQUIREMENTS := bambi nutpie numpyro numba nemos scikit-learn glum statsmodels

.PHONY: peers bench

peers: $(PEERS)/.made

$(PEERS)/.made: benchmarks/peers-constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install -q -c benchmarks/peers-constraints.txt $(PEERS_REQUIREMENTS)
	touch $@

bench: peers
	$(PYTHON) benchmarks/run.py $(BENCH)
