# Everything that a person types in this repository. `make` alone tells what there is.

PYTHON ?= python3
WORKERS ?= 2
ROWS ?= 1000000
ROUNDS ?= 1
COVERAGE ?= --cov --cov-report=term
UPGRADE ?=
BIN := .venv/bin
STAMP := .venv/.installed
# Large packages that nothing here imports, or hardly: compiling them would take a minute.
UNCOMPILED := /(ray|openai|litellm|sympy|scipy|sklearn|networkx|cfnlint|mypy|google/ads|google/cloud/[a-z0-9_]*(_v[0-9]|platform).*)/

.DEFAULT_GOAL := help
.PHONY: help setup demo ui screenshots reference docs test test-long bench lint lock dist clean

help: ## Tell what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with the locked packages and this project, editable
	@echo "Ready: $(BIN)/bifrost-export --help"

demo: $(STAMP) ## Show two exports from end to end, in a real Airflow, to S3 and to BigQuery, all on this machine
	@$(BIN)/python -m demo

ui: $(STAMP) ## Keep a local Airflow with an export, a log store and an S3 server running, to look at, until Ctrl-C
	@$(BIN)/python -m demo --ui --folder .demo-ui

screenshots: $(STAMP) ## Take the pictures of the documentation, from an Airflow like that of make ui; needs a Chromium
	@$(BIN)/python -m tools.screenshots

reference: $(STAMP) ## Write the pages of the documentation that are generated from the code
	@$(BIN)/python -m tools.reference

docs: $(STAMP) ## Build the documentation into site/; a broken link fails the build
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Ready: site/index.html"

test: $(STAMP) ## Run the tests; report branch coverage of the unit tests (COVERAGE= turns the measurement off)
	@status=0; \
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/unit $(COVERAGE) || status=1; \
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests --ignore tests/unit || status=1; \
	exit $$status

test-long: $(STAMP) ## Run the tests that take long: everything killed and cleared, all zones, big sizes, the oldest Airflow, the oldest and newest providers
	BIFROST_TEST_LONG=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile -m "long or widened"

bench: $(STAMP) ## Measure exports against the floor and pandas (ROWS, ROUNDS), and the DAG file with 500 exports
	$(BIN)/python -m bench --rows $(ROWS) --rounds $(ROUNDS)
	@$(BIN)/python -m bench.parsing

lint: $(STAMP) ## Check style, types, and which way imports point
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -p no:randomly tests/unit/test_architecture.py

lock: | $(BIN)/uv ## Write requirements.lock from pyproject.toml; UPGRADE=--upgrade takes newer versions
	$(BIN)/uv pip compile pyproject.toml --universal --all-extras --group dev --generate-hashes \
		--no-emit-index-url --no-header --quiet $(UPGRADE) --output-file requirements.lock

dist: $(STAMP) ## Build the sdist and the wheel into dist/, and check both
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

clean: ## Remove what the other targets have made, but for .venv
	rm -rf .demo .demo-ui .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build dist site

$(STAMP): requirements.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements.lock
	@# The packages that build this project are locked, too: an isolated build would fetch newer ones.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@# Where Python may not write its byte code, each of the many processes would compile Airflow anew.
	-@$(BIN)/python -m compileall -q -j 0 -x '$(UNCOMPILED)' .venv/lib >/dev/null
	@touch $@

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11. Name a newer one: make setup PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "error: this Python can't make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/^ *#/p' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
