/*
 * A stream's figures in the Prometheus text exposition format, version 0.0.4. Names begin with
 * clickmatch_; units are seconds and bytes; docs/stream.md lists them.
 */
#ifndef CM_CMD_METRICS_TEXT_H
#define CM_CMD_METRICS_TEXT_H

#include "cmd/stream_figures.h"
#include "util/buffer.h"

#define CM_METRICS_BUCKETS 19 /* 10 us to 10 s, in steps of 1, 2.5 and 5 */
#define CM_METRICS_MODEL_BYTES 512

/** Figures with nothing borrowed. */
typedef struct cm_metrics_snapshot {
    cm_stream_figures figures;          /* model and latency_ns are NULL */
    char model[CM_METRICS_MODEL_BYTES]; /* "" where there is none; a longer one is cut off */
    bool has_latency;
    uint64_t buckets[CM_METRICS_BUCKETS]; /* results that took at most so long */
    uint64_t latency_count;
} cm_metrics_snapshot;

/** What the process and the clock say, beside the figures. */
typedef struct cm_metrics_process {
    int64_t now_us;      /* microseconds since 1970 UTC */
    int64_t started_us;  /* when the process began to publish */
    uint64_t rss_bytes;  /* 0: unknown, and left out */
    double core_seconds; /* of work of all cores */
} cm_metrics_process;

/** Copy figures: a few microseconds. */
void cm_metrics_snapshot_take(cm_metrics_snapshot *snapshot, const cm_stream_figures *figures);

/** Append the text, some 10 KB. The buffer says whether memory was short. */
void cm_metrics_text(const cm_metrics_snapshot *snapshot, const cm_metrics_process *process,
                     cm_buffer *text);

#endif
