# `make demo` and `make test` do all their own set-up; both are quick when nothing has changed.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Where pip takes torch from, for a CUDA build: make setup TORCH_INDEX=<the index of PyTorch's site for your CUDA>
TORCH_INDEX ?=
TORCH := $(shell grep '^torch==' constraints.txt)
KERNELS := $(wildcard dataprep/kernels/*.py)
# Without compiling: most modules of these packages are never imported, and the others are compiled when they first are.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt

# Runs and tests start many processes: where Python may not keep what it compiles, each would compile Seedbed anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-all test-fast test-cluster packages browser postgres screenshots bench-dataprep bench-dedup \
	bench-peers check check-infra clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.kernels ## the environment in .venv, the package, compiled kernels
setup-dev: $(VENV)/.dev $(VENV)/.kernels

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer on PATH; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "set-up: environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "error: $(PYTHON) has no venv module (Debian: apt-get install python3-venv)"; exit 2; }
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.created
	@echo "set-up: packages (some minutes the first time)"
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "set-up: what the tests need"
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.kernels: $(VENV)/.installed $(KERNELS)
	@echo "set-up: compiling kernels"
	@$(BIN)/python -m dataprep.kernels.warm
	@touch $@

demo: setup ## from the crawl in configs/crawls/demo to an exported model
	@$(BIN)/seedbed run configs/runs/demo.yaml

# Two processes: much of the time a test waits for others to start. A file's tests stay together, as they share what they
# start; the longest files come first (tests/conftest.py).
PYTEST_TWO := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
test: $(VENV)/.dev ## the tests for each change: all but those of `make test-all`
	@$(MAKE) --no-print-directory --output-sync=target --jobs=3 $(VENV)/.kernels check packages
	@$(PYTEST_TWO) -m 'not thorough and not cluster'

test-all: test ## every test: what `make test` shows in part at length, and a run on two machines
	@$(PYTEST_TWO) -m 'thorough and not cluster'
	@$(MAKE) --no-print-directory test-cluster

test-fast: setup-dev ## the tests that start no Ray, DeepSpeed or server
	@$(BIN)/python -m pytest -m 'not slow'

test-cluster: setup-dev ## a run on two machines, some of which are lost on the way (root and `ip`)
	@$(BIN)/python -m pytest -m cluster -rs

packages: # the type checker computes while these are fetched; not both at once, as apt has one lock
	@$(MAKE) --no-print-directory --jobs=1 browser postgres

# Debian's chromium, for the tests that look at the dashboard's and MLflow's pages; without it, or without the right to install, they skip.
browser:
	@command -v chromium > /dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null || \
		{ echo "set-up: chromium, for the tests in tests/browser"; \
		{ apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } \
		> /dev/null 2>&1 || echo "chromium could not be installed: the tests in tests/browser are skipped"; }

# Debian's Postgres, for the tests of the registry, which start their own; without it they run on SQLite alone. Its package
# makes a database cluster and starts it, unless this file says otherwise before.
CREATECLUSTER := /etc/postgresql-common/createcluster.conf
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null || \
		[ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null || \
		{ echo "set-up: postgresql, for the tests in tests/seedbed/registry"; \
		[ -e $(CREATECLUSTER) ] || { mkdir -p $(dir $(CREATECLUSTER)); echo "create_main_cluster = false" > $(CREATECLUSTER); }; \
		export DEBIAN_FRONTEND=noninteractive; install="apt-get install -y -qq --no-install-recommends postgresql"; \
		{ $$install || { apt-get update -qq && $$install; }; } > /dev/null 2>&1 || \
		echo "postgresql could not be installed: the tests of the registry run on SQLite alone"; }

screenshots: setup-dev browser demo ## the pictures of the dashboard in README and docs, from the demo's store
	@$(BIN)/python -m benchmarks.dashboard.screenshots

# CORPUS: a folder with some WARC files, ROUNDS: of each contender. Peers are compared where `make bench-peers` made them.
CORPUS ?= configs/crawls/demo
ROUNDS ?= 5
bench-dataprep: setup-dev ## how fast data is prepared, beside other tools: CORPUS=folder ROUNDS=5
	@$(BIN)/python -m benchmarks.dataprep $(CORPUS) --rounds $(ROUNDS)

# LABELLED: a folder with sets of articles whose near-duplicates somebody has named (NAME.train.gz, NAME.truth), if there is one.
bench-dedup: setup-dev ## how fast copies are found, beside other tools, and how many are right: CORPUS=folder LABELLED=folder ROUNDS=5
	@$(BIN)/python -m benchmarks.deduplication $(CORPUS) --rounds $(ROUNDS) $(if $(LABELLED),--labelled $(LABELLED))

PEERS := $(basename $(notdir $(wildcard benchmarks/*/peers/*.txt)))
vpath %.txt benchmarks/dataprep/peers benchmarks/deduplication/peers
bench-peers: $(PEERS:%=.bench/peers/%/.installed) ## the environments of the tools that Seedbed is compared with

# The pip that Python 3.11 brings tries the versions of dolma's requirements for many minutes.
.bench/peers/%/.installed: %.txt
	@echo "set-up: $*, in an environment of its own"
	@$(PYTHON) -m venv .bench/peers/$*
	@.bench/peers/$*/bin/python -m pip install --quiet --upgrade pip
	@.bench/peers/$*/bin/python -m pip install --quiet -r $<
	@touch $@

check: $(VENV)/.dev ## style, types, and which way imports run
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=.:platform $(BIN)/lint-imports --no-cache

check-infra: setup-dev ## images, compose, Kubernetes and Slurm files, with what is installed here
	@$(BIN)/python -m pytest tests/infra

clean: ## remove the environment and what runs have left here
	rm -rf $(VENV) .seedbed
