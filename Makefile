# 清风 Qingfeng. `make` lists what there is.

.DEFAULT_GOAL := help
SHELL := /bin/bash
NPM := npm --no-audit --no-fund

.PHONY: help run test test-rust test-app soak lint format openapi bench app clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: app ## Start everything with a seeded demo township, and say where to click
	cargo build --workspace --bins
	"$${CARGO_TARGET_DIR:-target}/debug/qingfeng" run --demo

app: ## Build the residents' app (H5 page)
	@scripts/build-app

test: ## Install what the tests need and run all of them
	@scripts/install-test-needs
	@scripts/with-services $(MAKE) --no-print-directory test-rust
	@$(MAKE) --no-print-directory test-app

# Half of what a test does is waiting: more of them than there are processors.
test-rust:
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$(( 2 * $$(nproc) ))} cargo test --workspace

test-app:
	@scripts/test-app

soak: ## Attack anonymous surveys for hours: 120 boxes on each engine, weak leaks too
	cargo build --workspace --bins
	QINGFENG_LINKING_BOXES=120 scripts/with-services cargo test --workspace --test api -- linking killed

lint: ## Check format, clippy, dependencies, licences, spelling
	@scripts/install-lint-tools
	cargo fmt --check
	typos
	cargo machete
	scripts/check-dependencies
	cargo clippy --workspace --all-targets -- -D warnings
	scripts/check-house

format: ## Format the code
	cargo fmt

openapi: ## Write the API's description to openapi/openapi.json
	cargo run -q -- openapi > openapi/openapi.json

bench: ## Measure ratios (see benches/README.md)
	@scripts/with-services cargo run --release -p qingfeng-benches $$(pkg-config --exists openssl && echo --features openssl) -- run

clean: ## Remove what was built and the demo's data
	rm -rf target data data-cosigner data-witness app/dist app/node_modules
