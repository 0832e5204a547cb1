/*
 * What the memory of this machine allows: random reads of 64-byte lines.
 *
 *     dependent    each address hangs on what the line before held: the latency
 *     independent  addresses are known in time: as many at once as the core looks ahead
 *     prefetched   16 lines are asked for, then the 16 asked for before them are read
 *
 * With pages of 4 KiB most reads miss the translation buffer, too; with 2 MiB (transparent huge
 * pages, by madvise) few do.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "util/prefetch.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define READS ((uint64_t)1 << 16) /* of a round */
#define BATCH ((size_t)16)
#define HUGE_BYTES ((size_t)2 << 20)
#define MIB ((size_t)1 << 20)

typedef struct line {
    uint64_t words[8]; /* all zero, which the compiler cannot know */
} line;

/* A power of two of lines. */
typedef struct lines {
    const line *at;
    uint64_t mask;
    void *mapping;
    size_t mapping_bytes;
} lines;

static uint64_t run_dependent(void *context, uint64_t rounds)
{
    const lines *l = context;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds * READS; i++)
        sum += l->at[(bench_mix(i) + sum) & l->mask].words[0];
    return sum;
}

static uint64_t run_independent(void *context, uint64_t rounds)
{
    const lines *l = context;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < rounds * READS; i++)
        sum += l->at[bench_mix(i) & l->mask].words[0];
    return sum;
}

static void ask_for_batch(const lines *l, uint64_t first, const line **batch)
{
    for (size_t i = 0; i < BATCH; i++) {
        batch[i] = &l->at[bench_mix(first + i) & l->mask];
        cm_prefetch(batch[i]);
    }
}

static uint64_t run_prefetched(void *context, uint64_t rounds)
{
    const lines *l = context;
    const line *batches[2][BATCH];
    uint64_t sum = 0;
    ask_for_batch(l, 0, batches[0]);
    for (uint64_t i = 1; i <= rounds * READS / BATCH; i++) {
        ask_for_batch(l, i * BATCH, batches[i % 2]);
        for (size_t j = 0; j < BATCH; j++)
            sum += batches[(i - 1) % 2][j]->words[0];
    }
    return sum;
}

/* Memory that begins where a huge page can, every page written to so that it is there. */
static lines map_lines(size_t bytes, bool huge)
{
    lines l = {.mask = bytes / sizeof(line) - 1, .mapping_bytes = bytes + HUGE_BYTES};
    l.mapping = mmap(NULL, l.mapping_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (l.mapping == MAP_FAILED)
        bench_fail("memory is short");
    (void)madvise(l.mapping, l.mapping_bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    char *start = l.mapping;
    start += HUGE_BYTES - (uintptr_t)start % HUGE_BYTES;
    memset(start, 0, bytes);
    l.at = (const line *)(const void *)start;
    return l;
}

/* The share of memory that the kernel did back with huge pages; it may have had none. */
static double huge_share(size_t bytes)
{
    char text[128];
    unsigned long long kib = 0, all = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    if (file == NULL)
        return 0;
    while (fgets(text, sizeof text, file) != NULL)
        if (sscanf(text, "AnonHugePages: %llu kB", &kib) == 1)
            all = kib;
    (void)fclose(file);
    return (double)all * 1024 / (double)bytes;
}

static void measure(const bench *b, size_t bytes, bool huge)
{
    char names[3][40];
    char variant[32];
    const char *pages = huge ? "huge pages" : "4 KiB pages";
    lines l = map_lines(bytes, huge);
    (void)snprintf(variant, sizeof variant, "%zu MiB", bytes / MIB);
    (void)snprintf(names[0], sizeof names[0], "dependent, %s", pages);
    (void)snprintf(names[1], sizeof names[1], "independent, %s", pages);
    (void)snprintf(names[2], sizeof names[2], "prefetched 16, %s", pages);
    const bench_case cases[] = {
        {names[0], variant, run_dependent, &l, READS, 0},
        {names[1], variant, run_independent, &l, READS, 0},
        {names[2], variant, run_prefetched, &l, READS, 0},
    };
    bench_run(b, cases, COUNT(cases));
    if (huge)
        bench_print_value(b, "share that is in huge pages", variant, "of 1", huge_share(bytes));
    (void)munmap(l.mapping, l.mapping_bytes);
}

int main(int argc, char **argv)
{
    static const size_t SIZES_MIB[] = {64, 512, 2048};
    bench b = bench_start(argc, argv, "Random reads of memory; takes 2 GiB of it.", NULL, 9);
    bench_table(&b, "Random reads of 64-byte lines, per line");
    for (size_t i = 0; i < (b.quick ? 1 : COUNT(SIZES_MIB)); i++) {
        size_t bytes = b.quick ? 4 * MIB : SIZES_MIB[i] * MIB;
        measure(&b, bytes, false);
        measure(&b, bytes, true);
    }
    return 0;
}
