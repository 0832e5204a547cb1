/* What an engine is made of: for the pipeline, which makes keys in many threads and inserts in one.
 */
#ifndef CM_ENGINE_ENGINE_H
#define CM_ENGINE_ENGINE_H

#include "match/matcher.h"

struct cm_engine {
    cm_model *model; /* its own copy */
    cm_click_index index;
    cm_weights weights;
};

#endif
