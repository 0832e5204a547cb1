/* Reading and checking the values of a model file, each by itself. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_value.h"
#include "util/error.h"

cm_status cm_model_refuse(const cm_model_place *place, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return cm_error_set(place->draft->error, CM_ERROR_MODEL, "model: %s%s: %s", place->section,
                        place->field->name, reason);
}

static cm_status no_memory(const cm_model_place *place, size_t bytes)
{
    return cm_error_memory(place->draft->error, "a model", bytes);
}

/* Whole numbers arrive as reals too: JSON_DECODE_INT_AS_REAL. */
static cm_status read_number(const cm_model_place *place, const json_t *value, double *number)
{
    *number = json_real_value(value);
    return json_is_real(value) ? CM_OK : cm_model_refuse(place, "not a number");
}

static cm_status check_probability(const cm_model_place *place, double number)
{
    if (!(number > 0 && number < 1))
        return cm_model_refuse(place, "%.10g is not strictly between 0 and 1", number);
    if (number < CM_CHANCE_LEAST)
        return cm_model_refuse(place, "%.10g is below the least chance, %g", number,
                               CM_CHANCE_LEAST);
    return CM_OK;
}

cm_status cm_model_read_text(const cm_model_place *place, const json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    char **target = slot;
    if (text == NULL)
        return cm_model_refuse(place, "not text");
    size_t size = strlen(text);
    if (size == 0)
        return cm_model_refuse(place, "empty");
    if (size > CM_MODEL_TEXT_BYTES_MAX)
        return cm_model_refuse(place, "longer than %zu bytes", CM_MODEL_TEXT_BYTES_MAX);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return cm_model_refuse(place, "contains a control character");
    if (place->field->param == '@' && strchr(text, '@') != NULL)
        return cm_model_refuse(place, "contains an @, which separates name and version");
    char *copy = strdup(text);
    if (copy == NULL)
        return no_memory(place, size + 1);
    free(*target);
    *target = copy;
    return CM_OK;
}

cm_status cm_model_read_probability(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_status status = read_number(place, value, slot);
    return status == CM_OK ? check_probability(place, *(double *)slot) : status;
}

cm_status cm_model_read_rivals(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_status status = read_number(place, value, slot);
    if (status == CM_OK && !(*(double *)slot > 0))
        return cm_model_refuse(place, "%.10g is not above 0", *(double *)slot);
    if (status == CM_OK && *(double *)slot < CM_RIVALS_LEAST)
        return cm_model_refuse(place, "%.10g is below the least, %g", *(double *)slot,
                               CM_RIVALS_LEAST);
    return status;
}

cm_status cm_model_read_repeat(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_status status = read_number(place, value, slot);
    if (status == CM_OK && !(*(double *)slot >= 0 && *(double *)slot <= CM_REPEAT_LIMIT))
        return cm_model_refuse(place, "%.10g is not from 0 to %.0f", *(double *)slot,
                               CM_REPEAT_LIMIT);
    return status;
}

cm_status cm_model_read_hours(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_status status = read_number(place, value, slot);
    double hours = *(double *)slot;
    if (status == CM_OK && hours < 0)
        return cm_model_refuse(place, "%.10g is below 0", hours);
    if (status == CM_OK && hours > CM_HOURS_LIMIT)
        return cm_model_refuse(place, "%.10g is above %.0f hours", hours, CM_HOURS_LIMIT);
    return status;
}

/* max_candidates and the prefixes. */
cm_status cm_model_read_count(const cm_model_place *place, const json_t *value, void *slot)
{
    double number;
    cm_status status = read_number(place, value, &number);
    if (status != CM_OK)
        return status;
    if (!(number >= 1) || number > (double)place->field->param ||
        number != (double)(unsigned)number)
        return cm_model_refuse(place, "%.10g is not a whole number from 1 to %zu", number,
                               place->field->param);
    *(unsigned *)slot = (unsigned)number;
    return CM_OK;
}

