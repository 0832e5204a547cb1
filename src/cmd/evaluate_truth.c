/* The right clicks by a truth, which says of each click and conversion which device made it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/evaluate.h"
#include "cmd/inputs.h"
#include "io/blocks.h"
#include "model/normal.h"
#include "util/hash.h"
#include "util/slice.h"

#define PATH_BYTES 4096
#define EXPIRY_US_MAX (30 * 24 * CM_HOUR_US) /* what a click's own expires_at can be at most */

struct truth {
    const cm_records *records;
    cm_rights *rights;
    cm_dictionary owners; /* tenant and device as one text */
    cm_buffer key;
};

/* ---- files ---- */

/* Tenant, NUL, device: no id holds a NUL. */
static uint32_t owner_of(struct truth *truth, cm_slice tenant, cm_slice device)
{
    cm_buffer *key = &truth->key;
    key->size = 0;
    cm_buffer_append_slice(key, tenant);
    cm_buffer_append_char(key, '\0');
    cm_buffer_append_slice(key, device);
    if (key->failed)
        return CM_NUMBER_NONE;
    cm_slice text = cm_slice_of(key->data, key->size);
    return cm_dictionary_intern(&truth->owners, text, cm_hash_slice(text, 0));
}

static cm_status take_row(struct truth *truth, cm_row_kind kind, const cm_row *row, cm_error *error)
{
    cm_slice tenant = row->values[0].text;
    cm_slice id = row->values[1].text;
    cm_slice device = row->values[2].text;
    bool is_click = kind == CM_ROW_CLICK_TRUTH;
    uint32_t number = is_click ? cm_records_click(truth->records, tenant, id)
                               : cm_records_conversion(truth->records, tenant, id);
    if (number == CM_NUMBER_NONE)
        return CM_OK; /* a truth may tell of more than there is to judge */
    uint32_t owner = owner_of(truth, tenant, device);
    if (owner == CM_NUMBER_NONE)
        return cm_error_memory(error, "the truth", cm_dictionary_memory(&truth->owners));
    uint32_t *owners = is_click ? truth->rights->click_owner : truth->rights->conversion_owner;
    owners[number] = owner;
    return CM_OK;
}

static cm_status check_row(const cm_row *row, const cm_block_reader *reader, uint64_t line,
                           cm_error *error)
{
    const char *fault = row->malformed;
    for (size_t i = 0; i < CM_FIELD_REQUIRED_COUNT && fault == NULL; i++)
        if (row->values[i].kind != CM_VALUE_TEXT || row->values[i].text.size == 0)
            fault = "tenant, id or device is missing";
    if (fault == NULL)
        return CM_OK;
    return cm_error_set_at(error, CM_ERROR_FORMAT, line + row->line, 0,
                           "%.200s, line %llu: %s; mend or remove the row", reader->source->name,
                           (unsigned long long)(line + row->line), fault);
}

/* What reading takes: too large for a stack. */
struct reading {
    cm_block block;
    cm_arena arena;
    cm_row row;
    cm_row_reader rows;
};

static cm_status read_block(struct truth *truth, cm_row_kind kind, struct reading *reading,
                            const cm_block_reader *reader, uint64_t line, cm_error *error)
{
    cm_status status = CM_OK;
    cm_arena_reset(&reading->arena);
    cm_row_reader_init(&reading->rows, &reader->layout, reading->block.data, reading->block.size,
                       &reading->arena);
    while (status == CM_OK && cm_row_reader_next(&reading->rows, &reading->row)) {
        status = check_row(&reading->row, reader, line, error);
        if (status == CM_OK)
            status = take_row(truth, kind, &reading->row, error);
    }
    if (status == CM_OK && reading->rows.out_of_memory)
        return cm_error_memory(error, "the values of a row", CM_ROW_BYTES_MAX);
    return status;
}

static cm_status read_rows(struct truth *truth, cm_row_kind kind, cm_block_reader *reader,
                           cm_error *error)
{
    uint64_t line = reader->first_line;
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return cm_error_memory(error, "a row", sizeof *reading);
    cm_status status = cm_block_reader_next(reader, &reading->block, error);
    while (status == CM_OK && reading->block.size > 0) {
        status = read_block(truth, kind, reading, reader, line, error);
        line += reading->rows.line + reading->block.lines_skipped;
        if (status == CM_OK)
            status = cm_block_reader_next(reader, &reading->block, error);
    }
    cm_arena_destroy(&reading->arena);
    cm_block_destroy(&reading->block);
    free(reading);
    return status;
}

static cm_status read_file(struct truth *truth, const char *folder, cm_row_kind kind,
                           cm_error *error)
{
    const char *name = kind == CM_ROW_CLICK_TRUTH ? "click_truth" : "conversion_truth";
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%.4000s/%s.csv", folder, name);
    if (access(path, F_OK) != 0)
        (void)snprintf(path, sizeof path, "%.4000s/%s.ndjson", folder, name);
    if (access(path, F_OK) != 0)
        return cm_error_set(error, CM_ERROR_IO,
                            "no %s.csv or %s.ndjson in %.300s; --truth takes the directory that "
                            "simulate wrote",
                            name, name, folder);
    cm_opened opened;
    cm_block_reader reader;
    cm_status status = cm_opened_open(path, &opened, error);
    if (status != CM_OK)
        return status;
    status = cm_block_reader_open(&opened.unpacked, kind, NULL, &reader, error);
    if (status == CM_OK) {
        status = read_rows(truth, kind, &reader, error);
        cm_block_reader_close(&reader);
    }
    cm_opened_close(&opened);
    return status;
}

