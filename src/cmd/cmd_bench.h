/* The command `bench`. */
#ifndef CM_CMD_CMD_BENCH_H
#define CM_CMD_CMD_BENCH_H

#include "cmd/log.h"
#include "cmd/options.h"

cm_status cm_cmd_bench(const cm_settings *settings, cm_log *log, cm_error *error);

#endif
