# Everything a developer runs. Needed: Rust, Python 3.11 or newer, a C compiler; no Docker, no AWS account.
# The network is needed once, for crates and tools; later runs do without.

# What the functions' folders are called is what their binaries are called.
FUNCTIONS := $(notdir $(wildcard functions/*))

# Finds the SAM CLI, cargo-lambda and cfn-lint as pinned in tools/sam.txt before any that are installed elsewhere.
PINNED := PATH='$(CURDIR)/.tools/sam/bin':"$$PATH" SAM_CLI_TELEMETRY=0

.DEFAULT_GOAL := help
.PHONY: help tools build release optimised lint check audit docs unit test mutate simulate demo demo-without-organization cloud bench clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

tools: .tools/sam/installed .tools/ministack/installed .tools/aws/installed ## Install the pinned tools into .tools (no-op when up to date)

.tools/sam/installed: tools/sam.txt tools/install
	tools/install $< $(@D)
	touch $@

.tools/aws/installed: tools/aws.txt tools/install
	tools/install $< $(@D)
	touch $@

# The program `ministack` of that environment is MiniStack as tools/local_aws.py completes it.
.tools/ministack/installed: tools/ministack.txt tools/install
	tools/install $< $(@D)
	printf '#!/bin/sh\nexec "%s/python" "%s" "$$@"\n' '$(CURDIR)/$(@D)/bin' '$(CURDIR)/tools/local_aws.py' > $(@D)/bin/ministack
	touch $@

# Compiled from source, which takes minutes: only what asks for it installs it.
.tools/cargo/installed: tools/cargo.txt
	cargo install --quiet --locked --root $(@D) $$(grep -v '^#' $<)
	touch $@

# Where nothing is built twice, what a next build could reuse only costs time and gigabytes; and what is built is linted, so
# that dependencies are not compiled once more for `cargo clippy`.
ifdef CI
export CARGO_INCREMENTAL := 0
export RUSTC_WORKSPACE_WRAPPER := $(CURDIR)/tools/clippy-rustc
else
CLIPPY := cargo clippy --workspace --all-targets -- -D warnings
endif

DEBUG := $(or $(CARGO_TARGET_DIR),target)/debug

# The functions of the local cloud are those that the tests are built with: the SDK crates, which dominate every build, are
# compiled once. `--all-targets` keeps the set of their features the same, too.
build: tools ## Build everything, with the functions and the template for the local cloud
	cargo build --workspace --all-targets
	.tools/sam/bin/python tools/stage.py $(DEBUG)

release: optimised .tools/cargo/installed ## Build the same, optimised as for AWS, and say in target/sbom what is in it
	PATH='$(CURDIR)/.tools/cargo/bin':"$$PATH" tools/sbom target/sbom $(FUNCTIONS)

# One run of Cargo builds all functions side by side; SAM would build one after the other, and so has only to copy.
optimised: tools
	$(PINNED) cargo lambda build --release $(addprefix --bin ,$(FUNCTIONS))
	$(PINNED) sam build --config-env local

lint: tools ## Check format, lints and the template
	cargo fmt --all --check
	$(CLIPPY)
	$(PINNED) cfn-lint template.yaml stacks/*.yaml
	$(PINNED) sam validate --lint

CARGO_DENY := .tools/cargo/bin/cargo-deny --log-level error

check: lint .tools/cargo/installed ## Check the same, and the licences and sources of all dependencies
	$(CARGO_DENY) check bans licenses sources

audit: .tools/cargo/installed ## Ask the RustSec database for advisories about the dependencies; needs the network
	$(CARGO_DENY) check advisories

docs: ## Write the generated pages in docs anew
	cargo build --quiet --workspace --examples
	$(DEBUG)/examples/generate-docs
	$(DEBUG)/examples/generate-schema
	$(DEBUG)/examples/generate-events

unit: ## Run the tests that need no local cloud
	cargo test --workspace --lib

# Flows wait more than they compute: six at a time use what two leave idle.
test: lint build ## Check and test everything, on a local cloud
	report/tests/setup
	RUST_TEST_THREADS=6 cargo test --workspace --tests

PAYLOADS := 100000

mutate: ## Give every function broken and hostile payloads; PAYLOADS=1000000 for more
	cargo run --quiet --package mutations -- $(PAYLOADS)

# Optimised as little as makes a difference: what the functions weigh does not matter here.
simulate: ## Play SEEDS=1000 runs in virtual time, with faults
	cargo run --profile simulation --package simulation -- --seeds $(or $(SEEDS),1000) --from $(or $(FROM),1)

demo: build ## Watch an account being created, in a local cloud
	$(DEBUG)/harness demo

demo-without-organization: build ## Watch plain accounts being looked after that a document names
	$(DEBUG)/harness demo-without-organization

cloud: build ## Run a local cloud with Steward in it, to try things by hand
	$(DEBUG)/harness cloud

bench: optimised ## Measure cold start, memory, size and throughput against the budgets; PART=sweep for a part of it
	cargo run --release --package harness -- bench $(PART)

clean: ## Remove what was built; the tools stay
	cargo clean
	rm -rf .aws-sam .local-cloud
