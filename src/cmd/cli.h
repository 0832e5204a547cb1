/* The command line: which command, its help, its exit status. */
#ifndef CM_CMD_CLI_H
#define CM_CMD_CLI_H

/** Run the program. @return its exit status (cm_exit) */
int cm_cli_run(int argc, char **argv);

#endif
