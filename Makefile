# The two commands that matter are `make run` and `make test`.

CARGO ?= cargo
LISTEN ?= 127.0.0.1:7878
DATA ?= ./flowtrace-data

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what there is.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: run
run: web ## Build everything and start the server with the demo workflows and simulated models.
	$(CARGO) build --release --locked -p flowtrace
	./target/release/flowtrace serve --simulate --listen $(LISTEN) --data $(DATA)

.PHONY: test
test: setup lint web-check test-rust test-browser test-sdks ## Everything that CI checks.

.PHONY: quick
quick: ## The inner loop: the pure core and the engine, without the long simulation.
	FLOWTRACE_SIM_SCHEDULES=500 $(CARGO) test --locked -p flowtrace-core -p flowtrace-engine

.PHONY: setup
setup: ## Install what the tests need and the toolchains do not bring (a browser; asks for root only if it is missing).
	tools/setup.sh

.PHONY: lint
lint: ## Formatting, lints, licences.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	tools/licences.py

.PHONY: test-rust
test-rust: ## All Rust tests, with the crash tests against the real binary.
	$(CARGO) test --locked --workspace

# `npm install --no-save` keeps to the lock file as `npm ci` does, but does not mind when a registry lacks an optional package
# of some other platform.
.PHONY: web
web: ## Build the UI into web/dist, where the binary takes it from.
	cd web && npm install --no-save --no-audit --no-fund --silent && npm run build --silent

.PHONY: web-check
web-check: web ## Types, lints and unit tests of the UI.
	cd web && npm run check --silent

.PHONY: test-browser
test-browser: ## The journeys in a real browser, against the real binary.
	$(CARGO) build --locked -p flowtrace
	cd web && npm run e2e --silent

.PHONY: test-sdks
test-sdks: ## The SDKs that people have, from their registries, against the real binary (see tests/sdks).
	$(CARGO) build --locked -p flowtrace
	tests/sdks/run.py

.PHONY: demo-video
demo-video: setup web ## Record the two-minute demo in a real browser into docs/demo.webm.
	$(CARGO) build --locked -p flowtrace
	cd web && node scripts/demo-video.mjs ../docs/demo.webm

.PHONY: bench-build
bench-build:
	$(CARGO) build --profile fast --locked -p flowtrace -p flowtrace-bench-engine -p flowtrace-bench-ingest

.PHONY: bench
bench: bench-build ## The engine's figures (see bench/engine/README.md); PEERS=dir measures installed peers beside it.
	bench/engine/run.py $(if $(PEERS),--peers $(PEERS))

.PHONY: bench-ingest
bench-ingest: bench-build ## Spans in and found again, beside runs (see bench/ingest/README.md).
	dir=$$(mktemp -d) && target/fast/flowtrace-bench-ingest $$dir/data --spans 1000000 --runs 50; rm -r $$dir

.PHONY: bench-cache
bench-cache: bench-build ## What the cache saves, and how many runs survive failing providers (see bench/cache and bench/faults).
	bench/cache/run.py
	bench/faults/run.py
