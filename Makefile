# Everything that builds, runs and checks the project. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv/bin
UV := $(VENV)/uv
SAM := .local/venv-sam/bin/sam
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1
unexport MAKEFLAGS

.DEFAULT_GOAL := help
.PHONY: help setup environments chromium build up down status demo test unit lint format bench soak invoke events schemas picture validate lock release clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

# --- the three environments: what develops (.venv), the local stack, the deploying tools; quick when their lists are unchanged

setup: environments chromium ## install everything that the other targets need

environments: .venv/.ready .local/venv-emulator/.ready .local/venv-sam/.ready

.venv/.ready: requirements/dev.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.13 ...")'
	@echo "setup 1/3: the Python that develops and tests (.venv)"
	@test -x $(VENV)/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(VENV)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(UV) pip sync --quiet --require-hashes --python $(VENV)/python requirements/dev.txt
	@echo "$(CURDIR)/layers/proca_common" > "$$($(VENV)/python -c 'import site; print(site.getsitepackages()[0])')/proca_common.pth"
	@touch $@

.local/venv-emulator/.ready: requirements/emulator.txt | .venv/.ready
	@echo "setup 2/3: the local stack"
	@$(UV) venv --quiet --allow-existing --python $(VENV)/python .local/venv-emulator
	@$(UV) pip sync --quiet --require-hashes --python .local/venv-emulator/bin/python requirements/emulator.txt
	@touch $@

.local/venv-sam/.ready: requirements/sam.txt | .venv/.ready
	@echo "setup 3/3: the deploying tools"
	@$(UV) venv --quiet --allow-existing --python $(VENV)/python .local/venv-sam
	@$(UV) pip sync --quiet --require-hashes --python .local/venv-sam/bin/python requirements/sam.txt
	@touch $@

chromium: .venv/.ready
	@$(VENV)/python -m tools.chromium

# --- running it here

build: environments ## build functions and layer as `make up` does, for `sam deploy --config-env local`
	@LAYER_TARGET=local $(SAM) build --config-env local

up: environments ## start the local stack and deploy the template to it; again after a change
	@$(VENV)/python -m tools.stack up

down: .venv/.ready ## stop the local stack; what it held is gone
	@$(VENV)/python -m tools.stack down

status: .venv/.ready ## say whether the local stack runs, and where
	@$(VENV)/python -m tools.stack status || true

demo: environments ## sign petitions, poll the orgs' queues, decrypt, and show who received what and why
	@$(VENV)/python -m tools.demo

invoke: environments ## run one event through the built function, without Docker: make invoke EVENT=events/get_page.json
	@$(VENV)/python -m tools.invoke $(EVENT)

# --- checking it

test: setup ## all tests: unit, integration, and end to end on a local stack of their own
	@$(VENV)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

unit: .venv/.ready ## the tests that need no local stack
	@$(VENV)/python -m pytest tests/unit

lint: environments validate ## ruff, mypy, cfn-lint
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check
	@$(VENV)/mypy

format: .venv/.ready ## put the code into its form
	@$(VENV)/ruff check --fix-only --quiet
	@$(VENV)/ruff format

validate: .local/venv-sam/.ready ## check the template
	@AWS_DEFAULT_REGION=eu-central-1 $(SAM) validate --lint

bench: environments ## measure costs and delays against their budgets
	@$(VENV)/python -m tools.bench

soak: setup ## the tests that take long, with their figures
	@$(VENV)/python -m pytest -m soak -s --timeout 3600

# --- making what is committed but not written by hand

events: environments ## record one real event per function from the local stack
	@$(VENV)/python -m tools.capture_events

schemas: .venv/.ready ## schemas of messages and API, from the models
	@$(VENV)/python -m tools.schemas

picture: .venv/.ready ## the picture of mails to targets in docs, from a simulated campaign
	@$(VENV)/python -m tools.pacing

lock: .venv/.ready ## renew the locked lists of dependencies from their .in files
	@for list in requirements/uv requirements/dev requirements/emulator requirements/sam layers/proca_common/requirements; do \
		echo "locking $$list.txt"; \
		$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header $$list.in -o $$list.txt || exit 1; \
	done

release: environments ## deploy to AWS: make release ENV=dev|prod; refuses a layer without bytecode
	@test -n "$(ENV)" || { echo "Name the environment: make release ENV=dev (or prod)"; exit 1; }
	@LAYER_BYTECODE=required $(SAM) build --config-env $(ENV)
	@$(SAM) deploy --config-env $(ENV)

clean: down ## remove everything that was made here
	@rm -rf .local .aws-sam .venv
