# `make` without a word prints this help. Everything runs in .venv, which the first call makes.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run test real bench proof lint type fmt clean

help: ## print this help
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "there is no $(PYTHON) on PATH; try: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "log-pilot needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 …" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docker]' --group dev
	@touch $@

run: $(STAMP) ## the demo: a small node with its logs, collected and printed; Ctrl-C ends it
	@exec $(BIN)/log-pilot demo

test: $(STAMP) ## every test that can run here without root and without daemons
	$(BIN)/python -m pytest -m 'not real and not proof' tests

real: $(STAMP) ## the suites on real dockerd and Filebeat; needs root, builds what is missing
	$(BIN)/python -m pytest -m 'real and not proof' tests

bench: $(STAMP) ## the figures of docs/performance.md, on real daemons; needs root
	$(BIN)/python -m tests.bench

proof: $(STAMP) ## the full-length versions of what CI samples; needs root, takes long
	$(BIN)/python -m pytest -m proof tests

lint: $(STAMP) ## ruff and the import rule
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

type: $(STAMP) ## mypy --strict on pilot and tests
	$(BIN)/mypy

fmt: $(STAMP) ## format the code and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
