# A fresh machine needs python3 (3.11 or newer), its venv module, make and git; everything else is made here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test soak run lint audit stick

help:
	@echo 'make demo    the whole job on synthetic fieldwork; prints where the report is'
	@echo 'make test    the whole test suite'
	@echo 'make soak    the long trials in full; their dated output goes to docs/soak/'
	@echo 'make run     the app of ./instance in the browser'
	@echo 'make lint    ruff and mypy'
	@echo 'make audit   bandit over the code, pip-audit over what it needs'
	@echo 'make stick   a folder for a USB stick that installs without a network'

demo: $(VENV)/.analysis
	$(BIN)/survey demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 $(ARGS)

soak: $(VENV)/.dev
	@mkdir -p docs/soak
	SURVEY_SOAK=1 $(BIN)/python -m pytest --no-header -n 2 -m soak -rA $(ARGS) >docs/soak/$$(date +%F).txt 2>&1; \
	  code=$$?; tail -n 20 docs/soak/$$(date +%F).txt; exit $$code

run: $(VENV)/.analysis
	$(BIN)/survey run $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: $(VENV)/.dev
	$(BIN)/python tools/audit.py $(ARGS)

stick: $(VENV)/.dev
	$(BIN)/python tools/stick.py $(ARGS)

# The stamps keep pip from running again until the requirements change.
$(VENV)/.analysis: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[analysis]'
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.analysis

$(BIN)/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer with its venv module is needed (Debian: apt install python3-venv)' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
