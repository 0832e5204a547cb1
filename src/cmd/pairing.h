/* Two models' answers to the same conversions, paired by device. */
#ifndef CM_CMD_PAIRING_H
#define CM_CMD_PAIRING_H

#include "cmd/evaluate.h"
#include "eval/paired.h"

/**
 * Compare answers to the conversions that are judged. What comes of it does not depend on the order
 * of the records.
 *
 * @param judged  of both models, in the order of the records; put into another order
 * @param count   how many are judged
 * @return CM_OK or CM_ERROR_MEMORY
 */
cm_status cm_pairing_make(const cm_records *records, const cm_rights *rights,
                          cm_judged *const judged[2], size_t count,
                          const cm_figures_options *options, cm_paired *paired, cm_error *error);

#endif
