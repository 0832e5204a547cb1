#include "index/segment_view.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_HEAD_BYTES sizeof(uint32_t)

cm_status cm_segment_view_fault(const cm_segment_view *view, cm_error *error, const char *format,
                                ...)
{
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return cm_error_set(error, CM_ERROR_FORMAT,
                        "%s: %s; the file is damaged: restore it from a copy, or begin without it",
                        view->name, what);
}

static cm_status check_kind(const cm_segment_view *view, cm_error *error)
{
    const cm_image_header *header = &view->header;
    if (memcmp(header->magic, CM_IMAGE_MAGIC, sizeof header->magic) != 0)
        return cm_segment_view_fault(view, error, "not a segment of clicks");
    if (header->byte_order != CM_IMAGE_BYTE_ORDER)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "%s: written on a machine with another byte order; read it there",
                            view->name);
    if (header->version != CM_IMAGE_VERSION)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "%s: version %u, this program reads %u; use the program that wrote it",
                            view->name, header->version, CM_IMAGE_VERSION);
    return CM_OK;
}

static cm_status check_counts(const cm_segment_view *view, cm_error *error)
{
    const cm_image_header *header = &view->header;
    if (header->rows == 0 || header->rows > CM_SEGMENT_ROWS)
        return cm_segment_view_fault(view, error, "%u rows, of 1 to %u", header->rows,
                                     CM_SEGMENT_ROWS);
    if (header->unlisted > header->rows || header->expiries > header->rows ||
        header->fingerprints > header->rows)
        return cm_segment_view_fault(view, error, "more of something than its %u rows",
                                     header->rows);
    if ((header->wide_kinds & ~CM_ROW_ADDRESS) != 0 || header->is_ahead > 1 ||
        header->has_traits > 1 || header->unused != 0)
        return cm_segment_view_fault(view, error, "unknown flags");
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        if (header->names[kind].count > header->rows)
            return cm_segment_view_fault(view, error, "%llu names for %u rows",
                                         (unsigned long long)header->names[kind].count,
                                         header->rows);
    return CM_OK;
}

/* Cut the next bytes off. False where there are not so many. */
static bool cut(cm_slice *left, uint64_t bytes, const char **part)
{
    if (bytes > left->size)
        return false;
    *part = left->data;
    *left = cm_slice_of(left->data + bytes, left->size - bytes);
    return true;
}

static bool cut_all(cm_segment_view *view, cm_slice left)
{
    const cm_image_header *header = &view->header;
    bool is_whole =
        cut(&left, header->rows * sizeof(cm_click_row), &view->rows) &&
        cut(&left, header->expiries * sizeof(int64_t), &view->expiries) &&
        cut(&left, header->text_bytes, &view->texts) &&
        cut(&left, header->fingerprints * CM_IMAGE_FINGERPRINT_BYTES, &view->fingerprints);
    for (size_t kind = 0; kind < CM_NAME_KIND_COUNT; kind++)
        is_whole = is_whole && cut(&left, header->names[kind].bytes, &view->names[kind]);
    return is_whole && left.size == 0;
}

cm_status cm_segment_view_open(cm_segment_view *view, const char *name, cm_slice image,
                               cm_error *error)
{
    *view = (cm_segment_view){.name = name};
    cm_image_header *header = &view->header;
    if (image.size < sizeof *header)
        return cm_segment_view_fault(view, error, "%zu bytes, no header", image.size);
    memcpy(header, image.data, sizeof *header);
    cm_status status = check_kind(view, error);
    if (status == CM_OK)
        status = check_counts(view, error);
    if (status != CM_OK)
        return status;
    cm_slice left = cm_slice_of(image.data + sizeof *header, image.size - sizeof *header);
    if (header->bytes != image.size || !cut_all(view, left))
        return cm_segment_view_fault(view, error, "%zu bytes are not what its header says",
                                     image.size);
    return CM_OK;
}

cm_status cm_segment_view_name(const cm_segment_view *view, cm_name_kind kind, size_t *at,
                               cm_slice *text, cm_error *error)
{
    size_t left = view->header.names[kind].bytes - *at;
    uint32_t size = 0;
    if (left >= NAME_HEAD_BYTES)
        memcpy(&size, view->names[kind] + *at, sizeof size);
    if (size == 0 || size > left - NAME_HEAD_BYTES)
        return cm_segment_view_fault(view, error, "names of kind %u: cut off at byte %zu",
                                     (unsigned)kind, *at);
    *text = cm_slice_of(view->names[kind] + *at + NAME_HEAD_BYTES, size);
    *at += NAME_HEAD_BYTES + size;
    return CM_OK;
}
