/* The manifest of a checkpoint: which parts it has, and what is where; as bytes, for file/parts.h,
 * and what of it others may read. */
#ifndef CM_CMD_STREAM_MANIFEST_H
#define CM_CMD_STREAM_MANIFEST_H

#include "file/output.h"
#include "file/parts.h"

/** A segment of the store. */
typedef struct cm_wanted_segment {
    uint64_t part; /* number of its part; 0: not known yet */
    uint32_t place, count;
    uint32_t unlisted;   /* rows at the front that are in no index */
    uint32_t generation; /* while it is in memory; not written */
} cm_wanted_segment;

typedef struct cm_stream_manifest {
    bool has_seq;
    uint64_t seq;             /* of the last event */
    uint64_t events;          /* that the stream has taken */
    cm_output_extent rejects; /* the file of --rejects then */
    uint64_t state_part, next_part;
    uint64_t first_ids, end_ids; /* segments of ids; the last of them is in the state */
    cm_wanted_segment *segments;
    size_t segment_count;
} cm_stream_manifest;

/** Append the bytes. Failure: bytes->failed. */
void cm_stream_manifest_write(const cm_stream_manifest *manifest, cm_buffer *bytes);

/**
 * Read them.
 *
 * @param manifest  receives it; its segments are freed with free(), also after a failure
 * @return CM_OK, CM_ERROR_FORMAT or CM_ERROR_MEMORY
 */
cm_status cm_stream_manifest_read(cm_slice bytes, cm_stream_manifest *manifest, cm_error *error);

/** Append the position as JSON: where an upstream that resends has to begin. */
void cm_stream_manifest_position(const cm_stream_manifest *manifest, cm_buffer *text);

/** The names of all parts. */
typedef struct cm_manifest_names {
    const char **names;
    char *texts;
    size_t count;
} cm_manifest_names;

cm_status cm_stream_manifest_names(const cm_stream_manifest *manifest, cm_manifest_names *names,
                                   cm_error *error);
void cm_manifest_names_destroy(cm_manifest_names *names);

/** The name of a part: "clicks-17". Returns room. */
const char *cm_part_name_of(const char *kind, uint64_t number, char room[CM_PART_NAME_MAX + 1]);

#endif
