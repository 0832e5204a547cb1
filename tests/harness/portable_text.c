#include "harness/portable.h"

#undef __SSE2__
#define cm_fingerprint_parse portable_fingerprint_parse
#define cm_text_is_plain portable_text_is_plain
#define cm_utf8_count portable_utf8_count
#define cm_utf8_whole portable_utf8_whole
#define cm_text_fold portable_text_fold
#define cm_text_equal_folded portable_text_equal_folded
#include "util/fingerprint.c" // NOLINT(bugprone-suspicious-include): its twin is made of it
#undef ONES
#undef HIGHS
#include "util/utf8.c" // NOLINT(bugprone-suspicious-include): its twin is made of it
