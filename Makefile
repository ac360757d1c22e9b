# Two commands: `make up` serves a project, `make test` proves it. `make help` tells the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PROJECT ?=
PYTHON := .venv/bin/python
MACHINE := $(PYTHON) playbooks/vm/machine.py
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export LIGHTHOUSE_PROJECT := $(PROJECT)

.PHONY: help setup up test lint lock down clean

help: ## Tell what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: ## Install system packages and .venv; starts nothing
	@playbooks/setup

up: setup ## Install the appliance here, or in a virtual machine where this host cannot carry it (PROJECT=DIR)
	@playbooks/up

test: setup ## Lint, unit and integration tests, and the appliance in a virtual machine
	@playbooks/test

lint: setup ## The linters alone
	@playbooks/lint

lock: ## Resolve the dependencies anew and pin them by hash
	@playbooks/lock

down: ## Stop what `make up` started
	@playbooks/down

clean: ## Remove what `make up` and `make setup` made, caches included
	@playbooks/clean
