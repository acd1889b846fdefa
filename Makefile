# `make demo` and `make test` do all the set-up. CONTRIBUTING.md describes the tiers of tests.
#
# Every version is pinned with hashes: Python's in requirements/, npm's in tests/counterparts/node/ and benchmarks/node/. An
# environment is
# made again when one of its pins changes. Only `make latest` and `make update` look for newer versions.

PYTHON ?= python3
# Another environment for another Python: make test PYTHON=python3.13 VENV=.venv-3.13
VENV ?= .venv
# How long `make soak` runs, and over which transport; all of them in turn if it is empty.
MINUTES ?= 10
KIND ?=
BIN := $(VENV)/bin
MINISTACK := .venv-ministack
UPDATE := .venv-update
LATEST := .venv-latest
WHEEL := .venv-wheel
NODE := .node
NODE_PINS := tests/counterparts/node
NODE_PEERS := .node-peers
NODE_PEERS_PINS := benchmarks/node

PIP_OPTIONS := --disable-pip-version-check --quiet
# Only wheels, because building one could fetch a build backend that is not pinned.
INSTALL_PINNED = -m pip install $(PIP_OPTIONS) --require-hashes --only-binary :all:
INSTALL_PROJECT = -m pip install $(PIP_OPTIONS) --no-deps --no-build-isolation --editable .
PYTEST := python -m pytest -q --dist worksteal
RUFF_AND_MYPY = $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . && $(BIN)/mypy --strict --no-error-summary
# For two cores. A quarter of the time of `make test` is spent waiting, for example for timeouts: a third worker fills it.
WORKERS := 3
UNIT := not counterpart and not slow and not long and not system

# The tests start about a thousand processes. Each would compile srpcore again if Python may not write what it compiled.
unexport PYTHONDONTWRITEBYTECODE

ifneq ($(origin PYTHON),file)
ifneq ($(wildcard $(BIN)/python),)
VERSION := -c 'import sys; print(sys.version_info[:2])'
ifneq ($(shell $(PYTHON) $(VERSION)),$(shell $(BIN)/python $(VERSION)))
$(error $(VENV) has another version of Python than $(PYTHON): add VENV=.venv-<version>, or delete $(VENV))
endif
endif
endif

.PHONY: demo check unit test test-all lint test-wheel test-pythons docs lambda-layer bench mutants conformance soak model generate update changes latest clean

demo: $(VENV)/.demo
	@$(BIN)/srpcore demo

# For every save. ruff and mypy check all files: they take about a second, because mypy keeps its results in .mypy_cache.
check: $(VENV)/.dev
	@$(RUFF_AND_MYPY)
	@$(MAKE) --no-print-directory unit

unit: $(VENV)/.test
	@$(BIN)/$(PYTEST) -n auto -m "$(UNIT)" $(PYTEST_ARGS)

# Everything that pip and npm can provide, except what takes many seconds.
test: $(VENV)/.dev $(VENV)/.benchmark $(MINISTACK)/.installed $(NODE)/.installed
	@$(BIN)/$(PYTEST) -n $(WORKERS) -m "not system and not long" $(PYTEST_ARGS)

# Everything. A skipped test is a failure here.
test-all: $(VENV)/.dev $(VENV)/.benchmark $(MINISTACK)/.installed $(NODE)/.installed
	@.ci/system-packages
	@$(BIN)/$(PYTEST) -n $(WORKERS) --no-skips $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory conformance lint docs test-wheel test-pythons

