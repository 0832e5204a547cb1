/* What bench_stream tells: a table, and the same as JSON. */
#ifndef STREAM_REPORT_H
#define STREAM_REPORT_H

#include "stream_options.h"
#include "stream_run.h"

/** All that was done. */
typedef struct stream_outcome {
    stream_stretch warm_up;  /* until the window was full */
    stream_stretch measured; /* after that */
    uint64_t late_results;   /* only after the end of the input */
    bool succeeded;          /* the command did */
} stream_outcome;

/** True where each conversion had its result, in order, and the command succeeded. */
bool stream_report_is_complete(const stream_run *run, const stream_options *options,
                               const stream_outcome *outcome);

/** Print the table; write the JSON where it is asked for. Ends the program where it cannot. */
void stream_report(const stream_run *run, const stream_options *options,
                   const stream_outcome *outcome);

#endif
