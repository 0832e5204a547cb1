/* Reading one value into a record: shared by build.c, column.c and check.c only. */
#ifndef CM_MODEL_COLUMN_H
#define CM_MODEL_COLUMN_H

#include "model/field.h"
#include "util/arena.h"

#define CM_FAULT_MISSING "missing"
#define CM_FAULT_LONG "longer than --field-max"
#define CM_FAULT_TIME "not a time"
#define CM_FAULT_TIME_RANGE "outside 1970 to 9999"
#define CM_FAULT_EXPIRY "before click_timestamp"
#define CM_FAULT_ADDRESS "not an IP address"

/** No fault of the value; told from the others by its address. */
extern const char CM_FAULT_MEMORY[];

/** A record being filled: a cm_click or a cm_conversion. */
typedef struct cm_filling {
    void *record;
    cm_arena *arena; /* takes text that the value does not hold */
} cm_filling;

typedef struct cm_column cm_column;

/** Fills what a column points to with a value that is not missing. Returns NULL, or what is wrong
 * (static text). */
typedef const char *cm_column_reader(const cm_filling *filling, const cm_column *column,
                                     const cm_value *value);

/** A column and its place in the record. */
struct cm_column {
    cm_column_reader *read;
    size_t offset;
};

cm_column_reader cm_read_text;   /* cm_slice of any bytes */
cm_column_reader cm_read_id;     /* cm_slice */
cm_column_reader cm_read_time;   /* int64_t */
cm_column_reader cm_read_expiry; /* int64_t of a cm_click whose click_timestamp is read */
cm_column_reader cm_read_flag;   /* bool */
cm_column_reader
    cm_read_fingerprint; /* the whole cm_device; the first of two columns that is there counts */
cm_column_reader cm_read_address; /* cm_address */
cm_column_reader cm_read_whole; /* cm_slice: text as it stands, numbers as plain decimal integers */

#define CM_ID_BYTES_SURE ((size_t)255) /* an id of at most these bytes is not too long */

/** Why a text that is not missing is no id: static text, or NULL where it is one. */
const char *cm_id_fault(cm_slice id);

#endif
