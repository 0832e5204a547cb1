/*
 * Checkpoints of a stream: its window and its position, so that it can go on where it was.
 *
 *     clicks-N    a segment of the store; written once when it is full, and, for the segments that
 *                 are still filled, anew with each checkpoint
 *     ids-N       a full segment of conversion ids; written once
 *     state-N     all else that the stream knows
 *     manifest    which of these count, and what was where
 *
 * A checkpoint begins between two events: what was there then is what it shows. Segments are then
 * encoded a few rows at a time while events go on, as rows do not change; a thread writes. With the
 * sink, the manifest waits until all results of before are committed there.
 */
#ifndef CM_CMD_STREAM_CHECKPOINT_H
#define CM_CMD_STREAM_CHECKPOINT_H

#include "cmd/log.h"
#include "cmd/options.h"
#include "cmd/stream_manifest.h"
#include "cmd/stream_sink.h"
#include "file/parts.h"
#include "index/segment_encode.h"

/** A segment as it was last written. */
typedef struct cm_saved_segment {
    uint64_t part;       /* number of its part; 0: it was not written */
    uint32_t generation; /* of the segment: its place may be another's by now */
    uint32_t count;      /* rows */
} cm_saved_segment;

/** Zero-initialised keeps nothing. */
typedef struct cm_stream_checkpoint {
    cm_parts *parts; /* NULL: there are no checkpoints */
    cm_log *log;
    cm_stream *stream;
    cm_stream_sink *sink;
    cm_output *rejects; /* of --rejects, borrowed; what is in it is what is counted; or NULL */
    cm_segment_encoder encoder;
    cm_saved_segment *saved; /* by place */
    size_t saved_capacity;
    uint64_t next_part;
    uint64_t interval_ns, begun_ns;
    uint64_t events; /* of the stream when the last one began */
    /* The one that is under way: */
    bool is_under_way, is_encoded;
    uint64_t rest_until_ns; /* before which events have the core */
    cm_wanted_segment *wanted;
    size_t wanted_count, wanted_capacity, wanted_at;
    uint64_t state_part;
    cm_stream_manifest manifest;
    uint64_t sink_rows; /* those handed over when it began */
    uint64_t commit;    /* its number, once it was asked for; 0: not yet */
    /* What came of them: */
    uint64_t done, failed;
    double took_seconds;
    int64_t done_us;
} cm_stream_checkpoint;

/** Does --checkpoint name a checkpoint to go on from? Nothing is opened. */
bool cm_stream_checkpoint_exists(const cm_settings *settings);

/**
 * Open the directory, and bring the stream back to the checkpoint in it, if there is one.
 *
 * @param stream    new; its engine empty
 * @param rejects   the file of --rejects: cut back to what the checkpoint knows, as events after it
 *                  come again; NULL: there is none
 * @param resumed   receives whether there was one
 * @return CM_OK, CM_ERROR_IO, CM_ERROR_FORMAT (what is damaged, and what to do), CM_ERROR_MODEL,
 *         CM_ERROR_MEMORY, CM_ERROR_CAPACITY
 */
cm_status cm_stream_checkpoint_open(cm_stream_checkpoint *checkpoint, const cm_settings *settings,
                                    cm_log *log, cm_stream *stream, cm_stream_sink *sink,
                                    cm_output *rejects, unsigned threads, bool *resumed,
                                    cm_error *error);

/** Begin one where it is time to, and go on with what is under way: some 200 us at most, and a
 * ninth of the time. To be called between events. What fails is told, and tried again. */
void cm_stream_checkpoint_tick(cm_stream_checkpoint *checkpoint, uint64_t now_ns);

/** Encode what is about to be forgotten, now: cm_stream_keeper.give_up; its context is the
 * checkpoint. Only a fast replay comes to that: a segment that is full is encoded days before. */
void cm_stream_checkpoint_hurry(void *context, int64_t until_us);

/** Will the next tick begin one? What was told of the events so far must be written before. */
bool cm_stream_checkpoint_is_due(const cm_stream_checkpoint *checkpoint, uint64_t now_ns);

/** How long the next tick may wait, in milliseconds; negative: for events. */
int cm_stream_checkpoint_timeout_ms(const cm_stream_checkpoint *checkpoint, uint64_t now_ns);

/**
 * Before the first event: one of what the stream begins with, and wait for it. Whoever is killed
 * before the next one begins with the same.
 *
 * @return CM_OK or CM_ERROR_IO
 */
cm_status cm_stream_checkpoint_start(cm_stream_checkpoint *checkpoint, cm_error *error);

/** At the end: one more, and wait for it. The sink must have finished. */
cm_status cm_stream_checkpoint_finish(cm_stream_checkpoint *checkpoint, cm_error *error);

/** What came of them, for metrics. */
cm_checkpoint_figures cm_stream_checkpoint_figures(const cm_stream_checkpoint *checkpoint);

/** Before the stream and the engine go. */
void cm_stream_checkpoint_close(cm_stream_checkpoint *checkpoint);

#endif
