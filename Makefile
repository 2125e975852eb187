# Targets of the project; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Everything runs from the environment that `make env` makes, and in a locale that Ansible accepts.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.venv/collections
export LC_ALL := C.UTF-8

# Another lab than that of lab/inventory.yml: `make lab ZONES=3 SUITES="az2=trixie az3=trixie"`, then the same with `make site`.
ZONES ?= 2
SUITES ?=
LAB := --zones $(ZONES) $(foreach suite,$(SUITES),--suite $(suite))
LAB_INVENTORY := $(or $(OVN_IC_LAB_DIR),/var/lib/ovn-interconnect-lab)/inventory.yml
INVENTORY ?= $(if $(filter-out 2,$(ZONES))$(SUITES),$(LAB_INVENTORY),lab/inventory.yml)
HISTORIES ?= 100
SCENARIOS ?= $(notdir $(patsubst %/molecule.yml,%,$(wildcard extensions/molecule/*/molecule.yml)))
# The generation of OVN that the functional tests run beside that of this machine's packages.
NEWER_SUITE := trixie
# The newest generation, for the differential and integration tests: not run, and said so, where its suite cannot be had.
NEWEST_SUITE := experimental
SITE := ansible-playbook -i "$(INVENTORY)" playbooks/site.yml

.PHONY: help env lab lab-up site lab-down test lint unit functional differential sanity integration molecule compatibility docs soak bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' "$(firstword $(MAKEFILE_LIST))"

env: ## Install what the project needs: Debian packages, Python packages (needs root once)
	@scripts/bootstrap.sh

lab: lab-up ## Two OVN zones on this machine, interconnected, with a ping across (needs root)
	@$(SITE)
	@lab/hosts.py verify

lab-up: env ## Only the two zones, not interconnected yet
	@lab/hosts.py build-lab $(LAB)
	@if [ "$(INVENTORY)" = "$(LAB_INVENTORY)" ]; then lab/hosts.py inventory $(LAB) --output "$(INVENTORY)"; fi
	@ansible-playbook -i "$(INVENTORY)" playbooks/lab.yml

site: env ## Run the main play again over the standing lab (ARGS='--check --diff' only shows)
	@$(SITE) $(ARGS)

lab-down: env ## Remove the lab; packages, environment and caches stay
	@lab/hosts.py down --all

test: ## Every check of the project
	@scripts/test.sh

lint: env ## Linters, types, and checks of the project's own files
	@scripts/lint.sh

unit: env ## Tests of the pure rules, without a server
	@pytest tests/unit $(ARGS)

functional: env ## Tests against real OVSDB servers and ovn-northd
	@lab/hosts.py path $(NEWER_SUITE) ovn >/dev/null 2>&1 || lab/hosts.py build $(NEWER_SUITE) ovn
	@pytest tests/functional $(ARGS)

differential: env ## The same histories under this daemon and upstream's of three generations
	@lab/hosts.py path $(NEWER_SUITE) ovn >/dev/null 2>&1 || lab/hosts.py build $(NEWER_SUITE) ovn
	@lab/hosts.py path $(NEWEST_SUITE) ovn >/dev/null 2>&1 || lab/hosts.py build $(NEWEST_SUITE) ovn || echo "$(NEWEST_SUITE) cannot be had"
	@pytest tests/differential -n 2 --dist loadgroup $(ARGS)

sanity: env ## ansible-test sanity
	@scripts/sanity.sh

integration: env ## Each module from a play, against real OVSDB servers
	@lab/hosts.py path $(NEWEST_SUITE) ovn >/dev/null 2>&1 || lab/hosts.py build $(NEWEST_SUITE) ovn \
	    || echo "no packages of $(NEWEST_SUITE): the tests that need its schemas are told as not run"
	@pytest tests/integration --numprocesses 2 $(ARGS)

molecule: env ## The scenarios on real hosts (needs root; SCENARIOS="raft_tls" for some, OLDEST=1 by the oldest Ansible that is supported)
	@$(if $(OLDEST),PATH="$(CURDIR)/.venv/oldest/bin:$$PATH") scripts/molecule.sh $(SCENARIOS)

compatibility: ## The shipped code under another Python and ansible-core, without Debian packages (PYTHON=python3.12 ANSIBLE=2.20)
	@scripts/compatibility.sh "$(PYTHON)" "$(ANSIBLE)"

docs: env ## The documentation as HTML, with the reference of modules and roles, into .cache/docs
	@scripts/docs.sh

soak: env ## Random histories with new seeds (HISTORIES=100)
	@SOAK=$(HISTORIES) pytest tests/unit $(ARGS)
	@SOAK=$$(($(HISTORIES) / 20 + 1)) pytest tests/functional/test_faults.py tests/functional/test_clusters.py $(ARGS)
	@SOAK=$(HISTORIES) $(MAKE) --no-print-directory differential

bench: env ## Measure this daemon and upstream's side by side, write docs/performance.md (ARGS='--quick', '--only 1x1000', '--help')
	@PYTHONPATH="$(ANSIBLE_COLLECTIONS_PATH)" python -m ansible_collections.ovn.interconnect.benchmarks $(ARGS)

clean: ## Remove caches of the tools and the environment (not the lab's: see lab-down)
	@rm -rf .venv .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
