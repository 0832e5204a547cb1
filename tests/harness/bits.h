/* Doubles compared to the last bit: 0 and -0 differ, a NaN equals itself. */
#ifndef HARNESS_BITS_H
#define HARNESS_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool same_bits(double a, double b)
{
    uint64_t bits_a;
    uint64_t bits_b;
    memcpy(&bits_a, &a, sizeof bits_a);
    memcpy(&bits_b, &b, sizeof bits_b);
    return bits_a == bits_b;
}

#endif
