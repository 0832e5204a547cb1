#include "model/normal.h"

#include <endian.h>
#include <string.h>

#include "util/slice.h"
#include "util/text.h"
#include "util/time.h"

#define EXPIRY_MAX_US (30 * CM_DAY_US)

/* Takes digits and the dot after them off the front. */
static bool skip_number(cm_slice *text)
{
    size_t digits = 0;
    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9')
        digits++;
    if (digits == 0 || digits == text->size || text->data[digits] != '.')
        return false;
    *text = cm_slice_of(text->data + digits + 1, text->size - digits - 1);
    return true;
}

cm_slice cm_fbclid_value(cm_slice fbclid)
{
    if (fbclid.size < 3 || memcmp(fbclid.data, "fb.", 3) != 0)
        return fbclid;
    cm_slice rest = cm_slice_of(fbclid.data + 3, fbclid.size - 3);
    if (!skip_number(&rest) || !skip_number(&rest) || rest.size == 0)
        return fbclid;
    const char *dot = memchr(rest.data, '.', rest.size);
    if (dot != NULL)
        rest.size = (size_t)(dot - rest.data);
    return rest.size > 0 ? rest : fbclid;
}

/* By the first byte, and where that is not enough by the second. */
static bool is_special_ipv4(const uint8_t bytes[16])
{
    switch (bytes[0]) {
    case 0:
    case 10:
    case 127:
        return true;
    case 100:
        return (bytes[1] & 0xC0) == 64;
    case 169:
        return bytes[1] == 254;
    case 172:
        return (bytes[1] & 0xF0) == 16;
    case 192:
        return bytes[1] == 168;
    default:
        return bytes[0] >= 224;
    }
}

static bool is_special_ipv6(const uint8_t bytes[16])
{
    static const uint8_t zeros[15] = {0};
    if (memcmp(bytes, zeros, sizeof zeros) == 0 && bytes[15] <= 1)
        return true; /* :: and ::1 */
    return bytes[0] == 0xFF || (bytes[0] & 0xFE) == 0xFC ||
           (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80);
}

bool cm_address_is_evidence(const cm_address *address)
{
    cm_address unmapped = cm_address_unmapped(*address);
    if (unmapped.version == 4)
        return !is_special_ipv4(unmapped.bytes);
    return unmapped.version == 6 && !is_special_ipv6(unmapped.bytes);
}

/* Of eight bytes the first bits. */
static uint64_t first_bits(const uint8_t *bytes, unsigned bits)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return bits >= 64 ? be64toh(word) : be64toh(word) & (bits == 0 ? 0 : UINT64_MAX << (64 - bits));
}

cm_address cm_address_bucket(const cm_address *address, const cm_model *model)
{
    cm_address bucket = cm_address_unmapped(*address);
    unsigned bits = bucket.version == 4 ? model->ipv4_prefix : model->ipv6_prefix;
    uint64_t high = htobe64(first_bits(bucket.bytes, bits));
    uint64_t low = htobe64(first_bits(bucket.bytes + 8, bits > 64 ? bits - 64 : 0));
    memcpy(bucket.bytes, &high, sizeof high);
    memcpy(bucket.bytes + 8, &low, sizeof low);
    return bucket;
}

bool cm_fingerprint_is_missing(const uint8_t fingerprint[32])
{
    static const uint8_t zeros[32] = {0};
    static const uint8_t nothing[32] = {
        0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4,
        0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27, 0xAE, 0x41, 0xE4, 0x64, 0x9B,
        0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
    };
    return memcmp(fingerprint, zeros, sizeof zeros) == 0 ||
           memcmp(fingerprint, nothing, sizeof nothing) == 0;
}

int64_t cm_click_expiry(int64_t click_timestamp, int64_t expires_at, int64_t window_us)
{
    if (expires_at == CM_TIME_MISSING)
        return click_timestamp + window_us;
    int64_t latest = click_timestamp + EXPIRY_MAX_US;
    return expires_at < latest ? expires_at : latest;
}

bool cm_device_has_components(const cm_device *device)
{
    return device->screen_width.size > 0 || device->screen_height.size > 0 ||
           device->timezone.size > 0 || device->timezone_offset.size > 0;
}

bool cm_components_hash(cm_digest *digest, const cm_device *device, uint8_t hash[CM_DIGEST_BYTES])
{
    const cm_slice parts[] = {
        device->screen_width,    device->screen_height, device->timezone,
        device->timezone_offset, device->device_type,   device->os,
        device->browser,
    };
    return cm_device_has_components(device) &&
           cm_digest_joined(digest, parts, sizeof parts / sizeof *parts, '|', hash);
}

static bool fold(cm_slice text, cm_arena *arena, cm_slice *folded)
{
    char *room = cm_arena_take(arena, text.size);
    if (room == NULL)
        return false;
    *folded = cm_text_fold(text, room);
    return true;
}

/* How long the first side is comes before both: what they are joined by might be in them. */
static bool join_screen(cm_slice width, cm_slice height, cm_arena *arena, cm_slice *screen)
{
    bool is_first = cm_slice_compare(width, height) <= 0;
    cm_slice first = is_first ? width : height, second = is_first ? height : width;
    uint32_t size = (uint32_t)first.size;
    *screen = (cm_slice){0};
    if (first.size == 0)
        return true;
    char *room = cm_arena_take(arena, sizeof size + first.size + second.size);
    if (room == NULL)
        return false;
    *screen = cm_slice_of(room, sizeof size + first.size + second.size);
    memcpy(room, &size, sizeof size);
    memcpy(room + sizeof size, first.data, first.size);
    memcpy(room + sizeof size + first.size, second.data, second.size);
    return true;
}

bool cm_screen_split(cm_slice screen, cm_slice *first, cm_slice *second)
{
    uint32_t size;
    if (screen.size < sizeof size)
        return false;
    memcpy(&size, screen.data, sizeof size);
    if (size == 0 || size >= screen.size - sizeof size)
        return false;
    *first = cm_slice_of(screen.data + sizeof size, size);
    *second = cm_slice_of(first->data + size, screen.size - sizeof size - size);
    return true;
}

bool cm_device_traits(const cm_device *device, cm_arena *arena, cm_slice traits[CM_TRAIT_COUNT])
{
    traits[CM_TRAIT_TIMEZONE] = device->timezone;
    return fold(device->os, arena, &traits[CM_TRAIT_OS]) &&
           fold(device->browser, arena, &traits[CM_TRAIT_BROWSER]) &&
           join_screen(device->screen_width, device->screen_height, arena,
                       &traits[CM_TRAIT_SCREEN]);
}
