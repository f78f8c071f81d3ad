# The two commands: make demo, make test. `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help demo test ci bench bench-peer fuzz lint interop build-tools

RUST_NEEDED := 1.94
CARGO := cargo
# What else `tollgate demo` is told, as in make demo DEMO="--gateway 127.0.0.1:9443".
DEMO :=
# Which scenarios `make bench` runs, as in make bench SCENARIOS="streams idle"; without any, all.
SCENARIOS :=
# What `make fuzz` runs, one of fuzz/targets, and for how long.
TARGET := csr
SECONDS := 60
# How `make bench-peer` runs, as in make bench-peer PEER="--runs 3 --seconds 10".
PEER :=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

demo: build-tools ## build, then run a gateway on 127.0.0.1:8443 with real measurements
	$(CARGO) build --release --locked
	exec target/release/tollgate demo $(DEMO)

# The documentation's examples come first, so that the output closes with the tests of the whole gateway.
test: build-tools ## run the tests
	@.ci/postgres || [ -z "$$CI" ] || exit 1
	$(CARGO) test --locked --doc
	$(CARGO) test --locked --lib --bins --tests

ci: ## what continuous integration runs: tests, lints, interop
	.ci/run

bench: build-tools ## run the benchmarks, then the standard scenarios under load
	$(CARGO) bench --locked
	$(CARGO) build --release --locked
	benches/scenarios.sh $(SCENARIOS)

bench-peer: build-tools ## compare with openconfig/gnmi's collector under the same load, where Go is installed
	$(CARGO) build --release --locked
	benches/peer/run.py $(PEER)

fuzz: build-tools ## run a fuzz target with coverage feedback, as in make fuzz TARGET=csr SECONDS=60
	fuzz/run $(TARGET) $(SECONDS)

lint: build-tools ## check formatting, and let no warning pass
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

interop: build-tools ## install gnmic, gnmi_cli, pygnmi, cisco-gnmi where possible, and drive them against the gateway
	$(CARGO) build --locked
	tests/interop/install.sh
	tests/interop/run.py --binary target/debug/tollgate

# The C compiler builds the TLS library, the memory allocator and libyang, which needs cmake and the headers of PCRE2.
build-tools:
	@.ci/need cc=gcc cmake=cmake /usr/include/pcre2.h=libpcre2-dev
	@found=$$(rustc --version 2>/dev/null | cut -d' ' -f2); \
	if ! command -v $(CARGO) >/dev/null || [ -z "$$found" ]; then \
		echo "missing: Rust $(RUST_NEEDED) or newer, with cargo. Install it with rustup." >&2; exit 1; \
	elif [ "$$(printf '%s\n' $(RUST_NEEDED) "$$found" | sort -V | head -n 1)" != $(RUST_NEEDED) ]; then \
		echo "Rust $$found is too old: $(RUST_NEEDED) or newer is needed. Update it with rustup." >&2; exit 1; \
	fi
