# clickmatch: build, test, install. `make help` lists the targets; CONTRIBUTING.md the rules.
#
# What can be given on the command line: CC=clang, CFLAGS=..., BUILD=dir, PREFIX, DESTDIR, and V=1
# to see the commands in full.
# New sources are found by themselves; changed flags rebuild what they touch.

CC = gcc
CFLAGS = -O2 -g
WERROR = -Werror
BUILD = build
PREFIX = /usr/local
DESTDIR =
PKG_CONFIG = pkg-config
PYTHON = python3

VERSION := $(shell sed -n 's/^.define CM_VERSION "\(.*\)"/\1/p' include/clickmatch.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

# --- Sources -------------------------------------------------------------------------------------

# The library is these layers; the program adds its own. scripts/tidy.py holds the layers apart.
LIB_LAYERS = util model store index match io engine
PROGRAM_LAYERS = stream explain file sim eval train pg cmd

# Sorted, as the order of objects is that of the bytes.
LIB_SOURCES := $(sort $(wildcard $(LIB_LAYERS:%=src/%/*.c)))
PROGRAM_SOURCES := $(sort $(wildcard $(PROGRAM_LAYERS:%=src/%/*.c)))
# Programs: tests/run.sh runs test_*; check_* are tools that tests call.
TEST_SOURCES := $(wildcard tests/unit/test_*.c tests/oracle/test_*.c tests/oracle/check_*.c) \
                $(wildcard tests/integration/check_*.c)
# What several tests share: a test links what it calls and nothing else.
HARNESS_SOURCES := $(filter-out $(TEST_SOURCES),$(wildcard tests/harness/*.c tests/oracle/*.c))
SQL_SOURCES := $(shell find src/pg/sql 2>/dev/null)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJECTS = $(call objects,$(LIB_SOURCES))
PROGRAM_OBJECTS = $(call objects,$(PROGRAM_SOURCES)) $(BUILD)/obj/gen/sql.o
HARNESS_OBJECTS = $(call objects,$(HARNESS_SOURCES))
TESTS = $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TEST_SOURCES)))

LIB_STATIC = $(BUILD)/libclickmatch.a
LIB_SHARED = $(BUILD)/libclickmatch.so
PROGRAM = $(if $(wildcard src/main.c),$(BUILD)/clickmatch)
EXAMPLES = $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*.c))

# --- Flags ---------------------------------------------------------------------------------------

# These and the flags below are those of the OpenSSF's "Compiler Options Hardening Guide for C and
# C++", as far as the compiler takes them; docs/reliability.md lists them with what each costs.

# Flags, if the compiler takes them together, or nothing. Asked once a run of make.
taken = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null >/dev/null 2>&1 && echo '$(1)')

WARNINGS_KNOWN := $(call taken,-Wtrampolines -Wbidi-chars=any)
WARNINGS = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wformat -Wformat=2 \
           -Wimplicit-fallthrough -Wdate-time $(WARNINGS_KNOWN) -Werror=format-security \
           -Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion $(WERROR)

# Results are the same everywhere: no fused multiply-add.
# Objects serve the static and the shared library: position-independent, and hidden but for what
# CM_PUBLIC shows, so that calls within the library stay direct.
CODE = -std=c11 -D_GNU_SOURCE -pthread -ffp-contract=off \
       -fPIC -fvisibility=hidden -fno-semantic-interposition

HARDEN_x86_64 = -fcf-protection=full
HARDEN_aarch64 = -mbranch-protection=standard
HARDEN = -fstack-protector-strong -fstack-clash-protection -fexceptions \
         $(HARDEN_$(shell uname -m))

# What is undefined in C is given a meaning, or zeros, in what is released.
INIT_ZERO := $(or $(call taken,-ftrivial-auto-var-init=zero),$(call taken,\
    -ftrivial-auto-var-init=zero \
    -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang))
DEFINED = -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing $(INIT_ZERO)
FORTIFY = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3

# SANITIZE=address,undefined or thread. Debug assertions are on there, and only there.
# Fortification and the like would hide from the sanitizer what it checks.
SANITIZE =
ifeq ($(SANITIZE),)
MODE = -DNDEBUG $(FORTIFY) $(DEFINED)
else
MODE = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
# Many big programs: lld links them in a third of ld's time.
FAST_LINK := $(if $(shell command -v ld.lld),-fuse-ld=lld)
endif

# The same bytes from the same sources, wherever they lie and whatever BUILD is: of a path, what is
# after these remains.
SAME = -ffile-prefix-map=$(CURDIR)=. \
       $(if $(filter-out build,$(BUILD)),-ffile-prefix-map=$(BUILD)=build)

COMPILE = $(CC) $(CODE) $(WARNINGS) $(HARDEN) $(CFLAGS) $(MODE) $(SAME) $(CPPFLAGS) \
          -Iinclude -Isrc -Itests -I$(BUILD)/gen
LINK = $(CC) -pthread $(CFLAGS) $(MODE) $(FAST_LINK) $(LDFLAGS) -Wl,--build-id=sha1 \
       -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--no-copy-dt-needed-entries

# What a recipe says: a word and its target, or with V=1 the command.
QUIET = $(if $(V),,@echo "  $(1)	$@";)

# Asked for when a recipe runs, not before: `make deps` may only then have installed pkg-config.
LIB_PACKAGES = libcrypto jansson zlib libzstd
LIB_LINK = $(shell $(PKG_CONFIG) --libs $(LIB_PACKAGES)) -lm
PQ_COMPILE = $(shell $(PKG_CONFIG) --cflags libpq)
PQ_LINK = $(shell $(PKG_CONFIG) --libs libpq)
HTTP_COMPILE = $(shell $(PKG_CONFIG) --cflags libmicrohttpd)
HTTP_LINK = $(shell $(PKG_CONFIG) --libs libmicrohttpd)
TEST_LINK = $(shell $(PKG_CONFIG) --libs cmocka)

# --- Targets -------------------------------------------------------------------------------------

.PHONY: all layers lib test unit integration test-programs bench bench-plot bench-peers demo deps \
        tidy lint analyze format asan tsan fuzz coverage sbom install uninstall \
        clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory

all: layers lib $(PROGRAM) ## build the program and the libraries (default)

layers: ## check that no layer includes upward (fails the build)
	@$(PYTHON) scripts/tidy.py --layers

lib: $(LIB_STATIC) $(LIB_SHARED) ## build libclickmatch.a and libclickmatch.so only

# The build runs in a second make: what deps installs must be there before it starts.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
test: deps ## install what is missing, build, run every test
	@$(MAKE) $(PARALLEL) all test-programs
	@BUILD=$(BUILD) tests/run.sh

unit: test-programs ## run the unit tests, the oracle and the scripts' own tests
	@BUILD=$(BUILD) tests/run.sh unit

integration: all test-programs ## run the tests of whole commands, PostgreSQL included
	@BUILD=$(BUILD) tests/run.sh integration

test-programs: $(TESTS) $(EXAMPLES) fuzzer-programs
	@:

bench: ## measure on this machine: minutes; a table, and build/bench.json
	@$(MAKE) $(PARALLEL) all
	@BUILD=$(BUILD) scripts/bench.sh --json $(BUILD)/bench.json

bench-plot: ## draw latency and scaling of the last make bench (installs gnuplot-nox)
	@scripts/deps.sh --plot
	@scripts/bench_plot.py $(BUILD)/bench.json docs/img

bench-peers: ## the same work by DuckDB, ClickHouse, PostgreSQL (docs/peers.md)
	@$(MAKE) $(PARALLEL) all
	@BUILD=$(BUILD) scripts/bench_peers.sh $(OPTIONS)

demo: deps ## install what is missing, build, simulate a small world and match it
	@$(MAKE) $(PARALLEL) all
	@BUILD=$(BUILD) scripts/demo.sh

deps: ## install the missing Debian packages (silent when there is nothing to do)
	@scripts/deps.sh

tidy: ## check layers, lengths, banned calls and the like
	@$(PYTHON) scripts/tidy.py

lint: $(BUILD)/gen/sql.h ## clang-format, cppcheck, clang-tidy, shellcheck
	@BUILD=$(BUILD) CPPFLAGS="-I$(BUILD)/gen $(PQ_COMPILE) $(HTTP_COMPILE)" \
	    scripts/lint.sh

# Not part of lint: two minutes of a core. With the assertions, which tell it what is promised.
analyze: $(BUILD)/gen/sql.h ## gcc's static analyzer over src: nothing but what is excused, with why
	@$(PYTHON) scripts/analyze.py $(CODE) $(CPPFLAGS) -Iinclude -Isrc -I$(BUILD)/gen \
	    $(PQ_COMPILE) $(HTTP_COMPILE)

format: ## lay out all C files with clang-format
	clang-format -i $$(find include src tests examples bench -name '*.[ch]' 2>/dev/null)

# Lines are all that a report needs of debug information. Left to asan-all are tests that take half
# a minute and more here, and are about how much memory is used.
UNDER_ASAN = BUILD=build/asan SANITIZE=address,undefined CFLAGS="-O1 -g1"
LARGE_TESTS = test_slide test_load_limits
asan: ## run the unit tests in C under the address and undefined-behaviour sanitizers
	@$(MAKE) $(PARALLEL) $(UNDER_ASAN) test-programs
	@BUILD=build/asan ORACLE_WORLDS=$${ORACLE_WORLDS:-40} tests/run.sh \
	    $(filter-out $(LARGE_TESTS),$(filter test_%,$(notdir $(TESTS))))

fuzz: ## hostile random files through a sanitized program and the reference (SEEDS=1000: longer)
	@$(MAKE) $(PARALLEL) $(UNDER_ASAN) all test-programs
	@BUILD=build/asan CLICKMATCH=$(CURDIR)/build/asan/clickmatch FIRST_SEED=$${FIRST_SEED:-100000} \
	    tests/integration/test_differential.sh

# The tests in C that start threads; scripts/tidy.py holds that none is missing that does so by
# itself. What commands start has test_threads.sh. So those are left out that take a minute of a
# core or a good part of it here, and whose threads are what one call starts that test_threads.sh
# makes, too: test_paired, test_segment_image, test_sim_run, test_train_learn, test_train_mixture.
THREADED = test_bulk test_eval test_file test_input test_metrics test_metrics_http \
           test_model_reload test_names test_oracle test_parallel test_parts \
           test_parts_trouble test_pipeline test_stream_image test_stream_oracle \
           test_train_labels test_train_newer test_train_older test_train_sampling test_turns
UNDER_TSAN = BUILD=build/tsan SANITIZE=thread CFLAGS="-O1 -g1"
tsan: ## run what starts threads, commands included, under the thread sanitizer
	@$(MAKE) $(PARALLEL) $(UNDER_TSAN) build/tsan/clickmatch $(THREADED:%=build/tsan/tests/%)
	@BUILD=build/tsan ORACLE_WORLDS=$${ORACLE_WORLDS:-8} tests/run.sh test_threads.sh $(THREADED)

# Nothing optimised, so that lines and branches are those of the source; threads count together.
# Where a function is inlined its branches would count again for each place, among them those that
# cannot be taken there.
COUNTED = CC=gcc BUILD=build/cov SAME= FORTIFY= DEFINED= CPPFLAGS=-Dalways_inline=unused \
          CFLAGS="-O0 -g --coverage -fprofile-update=atomic"
coverage: ## what the tests reach of src/: 95 % of lines, matching all branches: long
	@scripts/deps.sh && scripts/deps.sh --lint
	@$(MAKE) $(PARALLEL) $(COUNTED) all test-programs
	@scripts/coverage.py build/cov $(OPTIONS)

sbom: all ## what is in it, by name and version (SPDX): build/clickmatch.spdx.json
	@scripts/sbom.py $(BUILD) $(VERSION) $(BUILD)/clickmatch.spdx.json

clean: ## remove everything built
	rm -rf build

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' \
	    Makefile bench/bench.mk tests/torture/torture.mk tests/fuzz/fuzz.mk

# --- Rules ---------------------------------------------------------------------------------------

# Changes when the way to compile does, so that a build never mixes compilers or flags. SAME is left
# out: where it lies changes no byte.
COMPILED_WITH = $(filter-out $(SAME),$(COMPILE))
$(BUILD)/flags: FORCE
	@$(PKG_CONFIG) --exists $(LIB_PACKAGES) || \
	    { echo "libraries are missing: $(LIB_PACKAGES); run make deps" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMPILED_WITH)' | cmp -s - $@ || echo '$(COMPILED_WITH)' >$@

$(BUILD)/gen/sql.c $(BUILD)/gen/sql.h &: scripts/embed_sql.sh $(SQL_SOURCES)
	$(call QUIET,SQL)scripts/embed_sql.sh src/pg/sql $(BUILD)/gen

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) $(EXTRA) -MMD -MP -c $< -o $@

$(BUILD)/obj/gen/sql.o: $(BUILD)/gen/sql.c $(BUILD)/gen/sql.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) -c $< -o $@

# A bench says what it was built with.
BUILT_WITH = $(subst ",,$(strip $(CODE) $(HARDEN) $(CFLAGS) $(MODE) $(CPPFLAGS)))
$(BUILD)/obj/src/cmd/bench_machine.o: EXTRA = -DCM_BUILD_FLAGS='"$(BUILT_WITH)"'

$(BUILD)/obj/src/cmd/metrics_http.o: EXTRA = $(HTTP_COMPILE)

# libpq stays within src/pg, and the tests of it. Tests keep their assertions.
$(BUILD)/obj/src/pg/%.o: EXTRA = $(PQ_COMPILE)
$(BUILD)/obj/tests/%.o: EXTRA = $(PQ_COMPILE) -UNDEBUG
$(call objects,$(wildcard src/pg/*.c) $(TEST_SOURCES)): | $(BUILD)/gen/sql.h

$(LIB_STATIC): $(LIB_OBJECTS)
$(BUILD)/libprogram.a: $(PROGRAM_OBJECTS)
$(BUILD)/libharness.a: $(HARNESS_OBJECTS)
$(BUILD)/%.a:
	@mkdir -p $(@D)
	$(call QUIET,AR)rm -f $@ && ar rcsD $@ $^

$(LIB_SHARED): $(LIB_OBJECTS)
	$(call QUIET,LINK)$(LINK) -shared -Wl,-soname,libclickmatch.so.$(SOVERSION) \
	    $(if $(SANITIZE),,-Wl,-z,defs) $^ $(LIB_LINK) -o $@.$(VERSION)
	@ln -sf libclickmatch.so.$(VERSION) $@.$(SOVERSION)
	@ln -sf libclickmatch.so.$(SOVERSION) $@

$(BUILD)/clickmatch: $(BUILD)/obj/src/main.o $(BUILD)/libprogram.a $(LIB_STATIC)
	$(call QUIET,LINK)$(LINK) -pie $^ $(PQ_LINK) $(HTTP_LINK) $(LIB_LINK) -o $@

define test_rule
$(BUILD)/tests/$(basename $(notdir $(1))): $(call objects,$(1)) $(BUILD)/libharness.a \
        $(BUILD)/libprogram.a $(LIB_STATIC)
	@mkdir -p $$(@D)
	$$(call QUIET,LINK)$$(LINK) -pie $$^ $$(PQ_LINK) $$(HTTP_LINK) $$(LIB_LINK) $$(TEST_LINK) -o $$@
endef
$(foreach source,$(TEST_SOURCES),$(eval $(call test_rule,$(source))))

# Built as a stranger would: the public header and the shared library, nothing else.
$(BUILD)/examples/%: examples/%.c include/clickmatch.h $(LIB_SHARED)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(CC) -std=c11 $(WARNINGS) $(CFLAGS) $(MODE) -Iinclude $< \
	    -L$(BUILD) -lclickmatch -Wl,-rpath,'$$ORIGIN/..' -o $@

include bench/bench.mk
include tests/torture/torture.mk
include tests/fuzz/fuzz.mk

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- Install -------------------------------------------------------------------------------------

DEST = $(DESTDIR)$(PREFIX)
SHARED_NAMES = libclickmatch.so libclickmatch.so.$(SOVERSION) libclickmatch.so.$(VERSION)
MAN = $(wildcard docs/*.1)
DOCS = $(wildcard README.md CHANGELOG.md LICENSE docs/*.md)

install: all ## install under PREFIX (default /usr/local); DESTDIR for packagers
	install -d $(DEST)/bin $(DEST)/include $(DEST)/lib/pkgconfig
	$(if $(PROGRAM),install -m 755 $(PROGRAM) $(DEST)/bin)
	install -m 644 include/clickmatch.h $(DEST)/include
	install -m 644 $(LIB_STATIC) $(DEST)/lib
	install -m 755 $(LIB_SHARED).$(VERSION) $(DEST)/lib
	ln -sf libclickmatch.so.$(VERSION) $(DEST)/lib/libclickmatch.so.$(SOVERSION)
	ln -sf libclickmatch.so.$(SOVERSION) $(DEST)/lib/libclickmatch.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@REQUIRES@|$(LIB_PACKAGES)|' \
	    scripts/clickmatch.pc.in >$(DEST)/lib/pkgconfig/clickmatch.pc
	$(if $(MAN),install -d $(DEST)/share/man/man1 && install -m 644 $(MAN) $(DEST)/share/man/man1)
	$(if $(DOCS),install -d $(DEST)/share/doc/clickmatch && \
	    install -m 644 $(DOCS) $(DEST)/share/doc/clickmatch)
	$(if $(DESTDIR),,ldconfig 2>/dev/null || true)

uninstall: ## remove what install put there
	rm -f $(DEST)/bin/clickmatch $(DEST)/include/clickmatch.h $(DEST)/lib/libclickmatch.a
	rm -f $(SHARED_NAMES:%=$(DEST)/lib/%) $(DEST)/lib/pkgconfig/clickmatch.pc
	rm -f $(patsubst docs/%,$(DEST)/share/man/man1/%,$(MAN))
	rm -rf $(DEST)/share/doc/clickmatch
