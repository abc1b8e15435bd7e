# make run   sets everything up on a fresh Linux or macOS machine and starts the lab
# make test  sets everything up and runs the tests
# make check runs the lint, format and type checks

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: run test test-engine test-gui check format benchmarks clean

run: $(VENV)/.run-ready
	$(BIN)/python main.py $(ARGS)

test: test-engine test-gui

# The engine's tests run with Qt switched off, so nothing in there can lean on it.
test-engine: $(VENV)/.dev-ready
	$(PYTEST) tests/engine -p no:pytest-qt -p tests.without_qt $(PYTEST_ARGS)

test-gui: $(VENV)/.dev-ready
	QT_QPA_PLATFORM=$${QT_QPA_PLATFORM:-offscreen} $(PYTEST) tests/gui tests/house $(PYTEST_ARGS)

check: $(VENV)/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(VENV)/.dev-ready
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	sh scripts/make_venv.sh $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/python requirements.txt constraints.txt scripts/system_libraries.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python scripts/system_libraries.py
	@touch $@

$(VENV)/.dev-ready: $(VENV)/.run-ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
