# Needs Python 3.11-3.14, make and git; everything else is installed into .venv from uv.lock.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin

.PHONY: help demo test slow lint types bench lock wheel clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: .venv/.synced ## Walk the main job against the embedded cluster
	@$(RUN)/kubesteward demo $(ARGS)

test: .venv/.synced ## Run the test suite, without the slow ones
	$(RUN)/pytest -n 3 --dist loadfile -m "not slow" $(ARGS)

slow: .venv/.synced ## Run the slow tests: conformance, Inspector, kubectl at length
	$(RUN)/pytest -n 2 --dist loadfile -m slow $(ARGS)

lint: .venv/.synced ## Lint, format, import contracts, unused code and dependencies
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/lint-imports --no-cache
	$(RUN)/deptry .
	$(RUN)/vulture

types: .venv/.synced ## Type-check
	$(RUN)/mypy

bench: .venv/.synced ## Measure; each script in tests/bench prints a table, or JSON with --json
	@for script in tests/bench/*.py; do echo "== $$script"; $(RUN)/python $$script $(ARGS) || exit 1; done

wheel: .venv/.synced ## Build the wheel and look into it
	rm -rf dist
	$(UV) build --wheel --quiet
	$(RUN)/check-wheel-contents dist

lock: $(UV) ## Refresh uv.lock
	$(UV) lock --upgrade

clean: ## Remove what make created
	rm -rf .venv .uv dist .mypy_cache .ruff_cache .pytest_cache

.venv/.synced: pyproject.toml uv.lock $(filter .uv/%,$(UV))
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 15) else "KubeSteward needs Python 3.11 to 3.14, and %s is %s. Say which one to use: make PYTHON=/path/to/python3.12" % (sys.executable, sys.version.split()[0]))'
	$(UV) sync --quiet --frozen --no-python-downloads --python $(PYTHON)
	@touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9'
