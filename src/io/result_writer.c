#include "io/result_writer.h"

#include "io/scan.h"
#include "io/text_writer.h"

#define CONFIDENCE_DECIMALS 4
#define PROBABILITY_DECIMALS 6

static const char header[] =
    "conversion_id,tenant_id,click_id,campaign_id,adset_id,ad_id,creative_id,"
    "attribution_method,attribution_confidence,match_probability,"
    "attribution_window_hours,layer_1_result,layer_2_result,layer_3_result,"
    "candidates,model\n";

void cm_result_write_header(cm_format format, cm_buffer *buffer)
{
    if (format == CM_FORMAT_CSV)
        cm_buffer_append(buffer, header, sizeof header - 1);
}

void cm_candidates_write(cm_buffer *buffer, const cm_result *result)
{
    cm_buffer_append_char(buffer, '[');
    for (uint32_t i = 0; i < result->candidate_count; i++) {
        if (i > 0)
            cm_buffer_append_char(buffer, ',');
        cm_buffer_append_text(buffer, "{\"click_id\":");
        cm_json_append(buffer, result->candidates[i].click_id);
        cm_buffer_append_text(buffer, ",\"probability\":");
        cm_buffer_append_share(buffer, result->candidates[i].probability, PROBABILITY_DECIMALS);
        cm_buffer_append_char(buffer, '}');
    }
    cm_buffer_append_char(buffer, ']');
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void field_csv(cm_buffer *buffer, cm_slice text)
{
    cm_csv_append(buffer, text);
    cm_buffer_append_char(buffer, ',');
}

static void word_csv(cm_buffer *buffer, const char *word)
{
    cm_buffer_append_text(buffer, word);
    cm_buffer_append_char(buffer, ',');
}

/* Do all ids stand for themselves in JSON? */
static bool are_plain(const cm_result *result)
{
    for (uint32_t i = 0; i < result->candidate_count; i++) {
        cm_slice id = result->candidates[i].click_id;
        if (cm_scan_json(id.data, id.size) < id.size)
            return false;
    }
    return true;
}

/* What cm_candidates_write and cm_csv_quote would come to, where all ids are plain. */
static void plain_candidates_csv(cm_buffer *buffer, const cm_result *result)
{
    static const char before[] = ",{\"\"click_id\"\":\"\"", between[] = "\"\",\"\"probability\"\":";
    cm_buffer_append(buffer, "\"[", 2);
    for (uint32_t i = 0; i < result->candidate_count; i++) {
        size_t skip = i == 0; /* no comma before the first */
        cm_buffer_append(buffer, before + skip, sizeof before - 1 - skip);
        cm_buffer_append_slice(buffer, result->candidates[i].click_id);
        cm_buffer_append(buffer, between, sizeof between - 1);
        cm_buffer_append_share(buffer, result->candidates[i].probability, PROBABILITY_DECIMALS);
        cm_buffer_append_char(buffer, '}');
    }
    cm_buffer_append(buffer, "]\"", 2);
}

static void candidates_csv(cm_buffer *buffer, const cm_result *result)
{
    size_t start = buffer->size;
    if (result->candidate_count == 0) {
        cm_buffer_append(buffer, "[]", 2);
    } else if (are_plain(result)) {
        plain_candidates_csv(buffer, result);
    } else {
        cm_candidates_write(buffer, result);
        cm_csv_quote(buffer, start);
    }
    cm_buffer_append_char(buffer, ',');
}

static void write_csv(cm_buffer *buffer, cm_slice conversion_id, cm_slice tenant_id,
                      const cm_result *result, const char *model_label)
{
    const cm_matched_click *click = &result->click;
    field_csv(buffer, conversion_id);
    field_csv(buffer, tenant_id);
    field_csv(buffer, click->click_id);
    field_csv(buffer, click->campaign_id);
    field_csv(buffer, click->adset_id);
    field_csv(buffer, click->ad_id);
    field_csv(buffer, click->creative_id);
    word_csv(buffer, cm_method_name(result->method));
    cm_buffer_append_share(buffer, result->confidence, CONFIDENCE_DECIMALS);
    cm_buffer_append_char(buffer, ',');
    cm_buffer_append_share(buffer, result->probability, PROBABILITY_DECIMALS);
    cm_buffer_append_char(buffer, ',');
    if (result->window_hours >= 0)
        cm_buffer_append_u64(buffer, (uint64_t)result->window_hours);
    cm_buffer_append_char(buffer, ',');
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        word_csv(buffer, cm_layer_word_name(result->layers[i]));
    candidates_csv(buffer, result);
    cm_csv_append(buffer, cm_slice_of_text(model_label));
    cm_buffer_append_char(buffer, '\n');
}

/* --- NDJSON ----------------------------------------------------------------------------------- */

/* name: `"click_id":` with what separates it from the member before. */
static void text_json(cm_buffer *buffer, const char *name, cm_slice text)
{
    cm_buffer_append_text(buffer, name);
    if (cm_slice_is_missing(text))
        cm_buffer_append(buffer, "null", 4);
    else
        cm_json_append(buffer, text);
}

/* A word of ours: nothing in it to escape. */
static void word_json(cm_buffer *buffer, const char *name, const char *word)
{
    cm_buffer_append_text(buffer, name);
    cm_buffer_append_text(buffer, word);
    cm_buffer_append_char(buffer, '"');
}

static void share_json(cm_buffer *buffer, const char *name, double share, unsigned decimals)
{
    cm_buffer_append_text(buffer, name);
    cm_buffer_append_share(buffer, share, decimals);
}

static void write_ndjson(cm_buffer *buffer, cm_slice conversion_id, cm_slice tenant_id,
                         const cm_result *result, const char *model_label)
{
    static const char *const layers[CM_LAYER_COUNT] = {
        ",\"layer_1_result\":\"", ",\"layer_2_result\":\"", ",\"layer_3_result\":\""};
    const cm_matched_click *click = &result->click;
    text_json(buffer, "{\"conversion_id\":", conversion_id);
    text_json(buffer, ",\"tenant_id\":", tenant_id);
    text_json(buffer, ",\"click_id\":", click->click_id);
    text_json(buffer, ",\"campaign_id\":", click->campaign_id);
    text_json(buffer, ",\"adset_id\":", click->adset_id);
    text_json(buffer, ",\"ad_id\":", click->ad_id);
    text_json(buffer, ",\"creative_id\":", click->creative_id);
    word_json(buffer, ",\"attribution_method\":\"", cm_method_name(result->method));
    share_json(buffer, ",\"attribution_confidence\":", result->confidence, CONFIDENCE_DECIMALS);
    share_json(buffer, ",\"match_probability\":", result->probability, PROBABILITY_DECIMALS);
    cm_buffer_append_text(buffer, ",\"attribution_window_hours\":");
    if (result->window_hours >= 0)
        cm_buffer_append_u64(buffer, (uint64_t)result->window_hours);
    else
        cm_buffer_append(buffer, "null", 4);
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        word_json(buffer, layers[i], cm_layer_word_name(result->layers[i]));
    cm_buffer_append_text(buffer, ",\"candidates\":");
    cm_candidates_write(buffer, result);
    text_json(buffer, ",\"model\":", cm_slice_of_text(model_label));
    cm_buffer_append(buffer, "}\n", 2);
}

void cm_result_write(cm_format format, cm_buffer *buffer, cm_slice conversion_id,
                     cm_slice tenant_id, const cm_result *result, const char *model_label)
{
    if (format == CM_FORMAT_CSV)
        write_csv(buffer, conversion_id, tenant_id, result, model_label);
    else
        write_ndjson(buffer, conversion_id, tenant_id, result, model_label);
}

/* --- Streams ---------------------------------------------------------------------------------- */

/* Take back the end of a row, to go on with it. */
static void reopen(cm_buffer *buffer, size_t end_size)
{
    if (!buffer->failed)
        buffer->size -= end_size;
}

void cm_result_write_marked_header(cm_format format, cm_buffer *buffer)
{
    if (format != CM_FORMAT_CSV)
        return;
    cm_result_write_header(format, buffer);
    reopen(buffer, 1);
    cm_buffer_append_text(buffer, ",seq,late\n");
}

static void mark_csv(cm_buffer *buffer, const cm_result_mark *mark)
{
    reopen(buffer, 1);
    cm_buffer_append_char(buffer, ',');
    if (mark->has_seq)
        cm_buffer_append_u64(buffer, mark->seq);
    cm_buffer_append_text(buffer, mark->is_late ? ",true\n" : ",false\n");
}

static void mark_ndjson(cm_buffer *buffer, const cm_result_mark *mark)
{
    reopen(buffer, 2);
    if (mark->has_seq) {
        cm_buffer_append_text(buffer, ",\"seq\":");
        cm_buffer_append_u64(buffer, mark->seq);
    }
    cm_buffer_append_text(buffer, mark->is_late ? ",\"late\":true}\n" : "}\n");
}

void cm_result_write_marked(cm_format format, cm_buffer *buffer, cm_slice conversion_id,
                            cm_slice tenant_id, const cm_result *result, const char *model_label,
                            const cm_result_mark *mark)
{
    cm_result_write(format, buffer, conversion_id, tenant_id, result, model_label);
    if (format == CM_FORMAT_CSV)
        mark_csv(buffer, mark);
    else
        mark_ndjson(buffer, mark);
}
