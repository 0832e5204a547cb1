#include "cmd/cli.h"

int main(int argc, char **argv)
{
    return cm_cli_run(argc, argv);
}
