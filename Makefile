# Two commands are all that a newcomer needs: `make lab` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
STAMP := $(VENV)/.set-up

# Compiled modules are kept, whatever the surroundings say: without them every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help lab test workbook notebooks instructor solutions setup check bench fuzz sample-data environment clean

help:  ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

lab: setup  ## Do the lab: start the sandbox and open notebook 00 in JupyterLab
	@$(BIN)/labkit up

test: setup  ## Run every test, the notebooks included
	$(BIN)/pytest -n auto --dist loadfile tests
	$(BIN)/pytest -n auto --dist loadfile --nbval --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

workbook: setup  ## Run all notebooks headless and bind them into one HTML book, build/workbook/
	@$(BIN)/labkit run

notebooks: setup  ## Build the notebooks from notebooks/source/, keeping the outputs of cells that didn't change
	$(BIN)/python scripts/build_notebooks.py

instructor: setup  ## Build the instructor's copies, solutions and notes included, into build/instructor/
	$(BIN)/python scripts/build_notebooks.py --instructor

solutions: instructor  ## Run the instructor's copies, so that no solution goes stale
	@$(BIN)/labkit run build/instructor/*.ipynb --to build/instructor

setup: $(STAMP)  ## Set up .venv from the locked versions

$(STAMP): pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet --compile-bytecode
	$(BIN)/python -m compileall -q labkit
	@touch $@

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

check: setup  ## Check style, types, imports and the figures that the code is held to
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/lab_environment.yaml
	$(BIN)/python scripts/check_outputs.py notebooks/*.ipynb
	$(BIN)/python scripts/build_notebooks.py --check
	$(BIN)/python scripts/figures.py

bench: setup  ## Run the benchmarks: each a ratio to something run beside it
	$(BIN)/python -m benchmarks

fuzz: setup  ## Fuzz what takes text from outside, each target for FUZZ_SECONDS
	$(UV) sync --frozen --quiet --group fuzz
	$(BIN)/python -m fuzz $(or $(FUZZ_SECONDS),600)

sample-data: setup  ## Write data/sample_flowlogs anew
	$(BIN)/labkit sample-data

environment: setup  ## Write environment.yml anew from pyproject.toml
	$(BIN)/python scripts/write_environment.py

clean:  ## Remove what the commands above have made, the sandbox's history included
	-$(BIN)/labkit sandbox stop
	rm -rf $(VENV) .tools .labkit build
