# The commands of this repository; `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash

# The platform as VS Code names it: linux-x64, darwin-arm64 ...
system := $(shell uname -s | tr A-Z a-z)
machine := $(subst x86_64,x64,$(subst aarch64,arm64,$(shell uname -m)))
TARGET ?= $(system)-$(machine)
vsix := dist/copilot-proxy-$(TARGET).vsix

# What Rust calls it; empty for this machine's own. BUILD may be a cross-compiler's: BUILD=zigbuild.
TRIPLE ?=
BUILD ?= build
program := copilot-proxy$(if $(filter win32-%,$(TARGET)),.exe)
built := target/$(if $(TRIPLE),$(TRIPLE)/)dist/$(program)

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## Run the server with a simulated editor on http://127.0.0.1:8080
	cargo run --release -- demo

test: ## Run all tests; installs what they need, names what it skips
	tests/run.sh

check: ## Check formatting, lints, types and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && npm run check
	cd tests/vscode && ../../vscode-host/node_modules/.bin/biome check .
	cd benches && ../vscode-host/node_modules/.bin/biome check editor
	cd tests/soak && ../../vscode-host/node_modules/.bin/biome check editor.ts

# Which loads, and how often.
ONLY ?=
ROUNDS ?= 5

bench: ## Measure against the goals of benches/README.md (ONLY="burst mixed", ROUNDS=5)
	@began=$$(date +%s); cargo build --profile dist --locked --workspace; \
		echo "build of the dist profile: $$(($$(date +%s) - began)) s (0 where nothing changed)"; \
		echo "program size: $$(stat -c %s target/dist/copilot-proxy 2>/dev/null || stat -f %z target/dist/copilot-proxy) bytes"
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && node esbuild.mjs --bench
	target/dist/bench --rounds $(ROUNDS) $(ONLY) $(if $(DOCUMENT),--document $(DOCUMENT))

performance: ## Measure everything and how it grows; writes docs/performance.md and docs/growth/
	$(MAKE) bench DOCUMENT=docs/performance.md
	target/dist/bench --growth docs/growth

pictures: ## Make the pictures of docs/images from the packaged extension in a real VS Code
	tests/vscode/pictures.sh $(wildcard $(vsix))

bench-peers: ## Measure nginx and LiteLLM beside; writes docs/peers.md
	cargo build --profile dist --locked --workspace
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && node esbuild.mjs --bench
	command -v nginx >/dev/null || apt-get install -y -qq nginx-light
	[ -x target/peers/bin/litellm ] || \
		{ python3 -m venv target/peers && target/peers/bin/pip install --quiet 'litellm[proxy]==1.108.7'; }
	target/dist/bench --peers docs/peers.md --rounds $(ROUNDS) --litellm target/peers/bin/litellm

# How long, and which random choices.
MINUTES ?=
SECONDS ?= $(if $(MINUTES),$(MINUTES)*60,1800)
SEED ?=

soak: ## Load the real extension for half an hour with random kills (MINUTES=30); writes docs/soak.md
	cargo build --release --locked
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && node esbuild.mjs --soak
	python3 tests/soak/soak.py --server target/release/copilot-proxy --seconds $$(($(SECONDS))) \
		--report docs/soak.md $(if $(SEED),--seed $(SEED))

fuzz_targets := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))

# Coverage is all that is wanted of the compiler: there is no unsafe code for a sanitizer to watch, so that the stable
# compiler will do. What libFuzzer finds is kept in fuzz/artifacts.
fuzz: ## Fuzz each target of fuzz/ for a minute (MINUTES=1, ONLY=transcript; needs cargo-fuzz and g++)
	set -e; for target in $(or $(ONLY),$(fuzz_targets)); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target -- \
			-max_total_time=$$(($(or $(MINUTES),1)*60)) -max_len=4096 -timeout=10 -rss_limit_mb=1024; \
	done

package: ## Build the extension for this machine into dist/ (TARGET=, TRIPLE= for another)
	cargo $(BUILD) --profile dist --locked $(if $(TRIPLE),--target $(TRIPLE))
	rm -rf vscode-host/bin
	mkdir -p dist vscode-host/bin
	install -m 755 $(built) vscode-host/bin/$(program)
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && npm run package -- --target $(TARGET) --out ../$(vsix)

install: package ## Build the extension and install it into your VS Code
	code --install-extension $(vsix) --force

deny: ## Check licences, sources and known vulnerabilities of all dependencies (needs cargo-deny and the network)
	cargo deny --locked check
	cd vscode-host && npm audit --omit=dev

protocol: ## Regenerate the TypeScript mirror of the bridge protocol
	UPDATE_PROTOCOL=1 cargo test --lib mirror

clean: ## Remove everything that was built
	rm -rf target dist vscode-host/out vscode-host/bin vscode-host/node_modules

.PHONY: help demo test check bench performance bench-peers pictures soak fuzz package install deny protocol clean
