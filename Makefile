# Everything runs in .venv, made here from the package index; nothing that happens to be installed is used.
PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/.installed

.PHONY: demo test test-quick test-long bench docs lint format check-all clean

demo: $(STAMP)  ## examine a simulated pipeline with a few faults
	$(BIN)/blueplane-doctor demo

test: $(STAMP)  ## all tests; what needs a server or browser that is not installed is skipped with its reason
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-quick: $(STAMP)  ## the tests that take no time
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-long: $(STAMP)  ## the property tests with a large budget
	BLUEPLANE_TEST_PROFILE=long $(BIN)/python -m pytest tests/custody -m slow --timeout 3600

bench: $(STAMP)  ## the figures of docs/BENCHMARKS.md
	$(BIN)/python -m benchmarks

docs: $(STAMP)  ## write docs/TROUBLESHOOTING.md anew from the checks
	$(BIN)/python -m tests.docs.troubleshooting

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check-all: lint test

clean:
	rm -rf .venv dist build .tox

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[demo,test,dev]"
	touch $(STAMP)
