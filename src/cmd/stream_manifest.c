#include "cmd/stream_manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/click_store.h"
#include "util/error.h"

#define MAGIC UINT64_C(0x32464e414d4d4d43) /* "CMMMANF2" */
#define HEAD_NUMBERS 12
#define SEGMENT_NUMBERS 4

const char *cm_part_name_of(const char *kind, uint64_t number, char room[CM_PART_NAME_MAX + 1])
{
    (void)snprintf(room, CM_PART_NAME_MAX + 1, "%.20s-%" PRIu64, kind, number);
    return room;
}

void cm_stream_manifest_write(const cm_stream_manifest *manifest, cm_buffer *bytes)
{
    const uint64_t head[HEAD_NUMBERS] = {MAGIC,
                                         manifest->has_seq,
                                         manifest->seq,
                                         manifest->events,
                                         manifest->state_part,
                                         manifest->next_part,
                                         manifest->first_ids,
                                         manifest->end_ids,
                                         manifest->segment_count,
                                         manifest->rejects.device,
                                         manifest->rejects.inode,
                                         manifest->rejects.bytes};
    cm_buffer_append(bytes, (const char *)head, sizeof head);
    for (size_t i = 0; i < manifest->segment_count; i++) {
        const cm_wanted_segment *segment = &manifest->segments[i];
        const uint64_t numbers[SEGMENT_NUMBERS] = {segment->part, segment->place, segment->count,
                                                   segment->unlisted};
        cm_buffer_append(bytes, (const char *)numbers, sizeof numbers);
    }
}

static cm_status damaged(cm_error *error)
{
    return cm_error_set(error, CM_ERROR_FORMAT, "the manifest is damaged");
}

static bool read_segment(const char *at, cm_wanted_segment *segment)
{
    uint64_t numbers[SEGMENT_NUMBERS];
    memcpy(numbers, at, sizeof numbers);
    *segment = (cm_wanted_segment){.part = numbers[0],
                                   .place = (uint32_t)numbers[1],
                                   .count = (uint32_t)numbers[2],
                                   .unlisted = (uint32_t)numbers[3]};
    return numbers[1] < CM_SEGMENT_COUNT_MAX && numbers[2] <= CM_SEGMENT_ROWS &&
           numbers[3] <= numbers[2];
}

cm_status cm_stream_manifest_read(cm_slice bytes, cm_stream_manifest *manifest, cm_error *error)
{
    uint64_t head[HEAD_NUMBERS];
    const size_t segment_bytes = SEGMENT_NUMBERS * sizeof(uint64_t);
    *manifest = (cm_stream_manifest){0};
    if (bytes.size < sizeof head)
        return damaged(error);
    memcpy(head, bytes.data, sizeof head);
    if (head[0] != MAGIC)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "it was not written by this version of clickmatch");
    *manifest = (cm_stream_manifest){.has_seq = head[1] != 0,
                                     .seq = head[2],
                                     .events = head[3],
                                     .state_part = head[4],
                                     .next_part = head[5],
                                     .first_ids = head[6],
                                     .end_ids = head[7],
                                     .rejects = {head[9], head[10], head[11]}};
    size_t left = bytes.size - sizeof head;
    if (left % segment_bytes != 0 || head[8] != left / segment_bytes ||
        manifest->first_ids > manifest->end_ids || head[1] > 1)
        return damaged(error);
    manifest->segments = calloc((size_t)head[8] + 1, sizeof *manifest->segments);
    if (manifest->segments == NULL)
        return cm_error_memory(error, "a manifest", bytes.size);
    for (size_t i = 0; i < head[8]; i++)
        if (!read_segment(bytes.data + sizeof head + i * segment_bytes, &manifest->segments[i]))
            return damaged(error);
    manifest->segment_count = (size_t)head[8];
    return CM_OK;
}

void cm_stream_manifest_position(const cm_stream_manifest *manifest, cm_buffer *text)
{
    cm_buffer_append_text(text, "{\"resume_from_seq\":");
    if (manifest->has_seq)
        cm_buffer_append_u64(text, manifest->seq + 1);
    else
        cm_buffer_append_text(text, "null");
    cm_buffer_append_text(text, ",\"events\":");
    cm_buffer_append_u64(text, manifest->events);
    cm_buffer_append_text(text, "}\n");
}

cm_status cm_stream_manifest_names(const cm_stream_manifest *manifest, cm_manifest_names *names,
                                   cm_error *error)
{
    const size_t room = CM_PART_NAME_MAX + 1;
    uint64_t ids = manifest->end_ids - manifest->first_ids;
    size_t count = manifest->segment_count + (size_t)ids + 1, at = 0;
    names->names = calloc(count, sizeof *names->names);
    names->texts = calloc(count, room);
    names->count = 0;
    if (names->names == NULL || names->texts == NULL) {
        cm_manifest_names_destroy(names);
        return cm_error_memory(error, "a manifest", count * room);
    }
    (void)cm_part_name_of("state", manifest->state_part, names->texts);
    for (size_t i = 0; i < manifest->segment_count; i++)
        (void)cm_part_name_of("clicks", manifest->segments[i].part, names->texts + room * ++at);
    for (uint64_t i = 0; i + 1 < ids; i++)
        (void)cm_part_name_of("ids", manifest->first_ids + i, names->texts + room * ++at);
    names->count = at + 1;
    for (size_t i = 0; i < names->count; i++)
        names->names[i] = names->texts + room * i;
    return CM_OK;
}

void cm_manifest_names_destroy(cm_manifest_names *names)
{
    free(names->names);
    free(names->texts);
    *names = (cm_manifest_names){0};
}
