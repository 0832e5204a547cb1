#include "harness/time_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void time_text_append(cm_buffer *text, int64_t time_us)
{
    char room[64];
    struct tm parts;
    time_t seconds = (time_t)(time_us / 1000000);
    if (gmtime_r(&seconds, &parts) == NULL)
        abort();
    size_t size = strftime(room, sizeof room, "\"%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(room + size, sizeof room - size, ".%06dZ\"", (int)(time_us % 1000000));
    cm_buffer_append_text(text, room);
}
