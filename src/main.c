#include "cmd/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A standard descriptor that came closed would be that of the next file opened: messages would go
 * into an output, or the program would wait for itself. One that refuses takes its place. */
static void fill_closed_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* What is in memory, passwords and personal data, is nobody else's: a crash leaves no core file,
 * not even with a program that takes them, which a limit on their size would not stop; and no other
 * process of this user may look. Builds for finding faults, and -DCM_CORE_DUMPS, leave them. */
static void hide_memory(void)
{
#if defined(NDEBUG) && !defined(CM_CORE_DUMPS)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

#define OWN_MAP_BYTES (1 << 20)

/* Under `ulimit -v` address space counts whether it is used or not. malloc would set 64 MiB and
 * more aside for each thread, and would come to keep large blocks in a heap of holes, where one
 * that grows is there twice: of a small limit little would be left. */
static void save_address_space(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        (void)mallopt(M_ARENA_MAX, 1);
        (void)mallopt(M_MMAP_THRESHOLD, OWN_MAP_BYTES);
    }
}

int main(int argc, char **argv)
{
    hide_memory();
    save_address_space();
    fill_closed_descriptors();
    return cm_cli_run(argc, argv);
}
