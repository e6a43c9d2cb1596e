# Everything a developer types. `make` or `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Recipes of one run do not overlap: lint and tests would fight for the same two cores.
.NOTPARALLEL:

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# The first that is new enough; PYTHON=/path/to/python3 make … chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# Browser tests use the system's own browser: nothing is downloaded.
PLATFORM_RISK_CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || true)
export PLATFORM_RISK_CHROMIUM
# Three for two cores: browsers and servers that start leave a core idle for a third of the time.
JOBS ?= 3
# Tests that need neither Django nor a server: the ones to run after every save.
PURE := $(wildcard tests/platform_risk/test_env.py tests/platform_risk/quantities tests/findings/scans \
	tests/findings/risk tests/findings/test_query.py tests/findings/checks tests/findings/platform tests/costs/bills \
	tests/costs/usage tests/costs/forecasting)

# What is compiled is kept even where a container says not to: a test run starts Python a hundred times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: .venv/run.stamp ## Run everything on this machine, until Ctrl-C: PORT=8000 PLATFORM_RISK_DATA=.data PLATFORM_RISK_DEMO=1
	@exec $(BIN)/python -m platform_risk.local

.PHONY: test
test: browser-there lint ## Lint, then all tests but the drills
	$(BIN)/pytest -n $(JOBS) -m 'not drill'

.PHONY: fast
fast: .venv/dev.stamp ## Only the pure tests: no database, no browser
	$(BIN)/pytest -q -o addopts='--disable-plugin-autoload -p xdist -p django -p hypothesispytest' -n $(JOBS) $(PURE)

.PHONY: lint
# Nothing is signed or redacted here; without values of its own the check would make new ones in .data.
lint: export PLATFORM_RISK_SECRET_KEY := only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz
lint: export PLATFORM_RISK_REDACTION_SALT := $(PLATFORM_RISK_SECRET_KEY)
lint: .venv/dev.stamp ## Style, types, import contracts, migrations, Django's checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	PLATFORM_RISK_HTTPS=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

.PHONY: fix
fix: .venv/dev.stamp ## Put right what ruff can put right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: .venv/dev.stamp ## Benchmarks, on servers of their own (BENCH=bench/x.py for one)
	$(BIN)/python -m platform_risk.local.throwaway --durable bash -euc \
		'$(BIN)/python manage.py prepare; for script in $(or $(BENCH),bench/bench_*.py); do $(BIN)/python $$script; done'

.PHONY: drill
drill: .venv/dev.stamp ## Long fault drills: kills, restarts, recovery; many examples of every property
	$(BIN)/pytest -m drill
	PLATFORM_RISK_TESTS_DEEP=1 $(BIN)/pytest -n $(JOBS) -m 'hypothesis and not drill'

CHECKOV := 3.3.30

.PHONY: demo-scan
# An environment of its own: Checkov pins versions of half the world.
demo-scan: ## Run Checkov over demo/clean-platform anew and write demo/scans
	@[ -x .venv-checkov/bin/checkov ] || { $(PYTHON) -m venv .venv-checkov && \
		.venv-checkov/bin/pip --disable-pip-version-check install -q checkov==$(CHECKOV); }
	PATH="$(CURDIR)/.venv-checkov/bin:$$PATH" $(PYTHON) demo/scan.py

.PHONY: lock
# --universal: one file for every system and Python; no addresses in it, so it installs from whatever index is set up.
lock: ## Write the lock files anew from pyproject.toml
	rm -rf .venv-lock
	$(if $(PYTHON),,$(error no Python 3.11 or newer found))$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header $(LOCK_OPTIONS) pyproject.toml --output-file requirements.lock
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header $(LOCK_OPTIONS) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	rm -rf .venv-lock

# Under CI=true a missing browser is an error: a green run must mean that the pages were tried.
.PHONY: browser-there
browser-there:
ifeq ($(PLATFORM_RISK_CHROMIUM),)
	@printf '\n%s\n%s\n%s\n\n' '******************************************************************************' \
		'  NO CHROMIUM: the browser tests are skipped. Install it: apt-get install chromium' \
		'******************************************************************************'
	@[ "$$CI" != true ] || { echo 'CI=true: failing because of that'; exit 1; }
endif

# The command line. The project itself is not installed, so that its folder is all there is of it.
.venv/bin/platform-risk: platform_risk/local/command.sh | .venv/bin/python
	@install -m 755 $< $@

# Environments, made when missing and brought up to date when a lock file changes.
.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo 'platform-risk: no Python 3.11 or newer found: install one, or PYTHON=/path/to/python3 make …'; exit 1; }
	@echo 'environment… .venv with $(PYTHON)'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'platform-risk: cannot make an environment: install the venv module (apt-get install python3-venv)'; exit 1; }

.venv/run.stamp: requirements.lock | .venv/bin/python .venv/bin/platform-risk
	@echo 'environment… installing the packages of $<'
	@$(PIP) install -qq --no-deps --require-hashes -r $<
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock | .venv/bin/python .venv/bin/platform-risk
	@echo 'environment… installing the packages of $<'
	@$(PIP) install -qq --no-deps --require-hashes -r $<
	@touch .venv/run.stamp $@
