# Everything a developer does. `make help` lists it.

# The system's own first: distributions build it with profile-guided optimisation, version managers mostly do not.
PYTHON ?= $(shell for python in /usr/bin/python3.11 python3.11 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$python && break; done)
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
JS := tests/e2e/js
LOCK := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help setup fmt lint types test cover soak run bench check lock clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

setup: $(VENV)/.installed $(JS)/node_modules/.installed ## install everything, as locked, into .venv and node_modules

fmt: $(VENV)/.installed ## format the code
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format

lint: $(VENV)/.installed ## what ruff finds, formatting included
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed ## what mypy finds
	$(BIN)/mypy

test: setup ## the whole default test suite
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

cover: setup ## the same with coverage, and the lines that no test runs (htmlcov/index.html shows them too)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --show-missing

soak: setup ## bots through 30 cut connections and 10 restarts on both databases, 19,000 administrative steps: 6 minutes
	SOAK=1 $(BIN)/pytest tests/e2e/test_reconnect.py tests/property/test_administration.py

run: $(VENV)/.installed ## a demo server on http://127.0.0.1:8080
	$(BIN)/chatd serve --demo

bench: $(VENV)/.installed ## measure; see bench/README.md
	$(BIN)/python -m bench

check: lint types test ## what a change must pass

lock: $(VENV)/.installed ## resolve the newest allowed versions into requirements/
	$(BIN)/python -m pip install --quiet pip-tools
	$(LOCK) --upgrade --extra postgres --extra redis --extra s3 --output-file requirements/run.txt pyproject.toml
	$(LOCK) --upgrade --all-extras --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml

clean: ## remove what was built, not data
	rm -rf $(VENV) $(JS)/node_modules build dist htmlcov .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find chatd tests bench -name __pycache__ -prune -exec rm -rf {} +

# The lock holds the build back end as well, so nothing is fetched that has no hash.
$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "chatd needs Python 3.11 or newer, with venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(JS)/node_modules/.installed: $(JS)/package-lock.json
	@if command -v npm >/dev/null; then \
		npm ci --prefix $(JS) --no-audit --no-fund --loglevel=error && \
		{ npm rebuild zlib-sync --prefix $(JS) --ignore-scripts=false --loglevel=error || \
			echo "zlib-sync does not compile: discord.js will not be tested with zlib-stream"; } && touch $@; \
	else \
		echo "npm is not installed: the discord.js test will be skipped"; \
	fi
