# `make demo` and `make test` install all they need inside this folder. They need Python 3.11 or newer,
# with its venv module, and a package index.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
UV_VERSION := 0.13.9
MELTANO_VERSION := 4.4.1
DEVELOPMENT_PYTHON := 3.11
NEWER_PYTHONS := 3.13 3.12

UV := .tools/uv/bin/uv
MELTANO := .tools/meltano/bin/meltano
BIN := .venv/bin
SETUP := .venv/.installed
PLUGINS := .meltano/.installed
BENCH := .tools/bench/.installed
DAGSTER := .tools/dagster/.installed
DBT := .tools/dbt/.installed
DBT_PACKAGES := dbt-core==1.11.16 dbt-duckdb==1.10.1 dbt-postgres==1.10.2 'duckdb<1.3'

# One of these is enough.
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome
DEBIAN_BROWSER := chromium-headless-shell fonts-dejavu-core
APT := DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --option DPkg::Lock::Timeout=120 --yes --no-install-recommends

# $(call environment,folder) creates a virtual environment; $(call install,folder,name) installs into it,
# with the versions of constraints/name.txt.
environment = $(UV) venv --quiet --clear --python $(DEVELOPMENT_PYTHON) $(1) \
  || $(UV) venv --quiet --clear --python '>=$(DEVELOPMENT_PYTHON)' $(1)
install = $(UV) pip install --quiet --python $(1) --constraint constraints/$(2).txt

# Python commands start twice as fast with cached bytecode.
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
# Meltano installs plugins with the uv that it finds first; uv looks for Pythons on the path.
empty :=
PYENV := $(subst $(empty) $(empty),:,$(wildcard $(HOME)/.pyenv/versions/3.1[123]*/bin))
export PATH := $(CURDIR)/.tools/uv/bin:$(PATH):$(PYENV)
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false

# constraints/dev.txt pins the lowest or the newest release of singer-sdk that pyproject.toml allows; the
# newer Python has the other one, if the package index has another.
LOWEST_SDK := $(shell sed -n 's/^ *"singer-sdk\[.*\]>=\(.*\),<.*/\1/p' pyproject.toml)
OTHER_SDK := $(if $(shell grep -x singer-sdk==$(LOWEST_SDK) constraints/dev.txt),newest,lowest)

# Tests that may differ from one version of Python or the SDK to another: of single modules, and of a
# sync. The workflow on GitHub runs all tests but those of Meltano on every version.
NEWER_PYTHON_TESTS := tests/project/test_smoke.py $(wildcard tests/unit/streams tests/unit/records tests/unit/run tests/unit/test_*.py)

PYTEST := $(BIN)/pytest
WORKERS ?= 2
# Tests of Meltano and Dagster mostly wait for processes.
END_TO_END_WORKERS ?= 3

.PHONY: help setup demo test lint unit end-to-end newer-python soak bench browser \
  format docs descriptions dictionary answers recording constraints clean

help:
	@echo "To try the tap:"
	@echo "  make demo          sync a simulator of both APIs into DuckDB, through Meltano, and create a page of charts"
	@echo "  make bench         measure requests, time, CPU and memory, two peers, and a week of syncs"
	@echo "                     (BENCH_ARGS=--quick: smaller, no peers; BENCH_ARGS='--only G': the week)"
	@echo
	@echo "To develop it:"
	@echo "  make setup         install .venv and Meltano"
	@echo "  make test          run linters, type checks and all tests, some on a newer Python and another SDK"
	@echo "  make unit          run all tests but those that run Meltano"
	@echo "  make end-to-end    run the tests that run Meltano, Dagster, dbt and real loaders"
	@echo "  make soak          sync under faults of all kinds, with kills: three minutes"
	@echo "                     (SOAK_ARGS='--seeds 100 --first-seed 21')"
	@echo "  make format        format the code"
	@echo "  make docs          write the pages and pictures that come from the code and the simulator"
	@echo "  make clean         remove everything that these commands created"

setup: $(SETUP) $(MELTANO)

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SETUP): pyproject.toml constraints/dev.txt | $(UV)
	$(call environment,.venv)
	$(call install,.venv,dev) --editable . --group dev
	touch $@

$(MELTANO): constraints/meltano.txt | $(UV)
	$(call environment,.tools/meltano)
	$(call install,.tools/meltano,meltano) meltano==$(MELTANO_VERSION)
	touch $@

# Two runs that install the same plugin in parallel conflict.
$(PLUGINS): meltano.yml pyproject.toml | $(MELTANO)
	$(MELTANO) install
	touch $@

$(DAGSTER): constraints/dagster.txt | $(UV)
	$(call environment,.tools/dagster)
	$(call install,.tools/dagster,dagster) dagster dagster-webserver
	touch $@

