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

#define NARROW_BYTES ((size_t)5) /* of the longest header with sizes of one byte */

/* The usual case, without a branch on what is there: which it is cannot be foreseen. */
static const uint8_t *read_narrow(const uint8_t *at, unsigned flags, cm_click_texts *texts)
{
    unsigned has_fbclid = flags & 1, has_gclid = flags >> 1 & 1, has_reference = flags >> 2 & 1;
    unsigned gclid = 2 + has_fbclid, reference = gclid + has_gclid;
    texts->click_id.size = at[1];
    texts->fbclid.size = at[2] & (0u - has_fbclid);
    texts->gclid.size = at[gclid] & (0u - has_gclid);
    texts->reference.size = at[reference] & (0u - has_reference);
    return at + reference + has_reference;
}

/* The sizes, where that many bytes are there. Returns where the texts begin; NULL. */
static const uint8_t *read_sizes(const uint8_t *at, size_t size, unsigned flags,
                                 cm_click_texts *texts)
{
    unsigned sizes = 1 + (unsigned)__builtin_popcount(flags & ~WIDE);
    if ((flags & WIDE) == 0 && size >= NARROW_BYTES)
        return read_narrow(at, flags, texts);
    if (size < 1 + (flags & WIDE ? 2 * sizes : sizes))
        return NULL;
    *texts = cm_click_text_read((const char *)at);
    return (const uint8_t *)texts->click_id.data;
}

/* Is a text there where its flag says so, and not too long? */
static bool has_size(cm_slice text, unsigned flag, size_t bytes_max)
{
    return (text.size > 0) == (flag != 0) && text.size <= bytes_max;
}

_Static_assert(HAS_FBCLID == 1 && HAS_GCLID == 2 && HAS_REFERENCE == 4, "as read_narrow has them");

size_t cm_click_text_check(const char *text, size_t size, cm_click_texts *texts)
{
    const uint8_t *at = (const uint8_t *)text;
    unsigned flags = size == 0 ? 0 : *at;
    if (size == 0 || flags > (HAS_FBCLID | HAS_GCLID | HAS_REFERENCE | WIDE))
        return 0;
    const uint8_t *begin = read_sizes(at, size, flags, texts);
    if (begin == NULL)
        return 0;
    texts->click_id.data = (const char *)begin;
    texts->fbclid.data = texts->click_id.data + texts->click_id.size;
    texts->gclid.data = texts->fbclid.data + texts->fbclid.size;
    texts->reference.data = texts->gclid.data + texts->gclid.size;
    size_t bytes = (size_t)(texts->reference.data + texts->reference.size - text);
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
