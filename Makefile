# make demo and make test do all set-up themselves; a second call reuses .venv and works offline.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_FLAGS ?= -n 2
DEMO_DIR ?= runs/demo
DEMO_STEPS ?=

# One stamp a set of extras: what the demo needs is less than what the tests need.
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-long lint types contracts bench docs clean-env

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.created: 
	$(PYTHON) -c 'import sys; sys.exit("divergences needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(DEMO_STAMP): pyproject.toml constraints.txt | $(VENV)/.created
	$(PIP) --editable '.[wgan]'
	touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(VENV)/.created
	$(PIP) --editable '.[dev]'
	touch $@ $(DEMO_STAMP)

demo: $(DEMO_STAMP) ## the paper's claims, its figures and a WGAN on real digits; writes runs/demo/report.html
	$(BIN)/python -m wgan demo --out $(DEMO_DIR) $(if $(DEMO_STEPS),--steps $(DEMO_STEPS))

test: $(DEV_STAMP) ## the tests and doctests
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

test-long: $(DEV_STAMP) ## the long tests too, with more Hypothesis examples
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest $(PYTEST_FLAGS) -m 'not gpu'

lint: $(DEV_STAMP) ## format, lint, spelling, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_STAMP) ## the benchmarks; results with machine and versions in benchmarks/results
	$(BIN)/python -m pytest benchmarks -q

docs: $(DEV_STAMP) ## the documentation, warnings as errors, in docs/_build/html
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

clean-env: ## remove .venv
	rm -rf $(VENV)
