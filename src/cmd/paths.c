#include "cmd/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/error.h"

struct file_option {
    cm_option option;
    const char *name;
};

static const struct file_option OUTPUTS[] = {{CM_OPTION_OUTPUT, "--output"},
                                             {CM_OPTION_REJECTS, "--rejects"},
                                             {CM_OPTION_SUMMARY, "--summary"},
                                             {CM_OPTION_TRAIN_METRICS, "--metrics"},
                                             {CM_OPTION_HTML, "--html"}};
static const struct file_option INPUTS[] = {
    {CM_OPTION_CLICKS, "--clicks"},         {CM_OPTION_CONVERSIONS, "--conversions"},
    {CM_OPTION_EXPLAIN_CLICKS, "--clicks"}, {CM_OPTION_EXPLAIN_CONVERSIONS, "--conversions"},
    {CM_OPTION_EVENTS, "--events"},         {CM_OPTION_WARM_CLICKS, "--clicks"},
    {CM_OPTION_MODEL, "--model"},           {CM_OPTION_MODEL_OR_NAME, "--model"},
    {CM_OPTION_JUDGED_MODELS, "--model"},   {CM_OPTION_REFERENCE, "--reference"},
    {CM_OPTION_CHALLENGER, "--challenger"}, {CM_OPTION_HASH_PII, "--hash-pii"}};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The place a file has or would have, links and dots resolved. */
static void resolve(const char *path, char place[PATH_MAX])
{
    char folder[PATH_MAX];
    if (realpath(path, place) != NULL)
        return;
    const char *slash = strrchr(path, '/');
    int size = slash == NULL ? 1 : (int)(slash - path) + 1;
    (void)snprintf(folder, sizeof folder, "%.*s", size, slash == NULL ? "." : path);
    if (realpath(folder, place) == NULL)
        place[0] = '\0';
    size_t used = strlen(place);
    (void)snprintf(place + used, PATH_MAX - used, "/%s", slash == NULL ? path : slash + 1);
}

/* Devices and pipes can be shared; a file that is replaced as a whole cannot. */
static bool is_replaced(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

static bool is_same_file(const char *a, const char *b)
{
    char place_a[PATH_MAX];
    char place_b[PATH_MAX];
    if (!is_replaced(a) || !is_replaced(b))
        return false;
    resolve(a, place_a);
    resolve(b, place_b);
    return strcmp(place_a, place_b) == 0;
}

static cm_status check_outputs(const cm_settings *settings, size_t i, size_t j, cm_error *error)
{
    const char *a = cm_settings_text(settings, OUTPUTS[i].option);
    const char *b = cm_settings_text(settings, OUTPUTS[j].option);
    if (a == NULL || b == NULL)
        return CM_OK;
    bool both_standard = strcmp(a, "-") == 0 && strcmp(b, "-") == 0;
    bool one_standard = strcmp(a, "-") == 0 || strcmp(b, "-") == 0;
    if (!both_standard && (one_standard || !is_same_file(a, b)))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_USAGE,
                        "%s and %s both write to '%.200s'; give them different files",
                        OUTPUTS[j].name, OUTPUTS[i].name, a);
}

static cm_status check_input(const cm_settings *settings, size_t i, const struct file_option *input,
                             cm_error *error)
{
    const char *output = cm_settings_text(settings, OUTPUTS[i].option);
    const cm_option_value *inputs = &settings->values[input->option];
    if (output == NULL || strcmp(output, "-") == 0)
        return CM_OK;
    for (size_t k = 0; k < inputs->text_count; k++)
        if (strcmp(inputs->texts[k], "-") != 0 && is_same_file(output, inputs->texts[k]))
            return cm_error_set(error, CM_ERROR_USAGE,
                                "%s would replace '%.200s', which %s reads; give it another file",
                                OUTPUTS[i].name, output, input->name);
    return CM_OK;
}

/* The files of a directory that --truth names. */
static cm_status check_truth(const cm_settings *settings, size_t i, cm_error *error)
{
    static const char *const names[] = {"click_truth.csv", "click_truth.ndjson",
                                        "conversion_truth.csv", "conversion_truth.ndjson"};
    const char *output = cm_settings_text(settings, OUTPUTS[i].option);
    const char *folder = cm_settings_text(settings, CM_OPTION_TRUTH);
    char path[PATH_MAX];
    if (output == NULL || strcmp(output, "-") == 0 || folder == NULL)
        return CM_OK;
    for (size_t k = 0; k < COUNT(names); k++) {
        (void)snprintf(path, sizeof path, "%.4000s/%s", folder, names[k]);
        if (is_same_file(output, path))
            return cm_error_set(error, CM_ERROR_USAGE,
                                "%s would replace '%.200s', which --truth reads; give it another "
                                "file",
                                OUTPUTS[i].name, output);
    }
    return CM_OK;
}

cm_status cm_paths_check(const cm_settings *settings, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t i = 0; i < COUNT(OUTPUTS) && status == CM_OK; i++) {
        for (size_t j = 0; j < i && status == CM_OK; j++)
            status = check_outputs(settings, i, j, error);
        for (size_t j = 0; j < COUNT(INPUTS) && status == CM_OK; j++)
            status = check_input(settings, i, &INPUTS[j], error);
        if (status == CM_OK)
            status = check_truth(settings, i, error);
    }
    return status;
}

cm_status cm_paths_check_stdin(const cm_settings *settings, const cm_option *options, size_t count,
                               cm_error *error)
{
    size_t uses = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < settings->values[options[i]].text_count; j++)
            uses += strcmp(settings->values[options[i]].texts[j], "-") == 0;
    if (uses > 1)
        return cm_error_set(error, CM_ERROR_USAGE,
                            "- (standard input) is given %zu times; it can be read once", uses);
    return CM_OK;
}
