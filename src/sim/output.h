/* The rows of the four outputs. */
#ifndef CM_SIM_OUTPUT_H
#define CM_SIM_OUTPUT_H

#include "sim/look.h"
#include "sim/row.h"

/* One thread's means. */
typedef struct cm_sim_writer {
    cm_sim_rows events; /* clicks, or conversions */
    cm_sim_rows truth;  /* of the same */
    cm_digest *digest;
} cm_sim_writer;

/* The header rows of CSV. */
extern const char cm_sim_click_header[];
extern const char cm_sim_conversion_header[];
extern const char cm_sim_click_truth_header[];
extern const char cm_sim_conversion_truth_header[];

/** Append a click and its truth. False where memory is out. */
bool cm_sim_write_click(const cm_sim_world *world, uint64_t click, cm_sim_writer *writer);

/** Append a conversion and its truth. False where memory is out. */
bool cm_sim_write_conversion(const cm_sim_world *world, uint64_t conversion, cm_sim_writer *writer);

/** The fields of a look, from the fingerprint (its column's name is given) to timezone_offset. */
void cm_sim_write_look(cm_sim_rows *rows, const char *fingerprint_name, const cm_sim_look *look);

/** A field of text made by cm_sim_put_...: from bytes up to end. */
static inline void cm_sim_write_id(cm_sim_rows *rows, const char *name, const char *bytes,
                                   const char *end)
{
    cm_sim_row_text(rows, name, cm_sim_slice(bytes, end));
}

#endif
