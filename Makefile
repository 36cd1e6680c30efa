# What a person does with this repository. `make` alone lists it.

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
built := target/$(if $(TRIPLE),$(TRIPLE)/)release/$(program)

help: ## Lists what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## Runs the server with a simulated editor on http://127.0.0.1:8080
	cargo run --release -- demo

test: ## Passes all tests; installs what they need, says what it skips
	tests/run.sh

check: ## Formats, lints and types, without running anything
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && npm run check
	cd tests/vscode && ../../vscode-host/node_modules/.bin/biome check .
	cd benches && ../vscode-host/node_modules/.bin/biome check editor

# Which loads, and how often.
ONLY ?=
ROUNDS ?= 5

bench: ## Measures against the goals of benches/README.md (ONLY="burst mixed", ROUNDS=5)
	cargo build --release --locked --workspace
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && node esbuild.mjs --bench
	target/release/bench --rounds $(ROUNDS) $(ONLY)

package: ## Builds the extension for this machine into dist/ (TARGET=, TRIPLE= for another)
	cargo $(BUILD) --release --locked $(if $(TRIPLE),--target $(TRIPLE))
	rm -rf vscode-host/bin
	mkdir -p dist vscode-host/bin
	install -m 755 $(built) vscode-host/bin/$(program)
	cd vscode-host && npm ci --no-audit --no-fund --loglevel=error && npm run package -- --target $(TARGET) --out ../$(vsix)

install: package ## Builds the extension and installs it into your VS Code
	code --install-extension $(vsix) --force

protocol: ## Writes the TypeScript mirror of the bridge protocol anew
	UPDATE_PROTOCOL=1 cargo test --lib protocol

clean: ## Removes what was built
	rm -rf target dist vscode-host/out vscode-host/bin vscode-host/node_modules

.PHONY: help demo test check bench package install protocol clean
