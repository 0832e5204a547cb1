/* What is right, in general: what layer 1 says, and which clicks are of one device. */
#include <stdlib.h>

#include "cmd/evaluate.h"
#include "util/error.h"

/* ---- layer 1 ---- */

struct layer_1 {
    const cm_records *records;
    cm_rights *rights;
};

static void take_layer_1(void *context, uint32_t number, const cm_result *result)
{
    const struct layer_1 *all = context;
    const cm_conversion *conversion = &all->records->conversions[number];
    uint32_t click = CM_NUMBER_NONE;
    if (result->method == CM_METHOD_URL_PARAM)
        click = cm_records_click(all->records, conversion->tenant_id, result->click.click_id);
    all->rights->layer_1[number] = click;
}

static cm_status create_rights(const cm_records *records, cm_rights *rights, cm_error *error)
{
    size_t count = records->conversion_count + 1;
    *rights = (cm_rights){
        .layer_1 = malloc(count * sizeof *rights->layer_1),
        .right = malloc(count * sizeof *rights->right),
        .is_judged = calloc(count, sizeof *rights->is_judged),
    };
    if (rights->layer_1 == NULL || rights->right == NULL || rights->is_judged == NULL)
        return cm_error_memory(error, "the right clicks", count * 9);
    for (size_t i = 0; i < count; i++)
        rights->layer_1[i] = rights->right[i] = CM_NUMBER_NONE;
    cm_status status = CM_OK;
    for (unsigned kind = 0; kind < CM_GROUPING_COUNT && status == CM_OK; kind++)
        status = cm_grouping_make(records, (cm_grouping_kind)kind, &rights->groupings[kind], error);
    return status;
}

cm_status cm_evaluate_layer_1(const cm_records *records, const cm_evaluate_options *options,
                              cm_rights *rights, cm_error *error)
{
    struct layer_1 all = {records, rights};
    const cm_records_pass pass = {.threads = options->threads,
                                  .interrupted = options->interrupted,
                                  .context = &all,
                                  .take = take_layer_1};
    const cm_options engine_options = {.hash_seed = options->hash_seed};
    cm_engine *engine = NULL;
    cm_status status = create_rights(records, rights, error);
    if (status == CM_OK)
        status = cm_engine_create(&engine_options, NULL, &engine, error);
    if (status == CM_OK)
        status = cm_records_load(records, &pass, engine, error);
    if (status == CM_OK)
        status = cm_records_match(records, &pass, NULL, records->conversion_count, engine, error);
    cm_engine_destroy(engine);
    return status;
}

void cm_rights_destroy(cm_rights *rights)
{
    free(rights->layer_1);
    free(rights->right);
    free(rights->is_judged);
    free(rights->is_masked);
    free(rights->is_deleted);
    free(rights->click_owner);
    free(rights->conversion_owner);
    free(rights->looks);
    free(rights->places);
    free(rights->spots);
    for (size_t i = 0; i < CM_GROUPING_COUNT; i++)
        cm_grouping_destroy(&rights->groupings[i]);
    *rights = (cm_rights){0};
}

bool cm_rights_same_device(const cm_rights *rights, uint32_t a, uint32_t b)
{
    if (rights->click_owner != NULL)
        return rights->click_owner[a] != CM_NUMBER_NONE &&
               rights->click_owner[a] == rights->click_owner[b];
    return (rights->looks[a] != 0 && rights->looks[a] == rights->looks[b]) ||
           (rights->places[a] != 0 && rights->places[a] == rights->places[b]);
}
