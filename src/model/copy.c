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

static bool copy_texts(cm_arena *arena, cm_slice *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!copy_text(arena, texts[i]))
            return false;
    return true;
}

static bool copy_device(cm_arena *arena, cm_device *device)
{
    cm_slice *const texts[] = {
        &device->user_agent,   &device->device_type,   &device->os,       &device->browser,
        &device->screen_width, &device->screen_height, &device->timezone, &device->timezone_offset,
    };
    return copy_texts(arena, texts, sizeof texts / sizeof *texts);
}

bool cm_conversion_copy(const cm_conversion *conversion, cm_arena *arena, cm_conversion *copy)
{
    *copy = *conversion;
    cm_slice *const texts[] = {&copy->tenant_id, &copy->conversion_id, &copy->click_id,
                               &copy->fbclid, &copy->gclid};
    return copy_texts(arena, texts, sizeof texts / sizeof *texts) &&
           copy_device(arena, &copy->device);
}

bool cm_click_copy(const cm_click *click, cm_arena *arena, cm_click *copy)
{
    *copy = *click;
    cm_slice *const texts[] = {&copy->tenant_id, &copy->click_id,    &copy->fbclid,
                               &copy->gclid,     &copy->campaign_id, &copy->adset_id,
                               &copy->ad_id,     &copy->creative_id, &copy->reference};
    return copy_texts(arena, texts, sizeof texts / sizeof *texts) &&
           copy_device(arena, &copy->device);
}
