/*
 * Files of clicks that turned out to be more than there is room for. They are read twice again: to
 * find the newest clicks that fit, then to load those. Nothing depends on threads or on the order
 * of clicks then: results are those of files without the older ones.
 */
#ifndef CM_CMD_CLICK_FILES_H
#define CM_CMD_CLICK_FILES_H

#include "cmd/run.h"
#include "engine/pipeline.h"

/**
 * After all files have been read into the engine with options->limits: see that they fit.
 *
 * @param paths    of the files
 * @param options  as they were read; their rejects have been told, and are not told again
 * @return CM_OK; CM_ERROR_CAPACITY where even the newest are too much, or a file is a pipe; or as
 *         cm_pipeline_load
 */
cm_status cm_click_files_settle(cm_run *run, const cm_option_value *paths, cm_engine *engine,
                                const cm_pipeline_options *options, cm_error *error);

#endif
