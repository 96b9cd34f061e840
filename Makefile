# `make demo` and `make test` set up all they need inside this folder. They ask for Python 3.11 or
# newer, with its venv module, and the network's package index.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
UV_VERSION := 0.13.9
MELTANO_VERSION := 4.4.1
PIP_AUDIT_VERSION := 2.10.1

UV := .tools/uv/bin/uv
MELTANO := .tools/meltano/bin/meltano
BIN := .venv/bin
SETUP := .venv/.installed
PLUGINS := .meltano/.installed
BENCH := .tools/bench/.installed
AUDIT := .tools/audit/.installed
DAGSTER := .tools/dagster/.installed

# Meltano's commands take seconds longer where this is set.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
# Meltano installs plugins with the uv that it finds first; uv looks for Pythons on the path.
empty :=
PYENV := $(subst $(empty) $(empty),:,$(wildcard $(HOME)/.pyenv/versions/3.1[123]*/bin))
export PATH := $(CURDIR)/.tools/uv/bin:$(PATH):$(PYENV)
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help setup demo test lint unit soak newer-python bench audit format constraints clean

help:
	@echo "make setup        .venv and Meltano, for development"
	@echo "make demo         the tap against a simulator, into DuckDB, through Meltano"
	@echo "make test         linters, types and all tests, on two versions of Python"
	@echo "make unit         all tests but those that run Meltano, on one version"
	@echo "make soak         syncs under faults of all kinds, and killed ones: about three minutes"
	@echo "                  (SOAK_ARGS='--seeds 100 --first-seed 21')"
	@echo "make bench        requests, time, CPU and memory, and two peers: about 15 minutes"
	@echo "                  (BENCH_ARGS=--quick: two minutes, no peers)"
	@echo "make audit        known vulnerabilities of all that is pinned"
	@echo "make format       format the code"
	@echo "make clean        remove all that these commands made"
	@echo "make constraints  choose the newest versions for development and CI"

setup: $(SETUP) $(MELTANO)

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SETUP): pyproject.toml constraints.txt | $(UV)
	$(UV) venv --quiet --clear --python 3.11 .venv || $(UV) venv --quiet --clear --python '>=3.11' .venv
	$(UV) pip install --quiet --python .venv --constraint constraints.txt --editable . --group dev
	touch $@

$(MELTANO): constraints-meltano.txt | $(UV)
	$(UV) venv --quiet --clear --python 3.11 .tools/meltano || $(UV) venv --quiet --clear --python '>=3.11' .tools/meltano
	$(UV) pip install --quiet --python .tools/meltano --constraint constraints-meltano.txt meltano==$(MELTANO_VERSION)
	touch $@

# Two runs that install the same plugin at once get in each other's way.
$(PLUGINS): meltano.yml pyproject.toml | $(MELTANO)
	$(MELTANO) install
	touch $@

demo: setup
	$(BIN)/python -m examples.demo

$(DAGSTER): constraints-dagster.txt | $(UV)
	$(UV) venv --quiet --clear --python 3.11 .tools/dagster || $(UV) venv --quiet --clear --python '>=3.11' .tools/dagster
	$(UV) pip install --quiet --python .tools/dagster --constraint constraints-dagster.txt dagster dagster-webserver
	touch $@

test: lint $(MELTANO) $(PLUGINS) $(DAGSTER)
	$(BIN)/mypy --python-executable .tools/dagster/bin/python examples/dagster
	$(BIN)/pytest --numprocesses 4 -m "not end_to_end"
	$(BIN)/pytest --numprocesses 4 --dist loadfile -m end_to_end
	$(MAKE) newer-python

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(SETUP)
	$(BIN)/pytest --numprocesses 4 -m "not end_to_end"

soak: $(SETUP)
	$(BIN)/python -m tests.soak $(SOAK_ARGS)

# The same tests on the newest other Python of this machine.
newer-python: $(SETUP)
	@for version in 3.13 3.12; do \
	  if $(UV) python find --quiet --system $$version >/dev/null 2>&1; then \
	    echo "Tests on Python $$version"; \
	    $(UV) venv --quiet --clear --python $$version .venv-$$version && \
	    $(UV) pip install --quiet --python .venv-$$version --constraint constraints.txt --editable . --group dev && \
	    .venv-$$version/bin/pytest --numprocesses 4 -m "not end_to_end"; \
	    exit $$?; \
	  fi; \
	done; echo "No newer Python found: tested on one version only"

$(BENCH): pyproject.toml constraints-bench.txt | $(UV)
	$(UV) venv --quiet --clear --python 3.11 .tools/bench || $(UV) venv --quiet --clear --python '>=3.11' .tools/bench
	$(UV) pip install --quiet --python .tools/bench --constraint constraints-bench.txt --editable . --group bench
	touch $@

bench: $(BENCH)
	.tools/bench/bin/python -m benchmarks $(BENCH_ARGS)

$(AUDIT): constraints-audit.txt | $(UV)
	$(UV) venv --quiet --clear --python 3.11 .tools/audit || $(UV) venv --quiet --clear --python '>=3.11' .tools/audit
	$(UV) pip install --quiet --python .tools/audit --constraint constraints-audit.txt pip-audit==$(PIP_AUDIT_VERSION)
	touch $@

audit: $(AUDIT)
	@status=0; for file in $(wildcard constraints*.txt); do \
	  echo "$$file:"; \
	  .tools/audit/bin/python -m tests.audit --no-deps --disable-pip --progress-spinner off --desc off \
	    --requirement $$file $(AUDIT_ARGS) 2>&1 | { grep -v ^WARNING:pip_audit || true; } || status=1; \
	done; exit $$status

format: $(SETUP)
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

constraints: $(UV)
	$(UV) pip compile --quiet --upgrade --universal --no-header --no-annotate --python-version 3.11 \
	  --group pyproject.toml:dev pyproject.toml --output-file constraints.txt
	echo meltano==$(MELTANO_VERSION) | $(UV) pip compile --quiet --upgrade --universal --no-header \
	  --no-annotate --python-version 3.11 - --output-file constraints-meltano.txt
	printf 'dagster\ndagster-webserver\n' | $(UV) pip compile --quiet --upgrade --universal --no-header \
	  --no-annotate --python-version 3.11 - --output-file constraints-dagster.txt
	echo pip-audit==$(PIP_AUDIT_VERSION) | $(UV) pip compile --quiet --upgrade --universal --no-header \
	  --no-annotate --python-version 3.11 - --output-file constraints-audit.txt
	$(UV) pip compile --quiet --upgrade --universal --no-header --no-annotate --python-version 3.11 \
	  --constraint constraints.txt --group pyproject.toml:bench pyproject.toml \
	  --output-file constraints-bench.txt

clean:
	rm -rf .venv .venv-* .tools .meltano output .mypy_cache .pytest_cache .ruff_cache
