#include "file/machine_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATH_BYTES 4352 /* of a folder of cgroups, and a name */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t physical(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages <= 0 || bytes <= 0 ? UINT64_MAX : (uint64_t)pages * (uint64_t)bytes;
}

static uint64_t resource_limit(__rlimit_resource_t which)
{
    struct rlimit limit;
    return getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX
                                                                            : limit.rlim_cur;
}

/* The number in a file; UINT64_MAX where there is none, or "max". */
static uint64_t read_number(const char *path)
{
    uint64_t number = UINT64_MAX;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return number;
    if (fscanf(file, "%" SCNu64, &number) != 1)
        number = UINT64_MAX;
    fclose(file);
    return number;
}

/* Of a group and all above it. */
static uint64_t group_limit(const char *root, const char *name, char *group)
{
    uint64_t limit = UINT64_MAX;
    for (;;) {
        char path[PATH_BYTES];
        size_t size = strlen(group);
        while (size > 0 && group[size - 1] == '/')
            group[--size] = '\0';
        if (snprintf(path, sizeof path, "%s%s/%s", root, group, name) < (int)sizeof path)
            limit = least(limit, read_number(path));
        char *up = strrchr(group, '/');
        if (up == NULL)
            return limit;
        *up = '\0';
    }
}

/* Lines are `0::/group`, or of version 1 `7:memory:/group` among others. */
static uint64_t line_limit(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return UINT64_MAX;
    *group++ = '\0';
    if (controllers[1] == '\0')
        return group_limit("/sys/fs/cgroup", "memory.max", group);
    if (strcmp(controllers + 1, "memory") == 0)
        return group_limit("/sys/fs/cgroup/memory", "memory.limit_in_bytes", group);
    return UINT64_MAX;
}

static uint64_t groups(void)
{
    char line[PATH_BYTES - 256];
    uint64_t limit = UINT64_MAX;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return limit;
    while (fgets(line, sizeof line, file) != NULL)
        limit = least(limit, line_limit(line));
    fclose(file);
    return limit;
}

uint64_t cm_machine_memory(void)
{
    uint64_t limits = least(resource_limit(RLIMIT_AS), resource_limit(RLIMIT_DATA));
    return least(least(physical(), groups()), limits);
}