# dbt-core 1.12 installs a parser that is fetched from elsewhere.
$(DBT): constraints/dbt.txt | $(UV)
	$(call environment,.tools/dbt)
	$(call install,.tools/dbt,dbt) $(DBT_PACKAGES)
	touch $@

$(BENCH): pyproject.toml constraints/bench.txt | $(UV)
	$(call environment,.tools/bench)
	$(call install,.tools/bench,bench) --editable . --group bench
	touch $@

demo: setup
	$(BIN)/python -m tools.demo

bench: $(BENCH)
	.tools/bench/bin/python -m benchmarks $(BENCH_ARGS)

# Installing waits for the network, and tests of Meltano and Dagster wait for processes, so these run
# in parallel with the rest.
test: $(UV)
	$(MAKE) --jobs 3 --output-sync=target $(SETUP) $(DAGSTER) browser $(PLUGINS) $(DBT)
	$(MAKE) --jobs 2 --output-sync=target end-to-end unit
	$(MAKE) --jobs 2 --output-sync=target lint newer-python

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(SETUP)
	$(PYTEST) --numprocesses $(WORKERS) -m "not end_to_end"

end-to-end: $(SETUP) $(PLUGINS) $(DAGSTER) $(DBT) browser
	$(PYTEST) --numprocesses $(END_TO_END_WORKERS) --dist loadfile --no-loadscope-reorder -m end_to_end

# Some tests open a page in it, and fail without one.
browser:
	@command -v $(BROWSERS) >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && $(APT) update && $(APT) install $(DEBIAN_BROWSER) >/dev/null; } \
	|| echo "No browser: install one of $(BROWSERS) (Debian: apt-get install $(DEBIAN_BROWSER))"

# constraints/dev.txt with another release of singer-sdk.
.tools/dev-lowest.txt .tools/dev-newest.txt: constraints/dev.txt pyproject.toml
	mkdir -p $(@D)
	sed '/^singer-sdk==/d' $< > $@
	$(if $(findstring lowest,$@),echo singer-sdk==$(LOWEST_SDK) >> $@)

newer-python: .tools/dev-$(OTHER_SDK).txt $(UV)
	@for version in $(NEWER_PYTHONS); do \
	  if $(UV) python find --quiet --system $$version >/dev/null 2>&1; then \
	    stamp=.venv-$$version/.installed; \
	    if [ ! -e $$stamp ] || [ $< -nt $$stamp ]; then \
	      $(UV) venv --quiet --clear --python $$version .venv-$$version && \
	      $(UV) pip install --quiet --python .venv-$$version --constraint $< --editable . --group dev && \
	      touch $$stamp || exit; \
	    fi; \
	    echo "Tests on Python $$version with $$(ls .venv-$$version/lib/python*/site-packages | grep -o '^singer_sdk-[0-9.]*[0-9]')"; \
	    .venv-$$version/bin/pytest --numprocesses $(WORKERS) $(NEWER_PYTHON_TESTS); \
	    exit $$?; \
	  fi; \
	done; echo "No newer Python found: tested on one version only"

soak: $(SETUP)
	$(BIN)/python -m tests.soak $(SOAK_ARGS)

format: $(SETUP)
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

docs: descriptions dictionary answers recording

descriptions: $(SETUP)
	$(BIN)/python -m tools.hub
	$(BIN)/python -m tools.settings_page

recording: $(SETUP) $(PLUGINS)
	$(BIN)/python -m tools.recording

dictionary: $(SETUP)
	$(BIN)/python -m tools.dictionary
	$(BIN)/python -m tests.singer.fields

answers: $(SETUP) $(PLUGINS) $(DBT) browser
	$(BIN)/python -m tools.answers

COMPILE := $(UV) pip compile --quiet --upgrade --universal --no-header --no-annotate \
  --python-version $(DEVELOPMENT_PYTHON)

constraints: $(UV)
	$(COMPILE) --group pyproject.toml:dev pyproject.toml --output-file constraints/dev.txt
	echo meltano==$(MELTANO_VERSION) | $(COMPILE) - --output-file constraints/meltano.txt
	printf 'dagster\ndagster-webserver\n' | $(COMPILE) - --output-file constraints/dagster.txt
	printf '%s\n' $(DBT_PACKAGES) | $(COMPILE) - --output-file constraints/dbt.txt
	$(COMPILE) --constraint constraints/dev.txt --group pyproject.toml:bench pyproject.toml \
	  --output-file constraints/bench.txt

clean:
	rm -rf .venv .venv-* .tools .meltano output/* .mypy_cache .pytest_cache .ruff_cache
