/* Which call fails, and what is told at exit. */
#include "torture/seam/seam.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "torture/seam/blocks.h"

static const char *const CLASSES[SEAM_CLASSES] = {
    "alloc", "lib",    "open", "read",   "write", "sync", "rename", "close",
    "meta",  "remove", "wait", "thread", "pq",    "sql",  "commit",
};

#define REPORT_FD 900

_Thread_local bool seam_is_inside;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_active;
static uintptr_t program_from, program_to;
static uint64_t calls[SEAM_CLASSES];
static int fault_class = -1, traced_class = -1;
static uint64_t fault_at, fired;
static char fault_mode[32];
static bool fault_is_forever;
static int report_fd = -1;

bool seam_is_program(const void *address)
{
    return (uintptr_t)address >= program_from && (uintptr_t)address < program_to;
}

void *seam_real(const char *name)
{
    seam_is_inside = true;
    void *real = dlsym(RTLD_NEXT, name);
    seam_is_inside = false;
    if (real == NULL)
        abort();
    return real;
}

/* --- Telling ---------------------------------------------------------------------------------- */

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* By the system call itself, so that no interposed function is met. */
static void tell(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (report_fd >= 0 && size > 0)
        (void)syscall(SYS_write, report_fd, line, (size_t)size);
}

static void tell_stack(void *const *frames, int count)
{
    for (int i = 0; i < count; i++)
        if (seam_is_program(frames[i]))
            tell(" %lx", (unsigned long)((uintptr_t)frames[i] - program_from));
    tell("\n");
}

static void trace(seam_class class, const char *name)
{
    void *frames[24];
    tell("call %lu %s", (unsigned long)calls[class], name);
    tell_stack(frames, backtrace(frames, 24));
}

static void tell_block(const seam_block *block)
{
    Dl_info info;
    const char *name = "?";
    uintptr_t at = (uintptr_t)block->caller;
    if (dladdr(block->caller, &info) != 0 && info.dli_fname != NULL) {
        const char *slash = strrchr(info.dli_fname, '/');
        name = slash == NULL ? info.dli_fname : slash + 1;
        at -= (uintptr_t)info.dli_fbase;
    }
    tell("live %s %lx %zu", seam_is_program(block->caller) ? "program" : name, (unsigned long)at,
         block->size);
    tell_stack(block->frames, block->frame_count);
}

static void tell_descriptors(void)
{
    int count = 0;
    for (int fd = STDERR_FILENO + 1; fd < REPORT_FD; fd++)
        count += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
    tell("open %d\n", count);
}

static void __attribute__((destructor)) report(void)
{
    seam_is_inside = true;
    is_active = false;
    for (int i = 0; i < SEAM_CLASSES; i++)
        tell("calls %s %lu\n", CLASSES[i], (unsigned long)calls[i]);
    tell("fired %lu\n", (unsigned long)fired);
    seam_each_block(tell_block);
    tell_descriptors();
    tell("end\n");
}

/* --- Counting --------------------------------------------------------------------------------- */

static bool is_due(seam_class class)
{
    if ((int)class != fault_class || fault_at == 0)
        return false;
    return calls[class] == fault_at || (fault_is_forever && calls[class] > fault_at);
}

const char *seam_meets(seam_class class, const char *name)
{
    if (!is_active || seam_is_inside)
        return NULL;
    seam_is_inside = true;
    int number = errno;
    pthread_mutex_lock(&lock);
    calls[class]++;
    bool is_met = is_due(class);
    fired += is_met;
    if ((int)class == traced_class)
        trace(class, name);
    pthread_mutex_unlock(&lock);
    errno = number;
    seam_is_inside = false;
    return is_met ? fault_mode : NULL;
}

void seam_born(const void *block, size_t size, const void *caller)
{
    if (!is_active || seam_is_inside || block == NULL)
        return;
    seam_is_inside = true;
    seam_block born = {.at = block, .size = size, .caller = caller};
    if (traced_class >= 0)
        born.frame_count = backtrace(born.frames, SEAM_FRAMES);
    pthread_mutex_lock(&lock);
    seam_add_block(&born);
    pthread_mutex_unlock(&lock);
    seam_is_inside = false;
}

void seam_dies(const void *block)
{
    if (!is_active || block == NULL)
        return;
    int number = errno;
    bool was_inside = seam_is_inside;
    seam_is_inside = true;
    pthread_mutex_lock(&lock);
    seam_remove_block(block);
    pthread_mutex_unlock(&lock);
    seam_is_inside = was_inside;
    errno = number;
}

int seam_fail(const char *mode)
{
    static const struct {
        const char *name;
        int number;
    } NUMBERS[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
                   {"EMFILE", EMFILE}, {"EAGAIN", EAGAIN}, {"EACCES", EACCES}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        if (strcmp(mode, NUMBERS[i].name) == 0)
            errno = NUMBERS[i].number;
    return -1;
}

bool seam_is_short(const char *mode)
{
    return strcmp(mode, "short") == 0;
}

/* --- Setting up ------------------------------------------------------------------------------- */

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    program_from = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            program_to = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1;
}

static int class_of(const char *name, size_t size)
{
    for (int i = 0; i < SEAM_CLASSES; i++)
        if (strlen(CLASSES[i]) == size && memcmp(CLASSES[i], name, size) == 0)
            return i;
    (void)fprintf(stderr, "fault seam: no class %.*s\n", (int)size, name);
    abort();
}

static void read_fault(const char *text)
{
    size_t size = strcspn(text, ":");
    char mode[sizeof fault_mode] = "", more[16] = "";
    unsigned long at;
    if (sscanf(text + size, ":%lu:%31[^:]:%15s", &at, mode, more) < 2) {
        (void)fprintf(stderr, "fault seam: CM_FAULT=%s cannot be read\n", text);
        abort();
    }
    fault_class = class_of(text, size);
    fault_at = at;
    fault_is_forever = strcmp(more, "forever") == 0;
    memcpy(fault_mode, mode, sizeof mode);
}

/* Out of the way of the program's own descriptors. */
static void open_report(const char *file)
{
    int fd =
        (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    report_fd = (int)syscall(SYS_dup3, fd, REPORT_FD, O_CLOEXEC);
    (void)syscall(SYS_close, fd);
}

static void __attribute__((constructor)) begin(void)
{
    void *frames[2];
    const char *fault = getenv("CM_FAULT"), *file = getenv("CM_FAULT_REPORT");
    const char *traced = getenv("CM_FAULT_TRACE");
    seam_is_inside = true;
    (void)dl_iterate_phdr(find_program, NULL);
    (void)backtrace(frames, 2); /* loads what it needs, once */
    if (fault != NULL)
        read_fault(fault);
    if (traced != NULL)
        traced_class = class_of(traced, strlen(traced));
    if (file != NULL)
        open_report(file);
    (void)unsetenv("LD_PRELOAD"); /* not for what the program may start */
    seam_is_inside = false;
    is_active = true;
}
