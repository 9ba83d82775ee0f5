# Everything a developer does. `make` lists the targets; each works on a machine with Python 3.11 or newer and make.

BIN := .venv/bin
FRESH := .venv/.fresh
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(if $(UPGRADE),--upgrade)
SECONDS :=
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak check format lint types layers contract migrations metrics fix protos docs baseline lock bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(FRESH) ## make .venv from the locked requirements, and fetch Kafka's jars
	@$(BIN)/python -m fucai.devstack.kafka prepare

# uv comes from the same lock as the rest, so that `sync` keeps it. PYTHON=... names an interpreter.
$(FRESH): requirements/uv.txt requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || { \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; python=; \
	  done; \
	  test -n "$$python" || { echo "no Python 3.11 or newer found; name one: make setup PYTHON=/path/to/python" >&2; exit 69; }; \
	  echo "making .venv with $$python"; \
	  $$python -m venv .venv; \
	}
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@echo "installing the locked requirements into .venv"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## start the stack, stream live sales and show them; SECONDS=60 ends by itself
	@$(BIN)/fucai demo $(if $(SECONDS),--seconds $(SECONDS))

test: setup ## run all tests in two processes; ARGS="-k growth" chooses, ARGS="-n 0" takes one
	@$(BIN)/python -m pytest -n 2 $(ARGS)

soak: setup ## all faults, mutations, random faults and simulated histories; takes half an hour; SECONDS=600 SEED=7
	@$(BIN)/python -m tests.faults $(ARGS)
	@$(BIN)/python -m tests.faults.mutations
	@$(BIN)/python -m tests.faults.random_faults --seconds $(or $(SECONDS),120) $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.simulation --seeds 20000
	@$(BIN)/python -m tests.simulation --canaries
	@$(BIN)/python -m pytest -m soak tests/e2e tests/integration

check: format lint types layers contract migrations metrics ## format, lint, types, layers, contract, migrations, docs: under a minute

format: $(FRESH)
	@$(BIN)/ruff format --check --quiet .

lint: $(FRESH)
	@$(BIN)/ruff check --quiet .

types: $(FRESH)
	@$(BIN)/mypy

layers: $(FRESH)
	@$(BIN)/lint-imports --no-logo --no-cache

contract: $(FRESH)
	@$(BIN)/buf lint
	@test -f protos/baseline.binpb || { echo "protos/baseline.binpb is missing: make baseline" >&2; exit 65; }
	@$(BIN)/buf breaking --against protos/baseline.binpb
	@$(BIN)/python tools/contract.py check

migrations: $(FRESH)
	@$(BIN)/python tools/migrations.py check

metrics: $(FRESH)
	@$(BIN)/python tools/metrics.py check

fix: $(FRESH) ## format and repair what ruff can repair
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

protos: $(FRESH) ## generate services/fucai/v1 from protos/
	@$(BIN)/python tools/contract.py generate

docs: $(FRESH) ## generate docs/metrics.md from the code
	@$(BIN)/python tools/metrics.py generate

baseline: $(FRESH) ## at a release: record the contract and the migrations that may no longer change
	@$(BIN)/buf build --output protos/baseline.binpb
	@$(BIN)/python tools/migrations.py release

lock: $(FRESH) ## renew requirements/ from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(LOCK) pyproject.toml --extra local --extra columnar --group dev --output-file requirements/dev.txt
	@$(LOCK) pyproject.toml --constraint requirements/dev.txt --output-file requirements/runtime.txt
	@echo chdb==4.0.2 | $(LOCK) - --output-file requirements/bench.txt
	@echo uv | $(LOCK) - --constraint requirements/dev.txt --output-file requirements/uv.txt

# ClickHouse's own Kafka engine is measured in an older chDB, in an environment of its own: the suite's refuses it.
.venv-bench/.fresh: requirements/bench.txt $(FRESH)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-bench
	@$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	@touch $@

bench: setup .venv-bench/.fresh ## measure throughput against the plain ways, and print the table
	@$(BIN)/python -m tests.bench $(ARGS)

clean: ## remove caches, builds and the demo's data; .venv stays
	@rm -rf .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache __cache__ build dist
	@find services tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
