#include "model/copy.h"

#include <string.h>

static bool copy_text(cm_arena *arena, cm_slice *text)
{
    char *room = cm_arena_take(arena, text->size);
    if (room == NULL)
        return false;
    if (text->size > 0)
        memcpy(room, text->data, text->size);
    text->data = room;
    return true;
}

bool cm_conversion_copy(const cm_conversion *conversion, cm_arena *arena, cm_conversion *copy)
{
    *copy = *conversion;
    cm_device *device = &copy->device;
    cm_slice *const texts[] = {
        &copy->tenant_id,
        &copy->conversion_id,
        &copy->click_id,
        &copy->fbclid,
        &copy->gclid,
        &device->user_agent,
        &device->device_type,
        &device->os,
        &device->browser,
        &device->screen_width,
        &device->screen_height,
        &device->timezone,
        &device->timezone_offset,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!copy_text(arena, texts[i]))
            return false;
    return true;
}
