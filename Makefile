# Countersign. `make help` lists what there is; everything is safe to repeat.

# A shared target directory outside the checkout is honoured when CARGO_TARGET_DIR is set.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help run demo test check bench bench-console chaos

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

run: ## Install what is missing, build, and serve the console on http://127.0.0.1:8080
	@scripts/install run
	@scripts/web deps build
	cargo run --release --locked -- serve --demo-estate $(ARGS)

demo: ## Show the loop on three real hosts, a real Prometheus and Alertmanager; ends by itself
	@scripts/install demo
	cargo run --release --locked -- demo $(ARGS)

test: ## Install what is missing, check the house rules, run every test
	@scripts/install test
	COUNTERSIGN_INSTALLS=1 cargo xtask ci

check: ## Format, house rules and lints alone
	cargo xtask check

bench: ## Measure, beside the comparisons, and write benches/REPORT.md
	@scripts/install bench
	benches/run

bench-console: ## Measure the console in a browser and write benches/CONSOLE.md
	@scripts/install test
	@scripts/web deps build figures

chaos: ## The long crash and race runs
	@scripts/install test
	before=$$(scripts/before) && COUNTERSIGN_CHAOS=1 COUNTERSIGN_BEFORE="$$before" \
	  cargo xtask test -p app -p act -p connect-ssh -p db -p prove
