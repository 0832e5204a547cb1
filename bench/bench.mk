# Micro-benchmarks, included by the Makefile. bench/bench_*.c are programs, what else is in bench/
# is shared by them; each is built as the library is, and links it with its internals.

# bench_stream measures another program and links the simulator: it is built like the others, but
# has options, a target and a test of its own.
STREAM_BENCH = $(BUILD)/bench/bench_stream

BENCH_SOURCES := $(wildcard bench/bench_*.c)
BENCHES = $(patsubst bench/%.c,$(BUILD)/bench/%,$(BENCH_SOURCES))
MICRO_BENCHES = $(filter-out $(STREAM_BENCH),$(BENCHES))
BENCH_SHARED_OBJECTS = $(call objects,$(filter-out $(BENCH_SOURCES),$(wildcard bench/*.c)))

# For all of them: --quick, --json, --repetitions=N.
BENCH_FLAGS =

.PHONY: bench-programs bench-micro bench-batch bench-stream

bench-programs: $(BENCHES)
	@:

# tests/unit/test_bench_micro.py runs them, also under the sanitizers.
test-programs: $(BENCHES)

bench-micro: $(MICRO_BENCHES) ## measure hashes, tables, memory, scorer, codecs: a few minutes
	@for program in $(sort $^); do $$program $(BENCH_FLAGS) || exit; done

bench-batch: all ## of make bench only batch beside plain COPY, UPDATE and INSERT: minutes
	@BUILD=$(BUILD) scripts/bench.sh --only batch --json $(BUILD)/bench-batch.json $(OPTIONS)

bench-stream: all $(STREAM_BENCH) ## clickmatch stream: throughput, latency, memory: minutes
	@for mode in throughput latency slide; do \
	    $(STREAM_BENCH) --mode $$mode --json $(BUILD)/bench-stream-$$mode.json $(OPTIONS) || exit; \
	done

$(BUILD)/libbench.a: $(BENCH_SHARED_OBJECTS)

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/libbench.a $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -o $@

$(STREAM_BENCH): $(BUILD)/obj/bench/bench_stream.o $(BUILD)/libbench.a $(BUILD)/libprogram.a \
        $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -o $@
