#include "cmd/time_text.h"

#include <stdio.h>
#include <time.h>

#include "util/time.h"

void cm_time_text(int64_t time_us, char text[CM_TIME_TEXT_BYTES])
{
    struct tm parts;
    time_t seconds = (time_t)(time_us / CM_SECOND_US);
    long long micros = time_us % CM_SECOND_US;
    size_t size = 0;
    text[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL)
        size = strftime(text, CM_TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    if (size > 0 && micros > 0)
        (void)snprintf(text + size, CM_TIME_TEXT_BYTES - size, ".%06lldZ", micros);
    else if (size > 0)
        (void)snprintf(text + size, CM_TIME_TEXT_BYTES - size, "Z");
}
