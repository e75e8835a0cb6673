# omnid: what a person or CI runs. Each target says what it does; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

SWIFT ?= swift
VENV := .build/venv
# The last release: its clients and its stores have to be understood.
SCHEMA_OF := 0.1.0
PREFIX ?= /usr/local
RELEASE := .build/release
# No RUNPATH: the programs bring what they need of Swift, and a library beside them is none of theirs.
BUILD := $(SWIFT) build -c release --disable-local-rpath

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

.PHONY: deps
deps: ## install the Debian packages of docs/packages.txt that are missing
	@scripts/install-packages

.PHONY: test-deps
test-deps: deps ## install what the tests need beside that
	@scripts/install-packages Tests/packages.txt

.PHONY: build
build: deps ## build omnid, omnictl and talosim for release
	$(BUILD) --product omnid
	$(BUILD) --product omnictl
	$(BUILD) --product talosim

.PHONY: demo
demo: build ## rotate both CAs of a simulated cluster, live
	@scripts/demo

.PHONY: test
test: test-deps $(VENV)/done lint ## run every test: Swift, schema rules, real clients from outside
	@SWIFT="$(SWIFT)" scripts/build-tests
	@SWIFT="$(SWIFT)" scripts/test-swift
	$(VENV)/bin/buf lint Proto
	$(VENV)/bin/buf breaking Proto --against Tests/Releases/schema-$(SCHEMA_OF).binpb.gz
	$(MAKE) --no-print-directory test-outside

.PHONY: test-outside
test-outside: test-deps build interop-programs $(VENV)/done ## the tests that drive the release binaries with other people's clients
# One run for each: they have support modules of their own by the same names.
	scripts/test-outside Tests/EndToEnd -n 3 --dist worksteal
	scripts/test-outside Tests/Interop
	scripts/test-outside Clients/python
	scripts/test-outside packaging/tests/test_files.py

INTEROP := rotate-and-wait journal-seed grpc-interop-server grpc-interop-client connect-conformance-server connect-conformance-client conformance-protobuf

.PHONY: interop-programs
interop-programs: deps ## the servers and clients that the tests from outside drive
	for program in $(INTEROP); do $(BUILD) --product $$program; done

.PHONY: bench
bench: deps ## the benchmarks, peers side by side (BENCH="--quick --only unary", see run-bench --help)
	for product in rpc-bench-server codec-bench journal-seed omnid; do \
	  $(BUILD) --product $$product; \
	done
	Tests/Benchmarks/build-peers
	Tests/Benchmarks/run-bench $(BENCH)

.PHONY: fuzz
fuzz: deps ## fuzz everything that reads foreign bytes, 20 s each (FUZZ_SECONDS, FUZZ="yaml pem")
	Tests/Fuzz/build
	Tests/Fuzz/run $(FUZZ)

.PHONY: sanitize
sanitize: deps ## the Swift tests under address and thread sanitizers (SANITIZE="thread RPCTests")
	Tests/Sanitizers/run $(SANITIZE)

.PHONY: lint
lint: ## check the formatting
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Proto Clients Tests

.PHONY: format
format: ## format everything
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Proto Clients Tests

.PHONY: api-docs
api-docs: $(VENV)/done ## write docs/api.md from the comments in Proto/
	$(VENV)/bin/python scripts/make-api-docs

.PHONY: install
install: build ## install the programs, their manual pages and completions under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(RELEASE)/omnid $(RELEASE)/omnictl $(RELEASE)/talosim $(DESTDIR)$(PREFIX)/bin
	scripts/install-pages --bin $(RELEASE) --share $(DESTDIR)$(PREFIX)/share

.PHONY: deb-tools
deb-tools:
	@scripts/install-packages packaging/packages.txt

.PHONY: deb
deb: build deb-tools ## the Debian package, in .build/deb
	packaging/build-deb

.PHONY: test-deb
test-deb: build deb-tools $(VENV)/done ## install, upgrade and purge it on a Debian that runs systemd (root, network)
	$(VENV)/bin/python -m pytest -q -x packaging/tests

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .build

$(VENV)/done: Tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	@touch $@
