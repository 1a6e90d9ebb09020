# Two commands are all that a newcomer needs: `make lab` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
STAMP := $(VENV)/.set-up
DEVELOPER := $(VENV)/.set-up-for-developers

# Compiled modules are kept, whatever the surroundings say: without them every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help lab test workbook notebooks instructor solutions setup developer check bench fuzz sample-data environment clean

help:  ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

lab: setup  ## Do the lab: start the sandbox and open notebook 00 in JupyterLab
	@$(BIN)/labkit up

test: developer  ## Run every test, the notebooks included
	$(BIN)/pytest -n auto --dist loadfile tests
	$(BIN)/pytest -n auto --dist loadfile --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

workbook: setup  ## Run all notebooks headless and bind them into one HTML book, build/workbook/
	@$(BIN)/labkit run

notebooks: developer  ## Build the notebooks from notebooks/source/, keeping the outputs of cells that didn't change
	$(BIN)/python scripts/build_notebooks.py

instructor: developer  ## Build the instructor's copies, solutions and notes included, into build/instructor/
	$(BIN)/python scripts/build_notebooks.py --instructor

solutions: instructor  ## Run the instructor's copies, so that no solution goes stale
	@$(BIN)/labkit run build/instructor/*.ipynb --to build/instructor

setup: $(STAMP)  ## Set up .venv from the locked versions, with what a learner runs

developer: $(DEVELOPER)  ## Add what tests and checks need

# `--inexact`: what a developer has beside it stays. uv shows its progress on a terminal.
$(STAMP): pyproject.toml uv.lock | $(UV)
	@echo "Setting up $(VENV), about 0.9 GB: a minute or two the first time."
	$(UV) sync --frozen --inexact --compile-bytecode
	$(BIN)/python -m compileall -q labkit
	@touch $@

$(DEVELOPER): pyproject.toml uv.lock | $(UV)
	@echo "Adding to $(VENV) what tests and checks need, about 0.8 GB."
	$(UV) sync --frozen --group dev --compile-bytecode
	$(BIN)/python -m compileall -q labkit
	@touch $@ $(STAMP)

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

check: developer  ## Check style, types, imports and the figures that the code is held to
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/lab_environment.yaml
	$(BIN)/python scripts/check_outputs.py notebooks/*.ipynb
	$(BIN)/python scripts/build_notebooks.py --check
	$(BIN)/python scripts/figures.py
	$(BIN)/python -m fuzz.quick

bench: developer  ## Run the benchmarks: each a ratio to something run beside it
	$(BIN)/python -m benchmarks

fuzz: setup  ## Fuzz what takes text from outside, each target for FUZZ_SECONDS
	$(UV) sync --frozen --quiet --inexact --group fuzz
	$(BIN)/python -m fuzz $(or $(FUZZ_SECONDS),600)

sample-data: setup  ## Write data/sample_flowlogs anew
	$(BIN)/labkit sample-data

environment: setup  ## Write environment.yml anew from pyproject.toml
	$(BIN)/python scripts/write_environment.py

clean:  ## Remove what the commands above have made, the sandbox's history included
	-$(BIN)/labkit sandbox stop
	rm -rf $(VENV) .tools .labkit build
