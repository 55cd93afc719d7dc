# Nightbell. `make help` says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 8080
SIMULATOR_PORT ?= 8787
ROUNDS ?= 10
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help run night mail test check lint types format bench thorough storm burst fuzz browser openapi lock clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## Start everything on this machine, with a simulated telephone company and post office
	@PORT=$(PORT) SIMULATOR_PORT=$(SIMULATOR_PORT) exec $(BIN)/nightbell run

night: $(VENV)/.run ## Play the night call against what `make run` started (AUDIO=file.wav for your own voicemail)
	@$(BIN)/python -m simulator.night --simulator http://127.0.0.1:$(SIMULATOR_PORT) $(if $(AUDIO),--audio "$(AUDIO)")

mail: $(VENV)/.run ## Play the story of a mail against what `make run` started (URGENT=1: at night, and it cannot wait)
	@$(BIN)/python -m simulator.mail.story --simulator http://127.0.0.1:$(SIMULATOR_PORT) $(if $(URGENT),--urgent)

test: $(VENV)/.dev ## Run the tests (DATABASE_URL=postgresql://... to run them on PostgreSQL too)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: lint types test ## Everything that must hold before a change is done

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure, side by side, and print ratios and the machine
	$(BIN)/python -m bench

thorough: $(VENV)/.dev ## Run every test on each database (DATABASE_URL=postgresql://...), also where they cannot differ
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --thorough

storm: $(VENV)/.dev ## Open a thousand cases in a minute, on each database (two hundred are in the tests)
	CASES_IN_STORM=1000 $(BIN)/python -m pytest -q -n 0 --thorough tests/stories/test_an_alert_storm.py -k storm_of_cases

burst: $(VENV)/.dev ## Take in 10,000 mails at once, each as one case (minutes; a hundred of them are in the tests)
	MAILS_IN_BURST=10000 $(BIN)/python -m pytest -q -n 0 tests/test_mail_process.py -k burst

fuzz: $(VENV)/.dev ## Try the properties with examples that nobody has tried yet (ROUNDS=10 times, minutes)
	for round in $$(seq $(ROUNDS)); do HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q -n 2 -m hypothesis || exit 1; done

browser: $(VENV)/.dev ## Try the pages of the simulator in a real browser (needs chromium)
	$(BIN)/pip install -q --require-hashes -r requirements-browser.lock
	NIGHTBELL_BROWSER_TESTS=1 $(BIN)/python -m pytest -q tests/browser

openapi: $(VENV)/.dev ## Check the simulator against Twilio's own specification (needs Node)
	tests/simulator/openapi/install.sh build/prism
	$(BIN)/python -m pytest -q tests/simulator/test_it_against_twilios_openapi.py

lock: ## Pin the dependencies again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q pyproject.toml --extra dev -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q pyproject.toml -c requirements-dev.lock -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q pyproject.toml --extra browser -c requirements-dev.lock -o requirements-browser.lock

clean: ## Remove what was built; the data folder stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Nightbell needs Python 3.11 or newer; install it, or name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make $(VENV) here; make the folder writable (on Debian also: apt install python3-venv)"; exit 1; }

$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "installing what Nightbell needs into $(VENV) ..."
	@$(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@touch $@