/* One value of an array by delay bin. Edges are compared with one another later. */
static cm_status read_bin(const cm_model_place *place, const json_t *value, double *number)
{
    if (place->field->param == CM_BINS_DELAY_HOURS)
        return cm_model_read_hours(place, value, number);
    cm_status status = read_number(place, value, number);
    if (status == CM_OK && !(place->field->param == CM_BINS_DELAY_M && *number == 0))
        status = check_probability(place, *number);
    return status;
}

cm_status cm_model_read_bins(const cm_model_place *place, const json_t *value, void *slot)
{
    double **target = slot;
    size_t count = json_array_size(value);
    if (!json_is_array(value))
        return cm_model_refuse(place, "not an array");
    if (count == 0)
        return cm_model_refuse(place, "empty; give one value per bin");
    double *numbers = malloc(count * sizeof *numbers);
    if (numbers == NULL)
        return no_memory(place, count * sizeof *numbers);
    free(*target);
    *target = numbers;
    place->draft->bin_counts[place->field->param] = count;
    cm_status status = CM_OK;
    for (size_t i = 0; status == CM_OK && i < count; i++)
        status = read_bin(place, json_array_get(value, i), &numbers[i]);
    return status;
}

static cm_status read_pair(const cm_model_place *place, const json_t *value, const char *what,
                           double *first, double *second)
{
    if (!json_is_array(value) || json_array_size(value) != 2)
        return cm_model_refuse(place, "not %s", what);
    cm_status status = read_number(place, json_array_get(value, 0), first);
    return status == CM_OK ? read_number(place, json_array_get(value, 1), second) : status;
}

cm_status cm_model_read_band(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_layer_model *layer = slot;
    double lo = 0, hi = 0;
    cm_status status = read_pair(place, value, "two numbers [lo, hi]", &lo, &hi);
    if (status != CM_OK)
        return status;
    if (!(lo >= 0 && lo < hi && hi < 1))
        return cm_model_refuse(place, "[%.10g, %.10g] is not 0 <= lo < hi < 1", lo, hi);
    layer->band_lo = lo;
    layer->band_hi = hi;
    return CM_OK;
}

cm_status cm_model_read_chances(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_chances *chances = slot;
    double m = 0, u = 0;
    cm_status status = read_pair(place, value, "two numbers [m, u]", &m, &u);
    if (status == CM_OK)
        status = check_probability(place, m);
    if (status == CM_OK)
        status = check_probability(place, u);
    if (status == CM_OK)
        *chances = (cm_chances){m, u};
    return status;
}

static cm_status check_knot(const cm_model_place *place, const cm_knot *knots, size_t i)
{
    if (!(knots[i].y >= 0 && knots[i].y <= 1))
        return cm_model_refuse(place, "knot %zu: y = %.10g is not from 0 to 1", i + 1, knots[i].y);
    if (i > 0 && !(knots[i].x > knots[i - 1].x))
        return cm_model_refuse(place, "knot %zu: x = %.10g does not rise", i + 1, knots[i].x);
    if (i > 0 && knots[i].y < knots[i - 1].y)
        return cm_model_refuse(place, "knot %zu: y = %.10g falls", i + 1, knots[i].y);
    return CM_OK;
}

cm_status cm_model_read_calibration(const cm_model_place *place, const json_t *value, void *slot)
{
    cm_layer_model *layer = slot;
    size_t count = json_array_size(value);
    if (!json_is_array(value))
        return cm_model_refuse(place, "not an array of knots [x, y]");
    free(layer->knots);
    layer->knots = NULL;
    layer->knot_count = 0;
    if (count == 0)
        return CM_OK;
    layer->knots = malloc(count * sizeof *layer->knots);
    if (layer->knots == NULL)
        return no_memory(place, count * sizeof *layer->knots);
    layer->knot_count = count;
    cm_status status = CM_OK;
    for (size_t i = 0; status == CM_OK && i < count; i++) {
        status = read_pair(place, json_array_get(value, i), "an array of knots [x, y]",
                           &layer->knots[i].x, &layer->knots[i].y);
        if (status == CM_OK)
            status = check_knot(place, layer->knots, i);
    }
    return status;
}
