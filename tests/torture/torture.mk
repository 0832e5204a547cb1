# Torture, included by the Makefile: what make test does small, done long. Each target takes its
# count or its time on the command line and a seed; what fails prints the seed that replays it.

.PHONY: torture torture-stream torture-stream-rejects torture-kills torture-retry torture-purge \
        torture-faults torture-tenants torture-bombs valgrind lint-deep asan-all

SEED = 1

torture: torture-stream torture-stream-rejects torture-kills torture-retry torture-purge valgrind
torture: torture-faults torture-tenants torture-bombs torture-fuzz fuzz-coverage lint-deep analyze
torture: asan-all coverage
torture: ## all of the torture below, fuzzing, valgrind, analyze and coverage: hours

# In some rounds with a program whose segments are so small that many come and go.
KILLS = 1000
SMALL = BUILD=$(BUILD)/small CPPFLAGS="-DCM_SEGMENT_BITS=9 -DCM_SEEN_SEGMENT_BITS=8"
torture-stream: ## kill a stream KILLS times (1000: 20 minutes), let its server fail in 6 rounds
	@$(MAKE) $(PARALLEL) all
	@$(MAKE) $(PARALLEL) $(SMALL) $(BUILD)/small/clickmatch
	@tests/torture/stream_kills.py --kills $(KILLS) --faults 5 --pause 60 \
	    --program $(BUILD)/clickmatch --small $(BUILD)/small/clickmatch \
	    --keep $(BUILD)/torture $(OPTIONS)

torture-stream-rejects: all ## 10 M events, one in a hundred broken (LINES=N: others): minutes
	@CLICKMATCH=$(abspath $(BUILD))/clickmatch tests/torture/stream_rejects.sh $(LINES)

OPERATIONS = 10000
torture-tenants: all ## OPERATIONS (10,000) of tenants and roles at once (SEED=N: others): minutes
	@tests/torture/tenants.py --count $(OPERATIONS) --seed $(SEED) \
	    --program $(BUILD)/clickmatch

# Of the kills of clients and of servers each, a fifth are of migrate.
SERVER_KILLS = 200
OVERLAPS = 100
torture-kills: all ## kill batch and migrate KILLS times, their server SERVER_KILLS times: an hour
	@tests/torture/batch_kills.py --program $(BUILD)/clickmatch --seed $(SEED) \
	    --kills $$(($(KILLS) * 4 / 5)) --migrate-kills $$(($(KILLS) / 5)) \
	    --server-kills $$(($(SERVER_KILLS) * 4 / 5)) \
	    --migrate-server-kills $$(($(SERVER_KILLS) / 5)) --overlaps $(OVERLAPS) $(OPTIONS)

# Variables are not set to zero by the compiler here, so that Valgrind sees what nobody set.
UNDER_VALGRIND = BUILD=$(BUILD)/valgrind CFLAGS="-O1 -g" FORTIFY= DEFINED=
valgrind: ## one run of each command under Valgrind: two minutes
	@scripts/deps.sh --lint
	@$(MAKE) $(PARALLEL) $(UNDER_VALGRIND) all
	@CLICKMATCH=$(abspath $(BUILD))/valgrind/clickmatch tests/torture/valgrind.sh

PURGES = 100
torture-purge: all ## kill purges PURGES times (100: 5 minutes), others and batch beside them
	@CLICKMATCH=$(abspath $(BUILD))/clickmatch tests/torture/purge_kills.sh $(PURGES) $(SEED)

# The seam is no part of the program, and no sanitizer may be in it: both would bring a malloc.
SEAM = $(BUILD)/tests/fault_seam.so
SEAM_SOURCES = $(sort $(wildcard tests/torture/seam/*.c))
$(SEAM): $(SEAM_SOURCES) $(wildcard tests/torture/seam/*.h) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call QUIET,LINK)$(CC) -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -O1 -g -shared \
	    $(WARNINGS) -Itests $(PQ_COMPILE) $(SEAM_SOURCES) $(PQ_LINK) -o $@
test-programs: $(SEAM)

torture-faults: all $(SEAM) ## let every call fail that can, (OPTIONS=--help): hours
	@scripts/pg_temp.sh run tests/torture/faults_every.py --program $(BUILD)/clickmatch \
	    --seam $(SEAM) $(OPTIONS)

RETRY_KILLS = 200
torture-retry: all ## kill `retry` RETRY_KILLS times, alone and side by side: minutes
	@tests/torture/retry_kills.py --kills $(RETRY_KILLS) --program $(BUILD)/clickmatch \
	    --keep $(BUILD)/torture $(OPTIONS)

torture-bombs: all ## input of absurd size or shape (SHARE=0.01: smaller): minutes
	@tests/torture/bombs.py --program $(BUILD)/clickmatch --share $(or $(SHARE),1)

lint-deep: ## make lint with clang's analyzer at its most patient, in tests, too: ten minutes
	@DEEP=yes $(MAKE) lint

# Left out is what builds anew, and would so try a program without the sanitizers, and what needs a
# malloc or an address space that is not theirs.
NOT_SANITIZED = test_docs.sh test_docs_reliability.sh test_reproducible.sh test_faults.sh \
                test_limits_hard.sh
asan-all: ## the suite, commands and PostgreSQL included, under the sanitizers: an hour
	@$(MAKE) $(PARALLEL) $(UNDER_ASAN) all test-programs
	@BUILD=build/asan TEST_SECONDS=1800 tests/run.sh \
	    $(filter-out $(NOT_SANITIZED),$(notdir $(wildcard tests/integration/*.sh))) unit
