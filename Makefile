# make run    set up and start the gateway          make demo   send the samples through a gateway of its own
# make test   lint and all tests                    make bench  the figures, measured here and now
# make setup  set up alone                          make lock   choose dependencies anew (writes the lock files)
# make fuzz MINUTES=10  hostile mails and documents, made up as it goes
# make torture MINUTES=10   kill a gateway under load at every step, again and again, and count what came of it (JSON=1)
.PHONY: run setup setup-dev test lint demo bench torture lock fuzz
.DEFAULT_GOAL := run

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps
SELF := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

run: setup
	@exec $(BIN)/faxless serve

setup: .venv/.ready

# Debian parts venv from python3; everything else comes from the lock file.
.venv/bin/python:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv; }
	@python3 -m venv .venv

.venv/.ready: requirements.lock pyproject.toml | .venv/bin/python
	@echo "faxless を準備しています(初回は数分) / setting up (a few minutes the first time)"
	@$(PIP) -r requirements.lock
	@$(SELF)
	@touch $@

setup-dev: .venv/.ready-dev
.venv/.ready-dev: requirements-dev.lock .venv/.ready tests/system-packages.txt
	@$(PIP) -r requirements-dev.lock
	@tests/install-system-packages
	@touch $@

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: setup-dev lint
	@$(BIN)/pytest --numprocesses 2 --dist loadfile

demo: setup
	@$(BIN)/python -m gateway.demo $(if $(EXIT),--exit)

bench: setup-dev
	@$(BIN)/python -m benchmarks

torture: setup-dev
	@$(BIN)/python -m tests.breakage.torture --minutes $(or $(MINUTES),10) $(if $(JSON),--json) $(if $(SEED),--seed $(SEED))

fuzz: setup-dev
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10)

lock:
	@$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-annotate --generate-hashes --python-version 3.11 --group build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --no-header --no-emit-index-url --no-annotate --generate-hashes --python-version 3.11 --group build --group dev pyproject.toml -o requirements-dev.lock
