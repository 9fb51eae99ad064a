# Two commands: `make demo` runs the main job on real data, `make test` passes the tests. Both build .venv first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STUDY ?= experiments/early_reading_support
WORKSPACE ?= work
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile

.PHONY: demo test check full cards site bench lock wheelhouse offline sbom audit-dependencies clean

demo: $(VENV)/.ready
	$(BIN)/python -m riskmodels demo --study $(STUDY) --workspace $(WORKSPACE)/demo

# A file of tests is one worker's, so that what it makes once is made once.
test: $(VENV)/.ready
	$(BIN)/python -m pytest -q $(WORKERS)

check: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy riskmodels supply_chain
	$(BIN)/python -m pytest -q $(WORKERS)

# Every test, the slow ones included, and the simulations in full; what came out is kept under the day's date.
full: $(VENV)/.ready
	@mkdir -p $(WORKSPACE)
	set -o pipefail; kept=$(WORKSPACE)/full-$$(date +%Y-%m-%d); \
	  $(BIN)/python -m pytest -q -m "slow or not slow" --full $$kept-simulations.md | tee $$kept.txt

# The committed cards, made anew: a draft of each shipped study, as nobody has reviewed it.
SHIPPED := early_reading_support county_early_help heart_health_checks school_reading_specialist
cards: $(VENV)/.ready
	for study in $(SHIPPED); do \
	  $(BIN)/python -m riskmodels run experiments/$$study --workspace $(WORKSPACE)/cards && \
	  mkdir -p model_cards/$$study && \
	  cp $(WORKSPACE)/cards/runs/$$study/$$(ls -t $(WORKSPACE)/cards/runs/$$study | head -1)/card/* model_cards/$$study/ && \
	  chmod 644 model_cards/$$study/* || exit 1; \
	done
	$(BIN)/python -m riskmodels card schema --output model_cards/schema.json

# The public register of the shipped cards, for a look in a browser.
site: $(VENV)/.ready
	$(BIN)/python -m riskmodels site model_cards --output $(WORKSPACE)/site

# Our speed beside that of named peers: CPU seconds as ratios, written to benchmarks/results.md.
bench: $(VENV)/.ready
	$(BIN)/python benchmarks/run_all.py

# Refreshing the lock is the only thing that needs uv.
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
lock:
	uv pip compile pyproject.toml --extra examples --extra dev --extra databases --extra explainable $(LOCK) -o requirements.txt
	uv pip compile pyproject.toml --extra spark -c requirements.txt $(LOCK) -o requirements-spark.txt
	uv pip compile pyproject.toml --extra pdf -c requirements.txt $(LOCK) -o requirements-pdf.txt
	uv pip compile pyproject.toml --extra security -c requirements.txt $(LOCK) -o requirements-security.txt

# What a machine without a network needs, wheels only. For another machine: SYSTEM=windows PYTHON_VERSION=3.12.
WHEELHOUSE ?= wheelhouse
wheelhouse: $(VENV)/.ready
	$(BIN)/python -m supply_chain wheelhouse --to $(WHEELHOUSE) $(if $(SYSTEM),--system $(SYSTEM)) $(if $(PYTHON_VERSION),--python $(PYTHON_VERSION))

# docs/offline.md, done: a fresh environment from the wheelhouse alone, then the demo, both with the network off.
OFFLINE ?= $(WORKSPACE)/offline
offline:
	@unshare -rn true || { echo "offline: this machine cannot switch the network off for one command (unshare -rn)"; exit 7; }
	rm -rf $(OFFLINE)
	cd $(WHEELHOUSE) && sha256sum --check --strict --quiet SHA256SUMS
	$(PYTHON) -m venv $(OFFLINE)/venv
	unshare -rn $(OFFLINE)/venv/bin/python -m pip install --isolated --no-index --find-links $(WHEELHOUSE) \
	  --only-binary :all: --require-hashes --quiet --disable-pip-version-check -r $(WHEELHOUSE)/requirements.txt
	unshare -rn $(OFFLINE)/venv/bin/python -m riskmodels demo --workspace $(OFFLINE)/work

# A bill of materials (CycloneDX), and what is known against what we install. Both read all the locks.
LOCKS := requirements.txt requirements-pdf.txt requirements-spark.txt requirements-security.txt
sbom: $(VENV)/.secured
	$(BIN)/python -m supply_chain sbom $(LOCKS) --output dist/riskmodels.cdx.json

audit-dependencies: $(VENV)/.secured
	$(BIN)/python -m supply_chain audit $(LOCKS)

$(VENV)/.secured: $(VENV)/.ready requirements-security.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-security.txt
	@touch $@

$(VENV)/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "riskmodels needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Building $(VENV) from the locked requirements: a few minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "from riskmodels.models.fast_trees import warm; warm()"
	@touch $@

clean:
	rm -rf $(VENV) $(WORKSPACE)
