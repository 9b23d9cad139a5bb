# Everything a user needs: `make demo` and `make test` set up what they need on their own.
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
RUN     ?= runs/jets
TARGET  ?= ecp5
JOBS    ?= 2
MINUTES ?= 10
COUNT   ?= 4000
PIP     := $(BIN)/python -m pip --disable-pip-version-check install -q
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz lint types bench bench-minimize zoo golden doctor icarus clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/flow: pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (about a minute) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e '.[flow]'
	@touch $@

$(VENV)/dev: $(VENV)/flow
	@echo "Adding what training and tests need ..."
	$(PIP) -c constraints.txt -e '.[flow,train,dev]'
	@touch $@

demo: $(VENV)/flow ## Compile, verify, synthesize, place and route a jet tagger of the zoo
	$(BIN)/nnlogic compile zoo/jets_m.safetensors -o $(RUN) --rows examples/jets/rows.npz --target $(TARGET) --levels-per-stage 3 --force >/dev/null
	$(BIN)/nnlogic verify $(RUN) >/dev/null
	$(BIN)/nnlogic synth $(RUN) --primitives >/dev/null
	$(BIN)/nnlogic report $(RUN)
	@echo "Report: $(RUN)/report.html"

icarus: $(VENV)/flow ## Make sure Icarus Verilog is there (installs it below .tools without root on Debian)
	@PYTHON=$(BIN)/python sh .ci/icarus

test: $(VENV)/dev icarus ## Set up and run all tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --durations=15

fuzz: $(VENV)/dev ## Random networks for MINUTES, then COUNT broken files: MINUTES=60 COUNT=9 SEED=1
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.fuzz files --count $(COUNT) $(if $(SEED),--seed $(SEED))

lint: $(VENV)/dev ## Lint and check formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## Type-check the package as installed
	@rm -rf build/typed
	$(PIP) --no-deps --target build/typed .
	cd build/typed && MYPYPATH=. $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml -p nnlogic

bench: $(VENV)/dev ## Print the measures of README (minutes)
	$(BIN)/python benchmarks/spine.py

bench-minimize: $(VENV)/dev ## Measure the minimizer against other flows: IWLS=DIR PEERS=DIR (an hour)
	$(BIN)/python -m benchmarks.minimize --effort normal --jobs $(JOBS) $(if $(IWLS),--iwls $(IWLS)) $(if $(PEERS),--peers $(PEERS))
	$(BIN)/python -m benchmarks.minimize.scaling

zoo: $(VENV)/dev ## Measure the checkpoints in zoo/: ZOO_DATA=DIR with the data sets (an hour or more)
	$(BIN)/python -m benchmarks.zoo --jobs $(JOBS) $(if $(ZOO_DATA),--data $(ZOO_DATA))

golden: $(VENV)/dev ## Rewrite golden files; review the diff
	NNLOGIC_GOLDEN=write $(BIN)/python -m pytest tests -k golden

doctor: $(VENV)/flow ## List the tools nnlogic found
	$(BIN)/nnlogic doctor

clean: ## Remove what was built, downloaded or run
	rm -rf $(VENV) .tools build runs *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
