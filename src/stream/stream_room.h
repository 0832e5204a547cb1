/*
 * A stream's limits: what its clicks and their names may take. It is judged by costs, which depend
 * on the clicks alone (engine/load_limits.h), and after whole numbers of events: so what is
 * forgotten when depends on events alone. Internal to src/stream.
 */
#ifndef CM_STREAM_STREAM_ROOM_H
#define CM_STREAM_STREAM_ROOM_H

#include "stream/stream.h"

/** Is there more than there is room for? */
bool cm_stream_room_is_short(const cm_stream *stream);

/** The horizon to forget clicks by: `due`, or one past the oldest segment where room is short. */
int64_t cm_stream_room_horizon(const cm_stream *stream, int64_t due);

/** Forget clicks (cm_click_index_forget), and count those whose time had not come by `due`. */
void cm_stream_room_forget(cm_stream *stream, int64_t due, int64_t horizon, size_t budget);

/** Do names take all that they may? Asked now and then: a few clicks more matter little. */
bool cm_stream_room_names_are_full(const cm_stream *stream);

/**
 * Is there room for a click of a tenant? What the batch holds may be stored for that.
 *
 * @return CM_OK, CM_ERROR_MEMORY or CM_ERROR_CAPACITY
 */
cm_status cm_stream_room_for_tenant(cm_stream *stream, cm_slice tenant_id, bool *has_room,
                                    cm_error *error);

#endif
