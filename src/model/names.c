#include "clickmatch.h"

const char *cm_method_name(cm_method method)
{
    static const char *const names[CM_METHOD_COUNT] = {
        [CM_METHOD_UNATTRIBUTED] = "unattributed",
        [CM_METHOD_URL_PARAM] = "url_param",
        [CM_METHOD_FINGERPRINT] = "fingerprint",
        [CM_METHOD_PROBABILISTIC] = "probabilistic",
    };
    return names[method];
}

const char *cm_layer_word_name(cm_layer_word word)
{
    static const char *const names[CM_LAYER_WORD_COUNT] = {
        [CM_LAYER_SUCCESS] = "success",
        [CM_LAYER_NOT_ATTEMPTED] = "not_attempted",
        [CM_LAYER_NO_PARAM] = "no_param",
        [CM_LAYER_NO_MATCH] = "no_match",
        [CM_LAYER_EXPIRED] = "expired",
        [CM_LAYER_INVALID] = "invalid",
        [CM_LAYER_NO_FINGERPRINT] = "no_fingerprint",
        [CM_LAYER_LOW_CONFIDENCE] = "low_confidence",
        [CM_LAYER_NO_SIGNAL] = "no_signal",
        [CM_LAYER_NO_CANDIDATES] = "no_candidates",
        [CM_LAYER_LOW_PROBABILITY] = "low_probability",
    };
    return names[word];
}
