# Micro-benchmarks, included by the Makefile. bench/bench_*.c are programs, what else is in bench/
# is shared by them; each is built as the library is, and links it with its internals.

BENCH_SOURCES := $(wildcard bench/bench_*.c)
BENCHES = $(patsubst bench/%.c,$(BUILD)/bench/%,$(BENCH_SOURCES))
BENCH_SHARED_OBJECTS = $(call objects,$(filter-out $(BENCH_SOURCES),$(wildcard bench/*.c)))

# For all of them: --quick, --json, --repetitions=N.
BENCH_FLAGS =

.PHONY: bench-programs bench-micro bench-batch

bench-programs: $(BENCHES)
	@:

# tests/unit/test_bench_micro.py runs them, also under the sanitizers.
test-programs: $(BENCHES)

bench-micro: $(BENCHES) ## measure hashes, tables, memory, scorer, codecs: a few minutes
	@for program in $(sort $^); do $$program $(BENCH_FLAGS) || exit; done

bench-batch: all ## of make bench only batch beside plain COPY, UPDATE and INSERT: minutes
	@BUILD=$(BUILD) scripts/bench.sh --only batch --json $(BUILD)/bench-batch.json $(OPTIONS)

$(BUILD)/libbench.a: $(BENCH_SHARED_OBJECTS)

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/libbench.a $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -o $@
