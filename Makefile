# Needs Python 3.11 or newer and make; everything else is made here.
# ARGS goes to the command: `make demo ARGS="--events 200"`, `make test ARGS="-k framing"`.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: demo test check lint format types imports schemas bench crashtest soak fuzz parts reference lock ci clean help

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
UV := uv==0.13.9

# Wheels only: building a source archive would run code and fetch tools that no lock names. A lock is whole
# (--no-deps), and of what is installed only what is used gets compiled, at its first use.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	--require-hashes --no-deps --no-compile
COMPILE := build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

demo: .venv/package.stamp  ## a simulated PBX, an embedded broker and the live picture
	@$(BIN)/ami-kafka demo $(ARGS)

# Many tests wait for a peer, hence more processes than cores. The commands they start would compile
# the package each time where no bytecode may be kept.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/package.stamp .venv/test.stamp  ## every test that the parts on this machine allow
	$(BIN)/python -m pytest --numprocesses 4 $(ARGS)

check: lint format types imports schemas  ## style, format, types, import rules, schemas

lint: .venv/dev.stamp
	$(BIN)/ruff check .

format: .venv/dev.stamp
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy

imports: .venv/dev.stamp
	$(BIN)/lint-imports

schemas: .venv/package.stamp
	$(BIN)/ami-kafka schemas generate --check
	$(BIN)/ami-kafka schemas check

bench: .venv/package.stamp .venv/test.stamp  ## both roads, beside what people write today, bare sockets and the limits
	@$(BIN)/python -m tests.bench $(ARGS)

crashtest: .venv/package.stamp .venv/test.stamp  ## kill, stop and cut off connectors over N requests, and count what came of it
	@$(BIN)/python -m tests.crash --requests $(or $(N),1000) $(ARGS)

soak: .venv/package.stamp .venv/test.stamp  ## every event of a PBX through faults for M minutes, and an account of each
	@$(BIN)/python -m tests.soak --minutes $(or $(M),5) $(ARGS)

fuzz: .venv/package.stamp .venv/test.stamp  ## damaged input for each reader of foreign bytes, S seconds each, or one: TARGET=frames
	@$(BIN)/python -m tests.fuzz $(or $(TARGET),all) --seconds $(or $(S),60) $(ARGS)

parts: .venv/package.stamp .venv/test.stamp  ## fetch the real Asterisk, Kafka and registry into the cache
	@$(BIN)/python -m tests.parts fetch $(ARGS)

reference: .venv/package.stamp .venv/test.stamp  ## write the types and defaults in docs/settings.md from the code
	@$(BIN)/python -m tests.reference

lock: build/lock/bin/uv  ## choose versions anew and write the lock files
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --output-file requirements-otel.lock --constraints requirements.lock --extra otel pyproject.toml
	$(COMPILE) --output-file requirements-build.lock --constraints requirements.lock --group pyproject.toml:build
	$(COMPILE) --output-file requirements-test.lock --constraints requirements-otel.lock \
		--constraints requirements-build.lock --extra otel --group pyproject.toml:test pyproject.toml
	$(COMPILE) --output-file requirements-dev.lock --constraints requirements-test.lock --extra otel \
		--group pyproject.toml:dev pyproject.toml

ci:  ## what CI runs
	bash .ci/run

clean:  ## remove what make has made; the cache of real parts stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find connector tests -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# A venv whose pip is missing would pass for a whole one at the next run.
.venv/made.stamp:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }
	@touch $@

.venv/run.stamp: requirements.lock requirements-build.lock .venv/made.stamp
	@echo "installing what the connector needs into .venv"
	@$(INSTALL) -r requirements.lock -r requirements-build.lock
	@touch $@

.venv/test.stamp: requirements-test.lock .venv/run.stamp
	@echo "installing what tests need into .venv"
	@$(INSTALL) -r requirements-test.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/test.stamp
	@echo "installing what checks need into .venv"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

.venv/package.stamp: pyproject.toml connector/__init__.py .venv/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-index --no-deps --no-build-isolation --editable .
	@touch $@

build/lock/bin/uv:
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: $(UV)
