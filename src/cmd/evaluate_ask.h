/*
 * A model asked about conversions whose ids are hidden, and its answers judged. For `evaluate`, and
 * for whoever else compares models by what layer 1 knows.
 */
#ifndef CM_CMD_EVALUATE_ASK_H
#define CM_CMD_EVALUATE_ASK_H

#include "cmd/evaluate.h"

/** How conversions are matched. Everything is borrowed. */
typedef struct cm_asking {
    const cm_records *records;
    const cm_rights *rights;
    const cm_evaluate_options *options;
    bool is_mirrored;  /* times are turned round */
    int64_t mirror_us; /* the sum of a click's time and its mirrored one */
    bool leaves_deleted_out;
    cm_answer *answers; /* receives them, by number of conversion */
} cm_asking;

/**
 * Make an engine with the clicks that count.
 *
 * @param engine  receives it, also after some failures; freed with cm_engine_destroy
 * @return as cm_records_load
 */
cm_status cm_asking_load(cm_asking *asking, const cm_evaluated *model, cm_engine **engine,
                         cm_error *error);

/** Have it answer. @return as cm_records_match */
cm_status cm_asking_match(cm_asking *asking, const uint32_t *numbers, size_t count,
                          const cm_engine *engine, cm_error *error);

/** Both, with an engine that is gone afterwards. */
cm_status cm_asking_ask(cm_asking *asking, const cm_evaluated *model, const uint32_t *numbers,
                        size_t count, cm_error *error);

/** Judge the answer to one conversion. is_organic: as if it had no right click. */
cm_judged cm_asking_judge_one(const cm_asking *asking, uint32_t number, bool is_organic);

/**
 * Judge the answers to the conversions that are to be judged.
 *
 * @param judged  receives them, in the order of the conversions
 * @param masked  masked conversions are organic
 * @return how many
 */
size_t cm_asking_judge(const cm_asking *asking, cm_judged *judged, bool masked);

#endif
