# POR Desk: `make help` lists what can be done. ARGS="..." is passed on: make bench ARGS="--requests 200".

.DEFAULT_GOAL := help
.PHONY: help setup demo run check test chaos mutants bench env clean

# A runner ends, in order, when make is killed. One plain command each, so that make itself is the runner's parent.
RUN := setpriv --pdeathsig TERM -- .venv/bin/

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages (as root) and .venv from uv.lock.
	@sh ops/setup.sh

demo: setup ## Start everything, follow one letter to its ticket and its mails, stop everything.
	@$(RUN)pordesk demo $(ARGS)

run: setup ## Keep the stack and the services up until Ctrl-C.
	@$(RUN)pordesk run $(ARGS)

check: setup ## Lint, formatting, types, and who may import whom.
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)mypy
	@$(RUN)lint-imports

test: ## Run all tests, on real servers and in a real browser.
	@sh ops/setup.sh tests
	@$(RUN)pytest -n 2 --dist loadfile $(ARGS)

chaos: setup ## Break every part under load and compare each promise with what is there.
	@$(RUN)python -m tests.chaos $(ARGS)

mutants: setup ## Take out each guard in turn and see that a test notices.
	@$(RUN)python -m tests.mutants $(ARGS)

bench: setup ## Measure throughput, latency and cost per ticket.
	@$(RUN)pordesk bench $(ARGS)

env: setup ## Write .env and a development key for docker compose.
	@$(RUN)python -m deploy.make_env

clean: ## Remove what was installed and made in this folder: .local and .venv.
	@rm -rf .local .venv