lint: $(VENV)/.dev
	@$(RUFF_AND_MYPY)
	@$(BIN)/codespell
	@$(BIN)/cfn-lint examples/*/template.yaml
	@output=$$(PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python) || { echo "$$output"; exit 1; }

# The unit tests, from an unpacked source distribution, against the installed wheel.
test-wheel: $(VENV)/.dev
	@$(MAKE) --no-print-directory VENV=$(WHEEL) $(WHEEL)/.test-requirements
	@.ci/test-wheel $(BIN)/python $(WHEEL)/bin/python "$(UNIT)"

# The unit tests on every other CPython from 3.11 to 3.15 that is installed.
test-pythons:
	@.ci/test-pythons $(PYTHON)

# The documentation, in build/site: the pages of docs/, and the API reference from the docstrings. A warning is an error.
docs: $(VENV)/.docs
	@output=$$(NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict 2>&1) || { echo "$$output"; exit 1; } # --quiet hides warnings from --strict
	@$(BIN)/python tools/check_site.py build/site

# The AWS Lambda layers, in dist/, for the Python of the environment.
lambda-layer: $(VENV)/.build
	@$(BIN)/python tools/lambda_layer.py

# What srpcore costs, compared with its peers: the results, the plots and the tables of docs/performance.md.
# It takes about twelve minutes, on a machine that does nothing else.
bench: $(VENV)/.benchmark $(MINISTACK)/.installed $(NODE)/.installed $(NODE_PEERS)/.installed
	@for file in benchmarks/[!_]*.py; do echo "$$file"; $(BIN)/python $$file || exit 1; done
	@$(BIN)/python tools/make_performance_page.py

# Change the code in small steps and see whether a test fails (docs/mutants.md). MODULE=srpcore/crypto limits it. A run that
# was interrupted goes on where it stopped.
mutants: $(VENV)/.mutation
	@$(BIN)/python tools/mutants.py $(MODULE)

# Ask the local pool and ministack the same questions, and print the probes that one of them answers wrongly. It fails if a
# result is not the one that tests/conformance/differences.py lists. CONTRIBUTING.md says how to ask a real pool.
conformance: $(VENV)/.test $(MINISTACK)/.installed
	@PYTHONPATH=tests $(BIN)/python -m conformance $(CONFORMANCE_ARGS)

# Random lives of users against a model of the service, until one fails: make soak MINUTES=30 KIND=botocore
soak: $(VENV)/.test
	@PYTHONPATH=tests $(BIN)/python -m lives.soak --minutes $(MINUTES) --kind "$(KIND)"

# Generate srpcore/service_model.py, and the shapes of requests for the local pool, from the service model in botocore.
model: $(VENV)/.test
	@$(BIN)/python tools/make_model.py && $(BIN)/python tools/make_shapes.py

# Generate everything that is generated: the service model, from it the table of faults, and the stub of the client.
generate: model $(VENV)/.dev
	@$(BIN)/python tools/make_stub.py && $(BIN)/ruff format --quiet srpcore/client/__init__.pyi
	@$(BIN)/python tools/make_local_pool_table.py
	@$(BIN)/python tests/faults/table.py > $(VENV)/faults.md && mv $(VENV)/faults.md docs/faults.md

# Raise all pins, generate what depends on them, run the tests, and print what changed.
update: $(UPDATE)/.installed
	@$(UPDATE)/bin/python tools/pins.py update
	@status=0; $(MAKE) --no-print-directory generate lint test || status=$$?; \
	    $(MAKE) --no-print-directory changes; exit $$status

# The pins that differ from those in the last commit.
changes:
	@echo "Pins that differ from those in the last commit:"
	@$(PYTHON) tools/pins.py changes

# An early warning: the tests with the newest versions instead of the pinned ones. `.ci/run` does not run it.
latest: $(MINISTACK)/.installed $(NODE)/.installed
	@$(PYTHON) -m venv --clear $(LATEST)
	@$(LATEST)/bin/python -m pip install $(PIP_OPTIONS) --upgrade pip
	@$(LATEST)/bin/python -m pip install $(PIP_OPTIONS) --upgrade --group test --group lint --group benchmark --editable '.[all,testing]'
	@$(LATEST)/bin/python -m pip uninstall -qq --yes setuptools
	@echo "Versions that differ from the pins:"; $(LATEST)/bin/python tools/pins.py newer
	@$(LATEST)/bin/$(PYTEST) -n $(WORKERS) -m "not system" $(PYTEST_ARGS)

$(VENV)/.build: requirements/build.txt requirements/demo.txt requirements/test.txt requirements/lint.txt requirements/docs.txt \
    requirements/benchmark.txt requirements/mutation.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "srpcore needs Python 3.11 or newer: run make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/build.txt
	@$(BIN)/python -m pip uninstall -qq --yes setuptools # Python 3.11's venv adds one that is not pinned
	@touch $@

$(VENV)/.demo: $(VENV)/.build pyproject.toml
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/demo.txt
	@$(BIN)/python $(INSTALL_PROJECT)
	@touch $@

$(VENV)/.test-requirements: $(VENV)/.build
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/test.txt
	@touch $@

$(VENV)/.test: $(VENV)/.test-requirements pyproject.toml
	@$(BIN)/python $(INSTALL_PROJECT)
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.test
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/docs.txt
	@touch $@

# With .docs, because mypy checks tools/docstring_markdown.py, which imports griffe.
$(VENV)/.dev: $(VENV)/.docs
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/lint.txt
	@touch $@

$(VENV)/.benchmark: $(VENV)/.test
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/benchmark.txt
	@touch $@

$(VENV)/.mutation: $(VENV)/.test
	@$(BIN)/python $(INSTALL_PINNED) -r requirements/mutation.txt
	@touch $@

$(MINISTACK)/.installed: requirements/ministack.txt
	@$(PYTHON) -m venv --clear $(MINISTACK)
	@$(MINISTACK)/bin/python $(INSTALL_PINNED) -r $<
	@touch $@

$(UPDATE)/.installed: requirements/update.txt
	@$(PYTHON) -m venv --clear $(UPDATE)
	@$(UPDATE)/bin/python $(INSTALL_PINNED) -r $<
	@touch $@

# Clients, a token verifier and a bundler in JavaScript, and CPython in WebAssembly.
$(NODE)/.installed: $(NODE_PINS)/package.json $(NODE_PINS)/package-lock.json $(NODE_PINS)/.npmrc
# A server that only the benchmarks use.
$(NODE_PEERS)/.installed: $(NODE_PEERS_PINS)/package.json $(NODE_PEERS_PINS)/package-lock.json $(NODE_PEERS_PINS)/.npmrc

$(NODE)/.installed $(NODE_PEERS)/.installed:
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@cp $^ $(@D)/
	@if command -v npm >/dev/null; then npm ci --prefix $(@D) --ignore-scripts --silent && touch $@; \
	    else echo "npm was not found: what needs JavaScript or WebAssembly is skipped. Install Node.js 20 or newer."; fi

clean:
	rm -rf .node .node-* .venv .venv-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
