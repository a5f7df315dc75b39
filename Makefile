# Everything runs in .venv, made here from the package index; nothing that happens to be installed is used.
PYTHON ?= python3
BIN = .venv/bin
STAMP = .venv/.installed
BUILD = .venv/build
DIST ?= dist

.PHONY: demo test test-quick test-long test-faults bench docs dist pins lint format check-all clean

demo: $(STAMP)  ## examine a simulated pipeline with a few faults
	$(BIN)/blueplane-doctor demo

test: $(STAMP)  ## all tests; what needs a server or browser that is not installed is skipped with its reason
	$(BIN)/python -m pytest -n 3 --dist worksteal

test-quick: $(STAMP)  ## the short tests; CONTRIBUTING.md says how long they take
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-long: $(STAMP)  ## whole, what the other targets run as a share; the fault matrix has a target of its own
	BLUEPLANE_TEST_PROFILE=long $(BIN)/python -m pytest -n 2 --dist worksteal -m slow --timeout 3600 \
		tests/custody tests/repair tests/connection tests/truth

test-faults: $(STAMP)  ## every fault with every command that it concerns, and docs/RELIABILITY.md anew
	rm -rf .venv/matrix && mkdir .venv/matrix
	-BLUEPLANE_TEST_PROFILE=long BLUEPLANE_TEST_MATRIX=$(CURDIR)/.venv/matrix $(BIN)/python -m pytest tests/faults -n 2
	$(BIN)/python -m tests.faults.reliability .venv/matrix

bench: $(STAMP)  ## the figures of docs/BENCHMARKS.md
	$(BIN)/python -m benchmarks

docs: $(STAMP)  ## write TROUBLESHOOTING.md, CHECKS.md, CAUSES.md and OPTIONS.md of docs/ anew from the program
	$(BIN)/python -m tests.docs.troubleshooting
	$(BIN)/python -m tests.docs.checks
	$(BIN)/python -m tests.docs.causes
	$(BIN)/python -m tests.docs.options

dist: $(BUILD)/.installed  ## every artifact, into dist/
	$(BUILD)/bin/python packaging/build.py "$(DIST)"

pins: $(BUILD)/.installed  ## packaging/requirements/ anew, with the newest versions that pyproject.toml allows
	$(BUILD)/bin/python packaging/pins.py

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

# Everything with its hash, the build backend too; then the checkout itself, which needs nothing more.
$(STAMP): pyproject.toml packaging/requirements/dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r packaging/requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

$(BUILD)/.installed: packaging/requirements/build.txt
	$(PYTHON) -m venv --clear $(BUILD)
	$(BUILD)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r packaging/requirements/build.txt
	touch $@
