#include "store/click_text.h"

#include "util/check.h"

#define HAS_FBCLID 1u
#define HAS_GCLID 2u
#define HAS_REFERENCE 4u
#define WIDE 8u
#define HEADER_BYTES_MAX ((size_t)9)

/* 255 characters of four bytes each; packing takes one more; references are counted in bytes. */
#define ID_BYTES_MAX ((size_t)1020)
#define PARAM_BYTES_MAX (ID_BYTES_MAX + 1)
#define REFERENCE_BYTES_MAX ((size_t)255)

size_t cm_click_text_room(const cm_click_texts *texts)
{
    return HEADER_BYTES_MAX + texts->click_id.size + texts->fbclid.size + texts->gclid.size +
           texts->reference.size;
}

static unsigned flags_of(const cm_click_texts *texts)
{
    unsigned flags = 0;
    if (texts->fbclid.size > 0)
        flags |= HAS_FBCLID;
    if (texts->gclid.size > 0)
        flags |= HAS_GCLID;
    if (texts->reference.size > 0)
        flags |= HAS_REFERENCE;
    if (texts->click_id.size > 255 || texts->fbclid.size > 255 || texts->gclid.size > 255)
        flags |= WIDE;
    return flags;
}

static uint8_t *write_size(uint8_t *at, unsigned flags, size_t size)
{
    CM_CHECK(size <= UINT16_MAX);
    *at++ = (uint8_t)size;
    if (flags & WIDE)
        *at++ = (uint8_t)(size >> 8);
    return at;
}

static uint8_t *write_bytes(uint8_t *at, cm_slice text)
{
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

size_t cm_click_text_write(char *text, const cm_click_texts *texts)
{
    uint8_t *start = (uint8_t *)text;
    uint8_t *at = start;
    unsigned flags = flags_of(texts);
    *at++ = (uint8_t)flags;
    at = write_size(at, flags, texts->click_id.size);
    if (flags & HAS_FBCLID)
        at = write_size(at, flags, texts->fbclid.size);
    if (flags & HAS_GCLID)
        at = write_size(at, flags, texts->gclid.size);
    if (flags & HAS_REFERENCE)
        at = write_size(at, flags, texts->reference.size);
    at = write_bytes(at, texts->click_id);
    at = write_bytes(at, texts->fbclid);
    at = write_bytes(at, texts->gclid);
    at = write_bytes(at, texts->reference);
    return (size_t)(at - start);
}

static const uint8_t *read_size(const uint8_t *at, unsigned flags, size_t *size)
{
    *size = *at++;
    if (flags & WIDE)
        *size |= (size_t)*at++ << 8;
    return at;
}

cm_click_texts cm_click_text_read(const char *text)
{
    cm_click_texts texts = {0};
    const uint8_t *at = (const uint8_t *)text;
    unsigned flags = *at++;
    at = read_size(at, flags, &texts.click_id.size);
    if (flags & HAS_FBCLID)
        at = read_size(at, flags, &texts.fbclid.size);
    if (flags & HAS_GCLID)
        at = read_size(at, flags, &texts.gclid.size);
    if (flags & HAS_REFERENCE)
        at = read_size(at, flags, &texts.reference.size);
    texts.click_id.data = (const char *)at;
    texts.fbclid.data = texts.click_id.data + texts.click_id.size;
    texts.gclid.data = texts.fbclid.data + texts.fbclid.size;
    texts.reference.data = texts.gclid.data + texts.gclid.size;
    return texts;
}

static size_t header_bytes(unsigned flags)
{
    unsigned sizes = 1 + (unsigned)__builtin_popcount(flags & ~WIDE);
    return 1 + (flags & WIDE ? 2 * sizes : sizes);
}

/* Is a text there where its flag says so, and not too long? */
static bool has_size(cm_slice text, unsigned flag, size_t bytes_max)
{
    return (text.size > 0) == (flag != 0) && text.size <= bytes_max;
}

size_t cm_click_text_check(const char *text, size_t size, cm_click_texts *texts)
{
    unsigned flags = size == 0 ? 0 : (uint8_t)*text;
    if (size == 0 || flags > (HAS_FBCLID | HAS_GCLID | HAS_REFERENCE | WIDE) ||
        size < header_bytes(flags))
        return 0;
    *texts = cm_click_text_read(text);
    size_t bytes = header_bytes(flags) + texts->click_id.size + texts->fbclid.size +
                   texts->gclid.size + texts->reference.size;
    bool is_whole = bytes <= size && has_size(texts->click_id, 1, ID_BYTES_MAX) &&
                    has_size(texts->fbclid, flags & HAS_FBCLID, PARAM_BYTES_MAX) &&
                    has_size(texts->gclid, flags & HAS_GCLID, PARAM_BYTES_MAX) &&
                    has_size(texts->reference, flags & HAS_REFERENCE, REFERENCE_BYTES_MAX);
    return is_whole ? bytes : 0;
}

cm_slice cm_click_text_id(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    unsigned flags = *at++;
    size_t size;
    at = read_size(at, flags, &size);
    unsigned others =
        (unsigned)__builtin_popcount(flags & (HAS_FBCLID | HAS_GCLID | HAS_REFERENCE));
    at += flags & WIDE ? 2 * others : others;
    return cm_slice_of((const char *)at, size);
}
