/* Sentences about what is not in a trace: clicks that did not count, and the stored result. */
#include "explain/say.h"
#include "explain/words.h"

static void say_reason(cm_miss_reason reason, cm_buffer *lines)
{
    static const char *const REASONS[CM_MISS_REASON_COUNT] = {
        [CM_MISS_LATER] = "after the conversion",
        [CM_MISS_OUTSIDE] = "before the layer's window begins",
        [CM_MISS_EXPIRED] = "expired",
        [CM_MISS_FLAGGED] = "flagged invalid",
        [CM_MISS_OTHER_TYPE] = "of another device type",
    };
    cm_words(lines, "%s", REASONS[reason]);
}

static void say_miss(const cm_miss *miss, cm_miss_reason reason, cm_buffer *lines)
{
    bool is_in_time = reason == CM_MISS_FLAGGED || reason == CM_MISS_OTHER_TYPE;
    cm_words(lines, "  ");
    cm_words_text(lines, miss->click_id);
    cm_words(lines, " at ");
    cm_words_time(lines, miss->click_timestamp);
    cm_words(lines, " has its %s", miss->key);
    if (!is_in_time) {
        cm_words(lines, ", off by ");
        cm_words_duration(lines, miss->by_us);
    }
    cm_words(lines, "%s\n", miss->is_flagged && !is_in_time ? ", and is flagged invalid" : "");
}

void cm_say_misses(const cm_explanation *explanation, size_t layer, cm_buffer *lines)
{
    const cm_layer_word word = explanation->trace->layers[layer].word;
    if (word == CM_LAYER_NOT_ATTEMPTED || (layer == 0 && word == CM_LAYER_SUCCESS))
        return;
    for (unsigned i = 0; i < CM_MISS_REASON_COUNT; i++) {
        const cm_miss *nearest;
        cm_miss_reason reason = (cm_miss_reason)i;
        uint64_t count = cm_misses_of(explanation->misses, (unsigned)layer + 1, reason, &nearest);
        if (count == 0)
            continue;
        cm_words(lines, "Did not count: ");
        cm_words_number_of(lines, count, "click");
        cm_words(lines, " ");
        say_reason(reason, lines);
        cm_words(lines, count > CM_MISSES_KEPT ? "; the nearest:\n" : ":\n");
        for (size_t at = 0; at < count && at < CM_MISSES_KEPT; at++)
            say_miss(&nearest[at], reason, lines);
    }
}

void cm_say_stored(const cm_explanation *explanation, cm_buffer *lines)
{
    const cm_stored_view *stored = explanation->stored;
    if (stored == NULL)
        return;
    if (!stored->is_stored) {
        cm_words(lines, "No result is stored yet; batch or stream would store this one.\n");
        return;
    }
    cm_words(lines, stored->agrees ? "The stored result is the same" : "Another result is stored");
    if (stored->model != NULL)
        cm_words(lines, ", by model %.250s", stored->model);
    if (stored->when != NULL)
        cm_words(lines, ", of %.60s", stored->when);
    cm_words(lines, ".\n");
    for (size_t i = 0; i < stored->difference_count; i++) {
        const cm_stored_difference *difference = &stored->differences[i];
        cm_words(lines, "  %s: stored ", difference->field);
        cm_words_text(lines, cm_slice_of_text(difference->stored));
        cm_words(lines, ", now ");
        cm_words_text(lines, cm_slice_of_text(difference->now));
        cm_words(lines, "\n");
    }
    for (size_t i = 0; i < stored->reason_count; i++) {
        cm_words_text(lines, cm_slice_of_text(stored->reasons[i]));
        cm_words(lines, "\n");
    }
}
