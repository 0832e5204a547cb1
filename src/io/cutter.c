#include "io/rows.h"

void cm_cutter_init(cm_cutter *cutter, cm_format format)
{
    *cutter = (cm_cutter){.format = format};
}

static void find_last_line(cm_cutter *cutter, const char *buffer, size_t size)
{
    const char *found = size == cutter->scanned
                            ? NULL
                            : memrchr(buffer + cutter->scanned, '\n', size - cutter->scanned);
    if (found != NULL)
        cutter->border = (size_t)(found - buffer) + 1;
    cutter->scanned = size;
}

size_t cm_cutter_border(cm_cutter *cutter, const char *buffer, size_t size)
{
    if (cutter->format == CM_FORMAT_NDJSON) {
        find_last_line(cutter, buffer, size);
        return cutter->border;
    }
    size_t end;
    while (cm_csv_walk_row(&cutter->walk, buffer, size, false, &end) != CM_CSV_END_UNKNOWN)
        cutter->border = cutter->walk.row;
    return cutter->border;
}

void cm_cutter_take(cm_cutter *cutter)
{
    cm_csv_walk_take(&cutter->walk, cutter->border);
    cutter->scanned -= cutter->format == CM_FORMAT_NDJSON ? cutter->border : 0;
    cutter->border = 0;
}
