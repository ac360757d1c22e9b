# Two commands: `make up` serves a project, `make test` proves it. `make help` tells the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PROJECT ?=
ONLY ?=
QUICK ?=
ROUNDS ?=
SAVES ?=
PUBLISH ?=
PYTHON := .venv/bin/python
MACHINE := $(PYTHON) playbooks/vm/machine.py
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export LIGHTHOUSE_PROJECT := $(PROJECT)
export LIGHTHOUSE_BENCH_ONLY := $(ONLY)
export LIGHTHOUSE_BENCH_QUICK := $(QUICK)
export LIGHTHOUSE_BENCH_ROUNDS := $(ROUNDS)
export LIGHTHOUSE_BENCH_SAVES := $(SAVES)
export LIGHTHOUSE_BENCH_CORPUS := $(CORPUS)
export LIGHTHOUSE_BENCH_PUBLISH := $(PUBLISH)

.PHONY: help setup up test bench soak lint lock down clean

help: ## Tell what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: ## Install system packages and .venv; starts nothing
	@playbooks/setup

up: setup ## Install the appliance here, or in a virtual machine where this host cannot carry it (PROJECT=DIR)
	@playbooks/up

test: setup ## Lint, unit and integration tests, and the appliance in a virtual machine
	@playbooks/test

bench: setup ## Measure against native, bindfs, plain pyfuse3, SQLite and aiohttp (ONLY=judge,append QUICK=1 ROUNDS=3; PUBLISH=1: docs/bench.md)
	@playbooks/bench

soak: setup ## The tests with large counts and long runs
	@playbooks/soak

lint: setup ## The linters alone
	@playbooks/lint

lock: ## Resolve the dependencies anew and pin them by hash
	@playbooks/lock

down: ## Stop what `make up` started
	@playbooks/down

clean: ## Remove what `make up` and `make setup` made, caches included
	@playbooks/clean
