# chatapp's commands. `make help` lists them; settings come from the environment or .env.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
WORKING := $(VENV)/.runtime
COMPLETE := $(VENV)/.development
AUDITED := $(VENV)/.audit

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast check cluster chaos soak bench-dashboard bench-stream bench-page mutants audit fmt lock messages screenshots

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(WORKING) ## install what chatapp needs, and prepare its data
	@$(BIN)/python manage.py setup

run: $(WORKING) ## serve on HOST:PORT (127.0.0.1:8000); the first start makes everything
	@exec $(BIN)/python manage.py serve --setup

test: $(COMPLETE) ## run the tests: on SQLite, on PostgreSQL with Redis what it may change, in a browser (EVERYTHING=1: all on both)
	@$(BIN)/python -m tests

test-fast: $(COMPLETE) ## run the tests that need no browser, on SQLite
	@$(BIN)/python -m tests sqlite

check: $(COMPLETE) ## lint, types, import rules, migrations, deployment settings, templates
	@$(BIN)/python -m tests.check

bench-dashboard: $(COMPLETE) ## time the dashboard's pages over made-up calls (ARGS="--calls 1000000")
	@$(BIN)/python bench/dashboard.py $(ARGS)

bench-stream: $(COMPLETE) ## measure a reply's way beside its floors (ARGS="--streams 200 --postgresql")
	@$(BIN)/python bench/stream.py $(ARGS)

bench-page: $(COMPLETE) ## weigh the chat page in a real browser, and a long reply on its way to it
	@$(BIN)/python bench/page.py $(ARGS)

cluster: $(COMPLETE) ## run all of deploy/ on this machine, until Ctrl+C (ARGS="--workers 1")
	@exec $(BIN)/python -m tests.chaos.cluster $(ARGS)

chaos: $(COMPLETE) ## break everything, row by row, and compare the bill with the ledger
	@$(BIN)/python -m tests.chaos $(ARGS)

soak: $(COMPLETE) ## 200 sockets and steady sends; prints the slope of memory (ARGS="--minutes 60")
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

mutants: $(COMPLETE) ## change the money's rules one by one, and list the changes no test notices (slow)
	@$(BIN)/python bench/mutants.py $(ARGS)

audit: $(AUDITED) ## look the requirements up among known vulnerabilities (needs pypi.org), and list them in var/sbom.json
	@$(BIN)/python -m pip check
	@mkdir -p var
	@$(BIN)/cyclonedx-py requirements --output-reproducible -o var/sbom.json requirements.txt
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt -r requirements-dev.txt

fmt: $(COMPLETE) ## format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

lock: $(COMPLETE) ## pin the requirements anew, with hashes
	@$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) -c requirements.txt --group dev pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile $(LOCK) -c requirements-dev.txt --group pyproject.toml:audit -o requirements-audit.txt

messages: $(COMPLETE) ## gather the marked words into locale/, and compile the translations
	@$(BIN)/python -m scripts.messages

screenshots: $(COMPLETE) ## make the README's pictures
	@$(BIN)/python scripts/screenshots.py

LOCK := --universal --generate-hashes --no-emit-index-url --no-header --quiet --python-version 3.11

$(VENV):
ifdef UV
	@$(UV) venv --quiet --python '>=3.11' $(VENV)
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "chatapp needs Python 3.11 or newer; this is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv (or install uv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
endif

# A stamp a kind of installation: a second start does nothing.
$(WORKING): requirements.txt | $(VENV)
	@echo "installing ..."
	@$(call install,requirements.txt)
	@touch $@

$(COMPLETE): requirements-dev.txt | $(VENV)
	@echo "installing development tools ..."
	@$(call install,requirements-dev.txt)
	@touch $@ $(WORKING)

$(AUDITED): requirements-audit.txt $(COMPLETE)
	@echo "installing the auditor ..."
	@$(call install,requirements-audit.txt)
	@touch $@

ifdef UV
install = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r $(1)
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
endif
