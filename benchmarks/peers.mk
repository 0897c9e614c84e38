# The peers' environment and the benchmark; included by the Makefile at the root.
# Made first (without -c) from: pip install 'bambi==0.17.2' nutpie numpyro numba 'matplotlib<3.11'
PYTHON ?= .venv/bin/python
PEERS := .venv-peers
PEERS_REQUIREMENTS := bambi nutpie numpyro numba

.PHONY: peers bench

peers: $(PEERS)/.made

$(PEERS)/.made: benchmarks/peers-constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install -q -c benchmarks/peers-constraints.txt $(PEERS_REQUIREMENTS)
	touch $@

bench: peers
	$(PYTHON) benchmarks/run.py $(BENCH)
