# The commands of the house. `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

DATA ?= .assay/demo
LISTEN ?= 127.0.0.1:8080
OPS_LISTEN ?= 127.0.0.1:9090

PYTHON := target/python/bin/python

.PHONY: help run test faults lint fmt golden bench volume as-of outgrow postgres

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## build, prepare the demo case, serve it, say where to look and how to log in
	cargo build --locked -p assay
	./target/debug/assay demo --data-dir $(DATA)
	./target/debug/assay serve --data-dir $(DATA) --listen $(LISTEN) --ops-listen $(OPS_LISTEN) --log-format text

test: $(PYTHON) postgres ## everything: rules, contract suites on real engines, laws, HTTP, stories against the real binary, both verifiers
	cargo build --locked --workspace
	cargo test --locked --workspace

faults: postgres ## nodes and their log killed, paused and promoted under load, for many rounds (long; `make test` runs one)
	cargo build --locked --workspace
	ASSAY_FAULTS=long cargo test --locked -p assay-store-postgres --test failover -- --nocapture
	ASSAY_FAULTS=long cargo test --locked -p assay-tests --test faults -- --nocapture

postgres: # real servers for the tests, from Debian; no cluster of Debian's own is made
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || { \
		apt-get update -q && mkdir -p /etc/postgresql-common && \
		echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf && \
		apt-get install -qy --no-install-recommends postgresql; }

$(PYTHON): # the second verifier's only need beside Python itself
	command -v python3 >/dev/null || { apt-get update -q && apt-get install -qy python3 python3-venv; }
	python3 -m venv target/python || { apt-get update -q && apt-get install -qy python3-venv && python3 -m venv target/python; }
	target/python/bin/pip install --quiet 'cryptography>=44,<47'

lint: ## formatting, lints, documentation, what may come in, the domain alone
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo check --locked -p assay-domain
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --version '^0.18'
	cargo deny --locked check bans licenses sources

fmt: ## format everything
	cargo fmt --all

golden: ## write the reviewed files anew: policy, view coverage, OpenAPI; read the diff
	ASSAY_GOLDEN=write cargo test --locked --workspace -- the_policy_is the_committed_document every_fact_is_used

bench: ## performance as ratios to something measured in the same run (a few minutes)
	cargo build --locked --profile ci -p assay
	cargo run --locked --profile ci -p assay-tests --bin bench -- --assay ./target/ci/assay

volume: ## 100,000 generated reports: import, check, rebuild (a few minutes)
	cargo build --locked --profile ci -p assay
	cargo run --locked --profile ci -p assay-tests --bin volume -- --assay ./target/ci/assay

as-of: ## asking as of the past beside asking now, at 10^4 and 10^5 entries (SIZES=… for more)
	cargo build --locked --profile ci -p assay
	cargo run --locked --profile ci -p assay-tests --bin as_of -- --assay ./target/ci/assay $(if $(SIZES),--sizes $(SIZES))

outgrow: postgres ## a log on a real PostgreSQL at 10^5 and 10^6 entries: filling, a new node, lag, bytes, and what 10^8 takes (SIZES=… for more)
	cargo run --locked --profile ci -p assay-tests --bin outgrow -- --sizes $(if $(SIZES),$(SIZES),100000,1000000)
