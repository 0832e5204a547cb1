/* How the sanitizers run in fuzz targets: with less memory kept aside, so that more inputs fit a
 * second. */
#include "fuzz/fuzz.h"

const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=1:detect_stack_use_after_return=0";
}
