# Two commands do all the set-up: `make demo` and `make test`. `.ci/run` runs them and what else must hold.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
MINISTACK := .venv-ministack
NODE := .node
WHEEL := .venv-wheel

.PHONY: demo test lint test-wheel test-pythons benchmarks clean

demo: $(VENV)/.demo
	$(BIN)/srpcore demo

test: $(VENV)/.dev $(MINISTACK)/.installed $(NODE)/.installed
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/pyright

# The built wheel, from outside the tree: -P keeps the current folder off the path.
test-wheel: $(VENV)/.dev $(MINISTACK)/.installed $(NODE)/.installed
	rm -rf dist $(WHEEL)
	$(BIN)/python -m build --installer pip --outdir dist . >/dev/null
	$(PYTHON) -m venv $(WHEEL)
	$(WHEEL)/bin/python -m pip --disable-pip-version-check --quiet install --upgrade 'pip>=25.1'
	$(WHEEL)/bin/python -m pip --disable-pip-version-check --quiet install --group test "$$(ls dist/*.whl)[all]"
	.ci/test-wheel $(WHEEL)/bin/python

# What it costs, beside the peers.
benchmarks: $(VENV)/.benchmark $(NODE)/.installed
	$(BIN)/python benchmarks/srp_log_in.py
	$(BIN)/python benchmarks/verify_tokens.py
	$(BIN)/python benchmarks/verify_many_tokens.py
	$(BIN)/python benchmarks/cold_start.py

# The quick tests on every other CPython from 3.11 to 3.15 that is installed.
test-pythons:
	.ci/test-pythons $(PYTHON)

$(VENV)/.pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "srpcore needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(PIP) install -e '.[local]'
	touch $@

$(VENV)/.dev: $(VENV)/.pip pyproject.toml
	$(PIP) install --group dev -e '.[all]'
	touch $@ $(VENV)/.demo

$(VENV)/.benchmark: $(VENV)/.dev pyproject.toml
	$(PIP) install --group benchmark
	touch $@

# In an environment of its own: ministack pins botocore.
$(MINISTACK)/.installed:
	$(PYTHON) -m venv $(MINISTACK)
	$(MINISTACK)/bin/python -m pip --disable-pip-version-check --quiet install 'ministack==1.5.33' cryptography
	touch $@

# A client and a verifier that nobody here wrote, and CPython in WebAssembly. Without npm its tests skip aloud.
$(NODE)/.installed: Makefile
	mkdir -p $(NODE)
	echo '{"private": true}' > $(NODE)/package.json
	! command -v npm >/dev/null || npm install --prefix $(NODE) --no-audit --no-fund --ignore-scripts --silent amazon-cognito-identity-js@6.3.21 aws-jwt-verify@5.2.1 pyodide@314.0.7
	touch $@

clean:
	rm -rf .node .venv .venv-* dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
