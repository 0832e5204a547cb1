/* What a stream has done and holds, as figures: for --metrics, the status line and the summary. */
#ifndef CM_CMD_STREAM_FIGURES_H
#define CM_CMD_STREAM_FIGURES_H

#include "stream/stream.h"
#include "util/histogram.h"

/** The checkpoints of a stream. */
typedef struct cm_checkpoint_figures {
    uint64_t done, failed;
    int64_t last_us;         /* when the last good one ended, by the clock */
    double duration_seconds; /* of that one */
} cm_checkpoint_figures;

/** The database that results go to. */
typedef struct cm_sink_figures {
    bool is_used; /* false: there is none, and the others mean nothing */
    bool is_connected;
    uint64_t batches;      /* committed */
    uint64_t rows;         /* written with them */
    uint64_t attempts;     /* to write a batch: more than batches where some failed */
    uint64_t dead;         /* rows given up, kept elsewhere */
    uint64_t position_seq; /* up to which all is committed */
    uint64_t backlog_rows; /* waiting */
} cm_sink_figures;

/** Rejected lines by what was wrong first. */
typedef struct cm_reject_counts {
    uint64_t lines; /* no JSON object, or too long */
    uint64_t words; /* "event" is missing or another word */
    uint64_t seqs;  /* "seq" is malformed */
    uint64_t fields[CM_ROW_KIND_COUNT][CM_FIELD_COUNT_MAX];
} cm_reject_counts;

/** Count one. @param field  as in its cm_reject_line */
void cm_reject_counts_add(cm_reject_counts *counts, const cm_event *event, const char *field);

/**
 * The figures of one moment. Zero-initialised is a stream that has not begun. What does not say
 * "now" counts since the start and only rises. Times are microseconds since 1970 UTC; 0 or less is
 * unknown, CM_TIME_MISSING too.
 */
typedef struct cm_stream_figures {
    /* What cm_stream_figures_take fills. */
    uint64_t events[CM_ROW_KIND_COUNT]; /* all: accepted, rejected and duplicates */
    uint64_t duplicates[CM_ROW_KIND_COUNT];
    uint64_t seen_before;      /* events that were there before the start, by their seq */
    uint64_t disordered;       /* events whose seq does not rise */
    uint64_t late_conversions; /* they came when the stream's time was past them */
    uint64_t expired_clicks;   /* nobody could find them when they came */
    uint64_t waited;           /* events far ahead of the stream */
    uint64_t waiting;          /* now: those that still wait */
    uint64_t refused_clicks;   /* ahead of the stream, as there were too many of them */
    uint64_t dropped_clicks;   /* forgotten before their time, as there was no room */
    uint64_t results[CM_METHOD_COUNT];
    uint64_t held_conversions; /* now: for --grace */
    uint64_t active_clicks;    /* now */
    uint64_t memory_bytes;     /* now: all that the stream and its engine have allocated */
    int64_t watermark_us;      /* event time; unknown before the first event */
    int64_t latest_us;         /* event time of the newest event; likewise */
    bool has_position;
    uint64_t position_seq; /* the greatest seq of all events so far, where has_position */
    /* What the command adds. */
    const char *model; /* label; borrowed; NULL where there is none yet */
    cm_reject_counts rejected;
    uint64_t results_written;       /* to --output */
    const cm_histogram *latency_ns; /* from reading a conversion to its result; borrowed; may be
                                       NULL */
    double latency_sum_seconds;     /* of all values in it */
    cm_checkpoint_figures checkpoint;
    cm_sink_figures sink;
} cm_stream_figures;

/** Fill in what the stream itself knows; the rest stays. */
void cm_stream_figures_take(cm_stream_figures *figures, const cm_stream *stream);

/** All lines read. */
uint64_t cm_stream_figures_lines(const cm_stream_figures *figures);

/** All lines rejected. */
uint64_t cm_stream_figures_rejected(const cm_stream_figures *figures);

#endif
