#include "io/codec.h"

const char cm_row_too_long[] = "row longer than 1048576 bytes";
_Static_assert(CM_ROW_BYTES_MAX == 1048576, "the reason names the limit");

const char *cm_row_limit(cm_row *row, size_t bytes_max)
{
    if (row->end - row->start <= bytes_max)
        return NULL;
    row->byte = row->start;
    return "row longer than --line-max";
}

void cm_row_reader_init(cm_row_reader *reader, const cm_layout *layout, const char *block,
                        size_t size, cm_arena *arena)
{
    /* Member by member: the marks need no clearing. */
    reader->layout = layout;
    reader->block = block;
    reader->size = size;
    reader->at = 0;
    reader->line = 0;
    reader->arena = arena;
    reader->out_of_memory = false;
    reader->walk = (cm_csv_walk){0};
    reader->kernel = cm_mark_kernel_best();
    reader->stretch = reader->stretch_end = 0;
    reader->mark_next = reader->mark_count = 0;
}

bool cm_row_reader_next(cm_row_reader *reader, cm_row *row)
{
    if (reader->layout->format == CM_FORMAT_CSV)
        return cm_csv_next(reader, row);
    return cm_ndjson_next(reader, row);
}

void cm_row_reader_return(cm_row_reader *reader, const cm_row *row)
{
    reader->at = row->start;
    reader->line = row->line;
    reader->stretch = reader->stretch_end = row->start;
    reader->mark_next = reader->mark_count = 0;
}
