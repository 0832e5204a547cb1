#include "cmd/model_ref.h"

#include <string.h>

#include "util/error.h"
#include "util/slice.h"
#include "util/text.h"

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

bool cm_model_ref_is_path(const char *text)
{
    return strcmp(text, "-") == 0 || strchr(text, '/') != NULL || ends_with(text, ".json") ||
           ends_with(text, ".json.gz") || ends_with(text, ".json.zst");
}

/* What a model file may hold as its name or version: see cm_model_read_text. */
static bool read_part(const char *text, size_t size, char part[CM_MODEL_REF_BYTES])
{
    size_t characters;
    bool is_good = size > 0 && size < CM_MODEL_REF_BYTES &&
                   cm_utf8_count(cm_slice_of(text, size), &characters);
    for (size_t i = 0; is_good && i < size; i++)
        is_good = (unsigned char)text[i] >= 0x20 && text[i] != 0x7F;
    if (is_good) {
        memcpy(part, text, size);
        part[size] = '\0';
    }
    return is_good;
}

cm_status cm_model_ref_read(const char *text, cm_model_ref *ref, cm_error *error)
{
    const char *at = strchr(text, '@');
    size_t size = at == NULL ? strlen(text) : (size_t)(at - text);
    ref->version[0] = '\0';
    if (read_part(text, size, ref->name) &&
        (at == NULL || read_part(at + 1, strlen(at + 1), ref->version)))
        return CM_OK;
    return cm_error_set(error, CM_ERROR_USAGE,
                        "'%.200s' names no model; give NAME or NAME@VERSION, as clickmatch model "
                        "list shows them",
                        text);
}