/* ---- right clicks ---- */

/* A device's clicks side by side, oldest first. */
struct place {
    uint32_t owner, click;
    int64_t time;
    cm_slice click_id;
};

static int compare(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return -cm_slice_compare(a->click_id, b->click_id); /* of equals the smaller id is newer */
}

static struct place *list_clicks(const cm_records *records, const cm_rights *rights)
{
    struct place *places = malloc((records->click_count + 1) * sizeof *places);
    for (size_t i = 0; places != NULL && i < records->click_count; i++) {
        const cm_click *click = &records->clicks[i];
        places[i] = (struct place){rights->click_owner[i], (uint32_t)i, click->click_timestamp,
                                   click->click_id};
    }
    if (places != NULL)
        qsort(places, records->click_count, sizeof *places, compare);
    return places;
}

/* The number of clicks up to a device's last one at or before a time. */
static size_t places_until(const struct place *places, size_t count, uint32_t owner, int64_t t)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = places[middle].owner < owner ||
                         (places[middle].owner == owner && places[middle].time <= t);
        if (is_before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The newest click of an owner that is active at a time. */
static uint32_t newest_active(const cm_records *records, const struct place *places, uint32_t owner,
                              int64_t t, int64_t window_us)
{
    size_t at = places_until(places, records->click_count, owner, t);
    for (; at-- > 0 && places[at].owner == owner && t - places[at].time < EXPIRY_US_MAX;) {
        const cm_click *click = &records->clicks[places[at].click];
        int64_t expiry = cm_click_expiry(click->click_timestamp, click->expires_at, window_us);
        if (click->is_valid && t < expiry)
            return places[at].click;
    }
    return CM_NUMBER_NONE;
}

/* The same where no click has an end of its own: what a truth of simulate names. */
static uint32_t newest_in_window(const cm_records *records, const struct place *places,
                                 uint32_t owner, int64_t t, int64_t window_us)
{
    size_t at = places_until(places, records->click_count, owner, t);
    for (; at-- > 0 && places[at].owner == owner && t - places[at].time < window_us;)
        if (records->clicks[places[at].click].is_valid)
            return places[at].click;
    return CM_NUMBER_NONE;
}

static void judge(const struct truth *truth, const struct place *places, int64_t window_us,
                  uint32_t number, cm_evaluation *evaluation)
{
    const cm_records *records = truth->records;
    cm_rights *rights = truth->rights;
    uint32_t owner = rights->conversion_owner[number];
    if (owner == CM_NUMBER_NONE) {
        evaluation->without_truth++;
        return;
    }
    int64_t t = records->conversions[number].conversion_timestamp;
    uint32_t right = newest_active(records, places, owner, t, window_us);
    if (rights->layer_1[number] != CM_NUMBER_NONE) {
        evaluation->layer_1_right += rights->layer_1[number] == right;
        return;
    }
    rights->right[number] = right;
    rights->is_judged[number] = true;
    evaluation->judged++;
    evaluation->organic += right == CM_NUMBER_NONE;
    evaluation->own_expiry += right != newest_in_window(records, places, owner, t, window_us);
}

static cm_status find_rights(const struct truth *truth, int64_t window_us,
                             cm_evaluation *evaluation, cm_error *error)
{
    const cm_records *records = truth->records;
    struct place *places = list_clicks(records, truth->rights);
    if (places == NULL)
        return cm_error_memory(error, "the clicks by device",
                               records->click_count * sizeof *places);
    for (size_t i = 0; i < records->conversion_count; i++)
        judge(truth, places, window_us, (uint32_t)i, evaluation);
    for (size_t i = 0; i < records->click_count; i++)
        evaluation->clicks_unknown += truth->rights->click_owner[i] == CM_NUMBER_NONE;
    free(places);
    if (evaluation->judged > 0)
        return CM_OK;
    return cm_error_set(error, CM_ERROR_FORMAT,
                        "nothing to judge: the truth knows none of the conversions that layer 1 "
                        "leaves open; is it the same world's?");
}

/* The window that makes a click active: the default model's, whatever the judged ones have. */
static cm_status default_window(int64_t *window_us, cm_error *error)
{
    cm_model *model = NULL;
    cm_status status = cm_model_create(NULL, 0, &model, error);
    if (status == CM_OK)
        *window_us = model->window_us;
    cm_model_destroy(model);
    return status;
}

static uint32_t *create_owners(size_t count)
{
    uint32_t *owners = malloc((count + 1) * sizeof *owners);
    if (owners == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        owners[i] = CM_NUMBER_NONE;
    return owners;
}

cm_status cm_evaluate_truth(const char *folder, const cm_records *records, cm_rights *rights,
                            cm_evaluation *evaluation, cm_error *error)
{
    int64_t window_us = 0;
    struct truth truth = {.records = records, .rights = rights};
    rights->click_owner = create_owners(records->click_count);
    rights->conversion_owner = create_owners(records->conversion_count);
    if (rights->click_owner == NULL || rights->conversion_owner == NULL)
        return cm_error_memory(error, "the truth", records->click_count * sizeof(uint32_t));
    evaluation->has_truth = true;
    cm_status status = default_window(&window_us, error);
    if (status == CM_OK)
        status = read_file(&truth, folder, CM_ROW_CLICK_TRUTH, error);
    if (status == CM_OK)
        status = read_file(&truth, folder, CM_ROW_CONVERSION_TRUTH, error);
    if (status == CM_OK)
        status = find_rights(&truth, window_us, evaluation, error);
    cm_dictionary_destroy(&truth.owners);
    cm_buffer_destroy(&truth.key);
    return status;
}
