#include "clickmatch.h"

#define FINGERPRINT_BYTES ((size_t)32)
#define HEX_DIGIT 0x10 /* set in the entry of each digit */

bool cm_fingerprint_parse(cm_slice text, uint8_t fingerprint[32])
{
    static const uint8_t digits[256] = {
        ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
        ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1A, ['b'] = 0x1B,
        ['c'] = 0x1C, ['d'] = 0x1D, ['e'] = 0x1E, ['f'] = 0x1F, ['A'] = 0x1A, ['B'] = 0x1B,
        ['C'] = 0x1C, ['D'] = 0x1D, ['E'] = 0x1E, ['F'] = 0x1F,
    };
    const unsigned char *hex = (const unsigned char *)text.data;
    unsigned all = HEX_DIGIT;
    if (text.size != 2 * FINGERPRINT_BYTES)
        return false;
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
        unsigned high = digits[hex[2 * i]], low = digits[hex[2 * i + 1]];
        all &= high & low;
        fingerprint[i] = (uint8_t)(high << 4 | (low & 0x0F));
    }
    return all == HEX_DIGIT;
}
