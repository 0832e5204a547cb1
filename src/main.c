#include "cmd/cli.h"

#include <fcntl.h>
#include <unistd.h>

/* A standard descriptor that came closed would be that of the next file opened: messages would go
 * into an output, or the program would wait for itself. One that refuses takes its place. */
static void fill_closed_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    fill_closed_descriptors();
    return cm_cli_run(argc, argv);
}
