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

.PHONY: bench-programs bench-micro bench-batch bench-stream bench-json

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

# JSON parsers of Debian beside ours (docs/json.md). simdjson is C++, and its fastest code is chosen
# by the compiler: -march=native.
JSON_OBJECTS = $(call objects,$(wildcard bench/json/*.c)) $(BUILD)/obj/bench/json/simdjson.o
JSON_EVENTS = $(BUILD)/bench/json-events
JSON_NEEDS = /usr/bin/g++ $(addprefix /usr/include/,simdjson.h yajl/yajl_parse.h json-c/json.h jsmn.h)

# tests/integration/test_bench_json.sh runs it where what it needs is there.
test-programs: $(if $(filter-out $(wildcard $(JSON_NEEDS)),$(JSON_NEEDS)),,$(BUILD)/bench/json)

bench-json: ## measure JSON parsers on events (installs their packages)
	@scripts/deps.sh --json
	@$(MAKE) $(PARALLEL) all $(BUILD)/bench/json
	@$(BUILD)/clickmatch simulate --output $(JSON_EVENTS) --format ndjson --quiet \
	    --clicks-count 20000 --conversions-count 2000
	@$(BUILD)/bench/json $(JSON_EVENTS)/clicks.ndjson $(JSON_EVENTS)/conversions.ndjson $(OPTIONS)

$(BUILD)/bench/json: $(JSON_OBJECTS) $(BUILD)/libbench.a $(BUILD)/libharness.a $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -lyajl -ljson-c -lsimdjson -lstdc++ -o $@

$(BUILD)/obj/bench/json/simdjson.o: bench/json/simdjson.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(call QUIET,CXX)g++ -std=c++17 -O3 -march=native -DNDEBUG -fPIC -Wall -Wextra -Iinclude -Isrc \
	    -MMD -MP -c $< -o $@

$(BUILD)/libbench.a: $(BENCH_SHARED_OBJECTS)

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/libbench.a $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -o $@

$(STREAM_BENCH): $(BUILD)/obj/bench/bench_stream.o $(BUILD)/libbench.a $(BUILD)/libprogram.a \
        $(LIB_STATIC)
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(LINK) -pie $^ $(LIB_LINK) -o $@
