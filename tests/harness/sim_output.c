#include "harness/sim_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cm_status keep(void *context, const char *data, size_t size, cm_error *error)
{
    sim_output *b = context;
    assert_non_null(error);
    assert_true(size > 0);
    if (b->calls_max != 0 && b->calls++ == b->calls_max) {
        snprintf(error->message, sizeof error->message, "the disk is full");
        return error->code = CM_ERROR_IO;
    }
    if (b->capacity < b->size + size + 1) {
        b->capacity = 2 * (b->size + size + 1);
        b->data = realloc(b->data, b->capacity);
        assert_non_null(b->data);
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = '\0';
    return CM_OK;
}

cm_sim_sinks sim_sinks_of(sim_output *outputs)
{
    return (cm_sim_sinks){{keep, &outputs[CLICKS]},
                          {keep, &outputs[CONVERSIONS]},
                          {keep, &outputs[CLICK_TRUTH]},
                          {keep, &outputs[CONVERSION_TRUTH]}};
}

void sim_outputs_make(const cm_sim_config *config, sim_output *outputs)
{
    cm_error error;
    memset(outputs, 0, OUTPUTS * sizeof *outputs);
    cm_sim_sinks sinks = sim_sinks_of(outputs);
    assert_int_equal(cm_sim_run(config, &sinks, &error), CM_OK);
}

void sim_outputs_free(sim_output *outputs)
{
    for (int i = 0; i < OUTPUTS; i++)
        free(outputs[i].data);
}

cm_sim_config sim_config_of(uint64_t clicks, uint64_t conversions)
{
    cm_sim_config config;
    cm_sim_config_default(&config);
    config.click_count = clicks;
    config.conversion_count = conversions;
    return config;
}

size_t sim_line_count(const sim_output *b)
{
    size_t count = 0;
    for (size_t i = 0; i < b->size; i++)
        count += b->data[i] == '\n';
    return count;
}
