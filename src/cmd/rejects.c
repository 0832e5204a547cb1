#include "cmd/rejects.h"

#include <stdlib.h>

#include "cmd/progress.h"
#include "util/error.h"
#include "util/json.h"
#include "util/uthash_map.h"

#define TOLD_PER_SOURCE 5
#define BUFFER_BYTES ((size_t)256 << 10)
#define FREE_REJECTS 1000u

/* Fields and reasons are static text, so that their addresses are a key. */
struct tally_key {
    const char *field; /* NULL: the row as a whole */
    const char *reason;
    const char *kind;
};

struct cm_reject_tally {
    struct tally_key key;
    uint64_t rows;
    UT_hash_handle hh;
};

const char *cm_rejects_kind_name(cm_row_kind kind)
{
    return kind == CM_ROW_CLICK ? "clicks" : "conversions";
}

cm_status cm_rejects_open(const char *path, const cm_output_options *options, cm_log *log,
                          cm_rejects *rejects, cm_error *error)
{
    cm_output_options given = *options;
    given.option = "--rejects";
    given.is_private = true;
    *rejects = (cm_rejects){.log = log};
    return path == NULL ? CM_OK : cm_output_open(path, &given, &rejects->output, error);
}

void cm_rejects_source(cm_rejects *rejects, const char *kind)
{
    rejects->kind = kind;
    rejects->in_source = 0;
}

static cm_status count(cm_rejects *rejects, const cm_reject_line *reject, cm_error *error)
{
    struct tally_key key = {reject->field, reject->reason, rejects->kind};
    cm_reject_tally *tally;
    HASH_FIND(hh, rejects->tallies, &key, sizeof key, tally);
    if (tally == NULL) {
        tally = calloc(1, sizeof *tally);
        if (tally == NULL)
            return cm_error_memory(error, "the counts of rejected rows", sizeof *tally);
        tally->key = key;
        HASH_ADD(hh, rejects->tallies, key, sizeof key, tally);
        if (tally->hh.tbl == NULL) {
            free(tally);
            return cm_error_memory(error, "the counts of rejected rows", sizeof *tally);
        }
    }
    tally->rows++;
    return CM_OK;
}

cm_status cm_rejects_flush(cm_rejects *rejects, cm_error *error)
{
    if (rejects->output == NULL)
        return CM_OK;
    cm_sink *sink = cm_output_sink(rejects->output);
    if (rejects->buffer.failed)
        return cm_error_memory(error, "rejected rows", BUFFER_BYTES);
    if (rejects->buffer.size == 0)
        return CM_OK;
    cm_status status =
        sink->write(sink->context, rejects->buffer.data, rejects->buffer.size, error);
    rejects->buffer.size = 0;
    return status;
}

static void tell(const cm_rejects *rejects, const cm_reject_line *reject)
{
    bool whole = reject->field == NULL;
    cm_log_warning(rejects->log, "%.300s:%llu: %s%s%s", reject->source,
                   (unsigned long long)reject->line, whole ? "" : reject->field, whole ? "" : ": ",
                   reject->reason);
}

cm_status cm_rejects_take(cm_rejects *rejects, const cm_reject_line *reject, cm_error *error)
{
    if (rejects->in_source++ < TOLD_PER_SOURCE && rejects->log != NULL)
        tell(rejects, reject);
    cm_status status = count(rejects, reject, error);
    if (status != CM_OK || rejects->output == NULL)
        return status;
    cm_reject_write(&rejects->buffer, reject);
    return rejects->buffer.size < BUFFER_BYTES ? CM_OK : cm_rejects_flush(rejects, error);
}

void cm_rejects_source_end(cm_rejects *rejects, const char *name)
{
    char room[CM_COUNT_BYTES];
    if (rejects->in_source <= TOLD_PER_SOURCE || rejects->log == NULL)
        return;
    cm_count_text(rejects->in_source - TOLD_PER_SOURCE, room);
    cm_log_warning(rejects->log, "%.300s: %s more rejected rows%s", name, room,
                   rejects->output == NULL ? "; --rejects FILE keeps them all" : "");
}

cm_status cm_rejects_commit(cm_rejects *rejects, cm_error *error)
{
    if (rejects->output == NULL)
        return CM_OK;
    cm_status status = cm_rejects_flush(rejects, error);
    if (status != CM_OK)
        return status;
    cm_output *output = rejects->output;
    rejects->output = NULL;
    return cm_output_commit(output, error);
}

json_t *cm_rejects_json(const cm_rejects *rejects)
{
    json_t *list = json_array();
    for (cm_reject_tally *tally = rejects->tallies; tally != NULL; tally = tally->hh.next)
        list = cm_json_add(list, json_pack("{s:s,s:s?,s:s,s:I}", "kind", tally->key.kind, "field",
                                           tally->key.field, "reason", tally->key.reason, "rows",
                                           (json_int_t)tally->rows));
    return list;
}

void cm_rejects_text(const cm_rejects *rejects, cm_buffer *text)
{
    for (cm_reject_tally *tally = rejects->tallies; tally != NULL; tally = tally->hh.next) {
        char line[256];
        char room[CM_COUNT_BYTES];
        bool whole = tally->key.field == NULL;
        int size = snprintf(line, sizeof line, "  %s rejected: %s%s%s: %s\n", tally->key.kind,
                            whole ? "" : tally->key.field, whole ? "" : ": ", tally->key.reason,
                            cm_count_text(tally->rows, room));
        if (size > 0)
            cm_buffer_append_text(text, line);
    }
}

void cm_rejects_destroy(cm_rejects *rejects)
{
    cm_reject_tally *tally;
    cm_reject_tally *next;
    HASH_ITER(hh, rejects->tallies, tally, next)
    {
        HASH_DEL(rejects->tallies, tally);
        free(tally);
    }
    cm_output_abort(rejects->output);
    cm_buffer_destroy(&rejects->buffer);
    *rejects = (cm_rejects){0};
}

cm_status cm_rejects_check(const cm_settings *settings, const char *source, uint64_t rows,
                           uint64_t rejected, cm_error *error)
{
    const cm_option_value *limit = &settings->values[CM_OPTION_MAX_REJECTS];
    char counts[3][CM_COUNT_BYTES];
    uint64_t allowed = rows / 100 > FREE_REJECTS ? rows / 100 : FREE_REJECTS;
    if (limit->given)
        allowed = limit->none ? UINT64_MAX : limit->number;
    if (rejected <= allowed)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_REJECTS,
                        "%.200s: %s of %s rows rejected, %s are allowed; mend them (--rejects FILE "
                        "keeps them), take bad optional fields as missing (--lenient), or allow "
                        "more (--max-rejects)",
                        source, cm_count_text(rejected, counts[0]), cm_count_text(rows, counts[1]),
                        cm_count_text(allowed, counts[2]));
}
