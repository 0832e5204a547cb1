#include "io/codec.h"

const char cm_row_too_long[] = "row longer than 1048576 bytes";
_Static_assert(CM_ROW_BYTES_MAX == 1048576, "the reason names the limit");

void cm_row_reader_init(cm_row_reader *reader, const cm_layout *layout, const char *block,
                        size_t size, cm_arena *arena)
{
    *reader = (cm_row_reader){.layout = layout, .block = block, .size = size, .arena = arena};
    if (layout->format == CM_FORMAT_CSV)
        cm_csv_begin(reader);
}

bool cm_row_reader_next(cm_row_reader *reader, cm_row *row)
{
    if (reader->layout->format == CM_FORMAT_CSV)
        return cm_csv_next(reader, row);
    return cm_ndjson_next(reader, row);
}
