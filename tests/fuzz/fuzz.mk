# Fuzzing of the decoders, included by the Makefile: libFuzzer (clang) feeds each of them what it
# makes of tests/fuzz/corpus. tests/fuzz/targets.txt says which files each target is there for.

.PHONY: fuzzers fuzz-decoders fuzz-coverage fuzz-corpus torture-fuzz

FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPERS = tests/fuzz/rows.c tests/fuzz/prefixes.c \
               tests/harness/portable_address.c tests/harness/portable_text.c
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(FUZZ_SOURCES))

# Of the program only what decodes: less to build. Segments are small, so that many fit a second.
FUZZ_LAYERS = $(LIB_LAYERS) stream file
FUZZED := $(sort $(wildcard $(FUZZ_LAYERS:%=src/%/*.c)) \
                 $(patsubst %,src/cmd/%.c,database options option_value stream_manifest))
FUZZ_SMALL = CPPFLAGS="-DCM_SEGMENT_BITS=6 -DCM_SEEN_SEGMENT_BITS=6"
UNGUIDED = -fsanitize-coverage-ignorelist=tests/fuzz/unguided.txt
FUZZ_BUILD = CC=clang BUILD=build/fuzz SANITIZE=address,undefined,fuzzer-no-link \
             CFLAGS="-O1 -gline-tables-only $(UNGUIDED)" $(FUZZ_SMALL)
COVERAGE_BUILD = CC=gcc BUILD=build/fuzz-coverage SAME= CFLAGS="-O0 --coverage" FORTIFY= DEFINED= \
                 $(FUZZ_SMALL)

fuzzers: ## build the fuzzers of the decoders (clang, address and undefined sanitizers)
	@scripts/deps.sh && scripts/deps.sh --fuzz
	@$(MAKE) $(PARALLEL) $(FUZZ_BUILD) fuzzer-programs

# With libFuzzer where the objects are made for it, else with a main that feeds files.
.PHONY: fuzzer-programs
fuzzer-programs: $(FUZZERS)
	@:

$(BUILD)/libfuzzed.a: $(call objects,$(FUZZED) $(FUZZ_HELPERS))

IS_FUZZED = $(findstring fuzzer,$(SANITIZE))
# Short text needs no hints of what it is compared with, and is tried the oftener.
$(BUILD)/obj/src/util/%.o: EXTRA = $(if $(IS_FUZZED),-fno-sanitize-coverage=trace-cmp)
$(BUILD)/tests/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/libfuzzed.a \
        $(BUILD)/obj/tests/fuzz/$(if $(IS_FUZZED),sanitizers,feed).o
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $(if $(IS_FUZZED),-fsanitize=fuzzer) $(filter %.o,$^) \
	    $(BUILD)/libfuzzed.a $(LIB_LINK) -o $@

SECONDS = 20
fuzz-decoders: fuzzers ## fuzz each decoder SECONDS (20) from its corpus on
	@tests/fuzz/run.sh --seconds $(SECONDS)

RUNS = 1000000
torture-fuzz: fuzzers ## fuzz each decoder RUNS times (10^6; of short text 4 * 10^6): hours
	@tests/fuzz/run.sh --runs $(RUNS)

fuzz-coverage: ## what share of each decoder's lines its corpus reaches; fails under 90 %
	@$(MAKE) $(PARALLEL) $(COVERAGE_BUILD) fuzzer-programs
	@tests/fuzz/coverage.py build/fuzz-coverage $(OPTIONS)

fuzz-corpus: all fuzzers ## make tests/fuzz/corpus anew, with what the fuzzers have found since
	@tests/fuzz/corpus.sh $(PROGRAM)
