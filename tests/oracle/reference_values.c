#include "reference_parts.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void *reference_claim(void *memory, size_t bytes)
{
    void *result = realloc(memory, bytes);
    if (result == NULL)
        abort();
    return result;
}

int64_t reference_hours_us(double hours)
{
    return (int64_t)(hours * 3600000000.0 + 0.5);
}

bool reference_same_bytes(cm_slice a, cm_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static char folded(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool reference_same_word(cm_slice a, cm_slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (folded(a.data[i]) != folded(b.data[i]))
            return false;
    return true;
}

static size_t digits_at(cm_slice text, size_t start)
{
    size_t end = start;
    while (end < text.size && text.data[end] >= '0' && text.data[end] <= '9')
        end++;
    return end - start;
}

/* The <id> of `fb.<digits>.<digits>.<id>[.<more>]`, or the whole text. */
cm_slice reference_fbclid(cm_slice text)
{
    if (text.size < 3 || memcmp(text.data, "fb.", 3) != 0)
        return text;
    size_t place = 3;
    for (int part = 0; part < 2; part++) {
        size_t digits = digits_at(text, place);
        place += digits;
        if (digits == 0 || place == text.size || text.data[place] != '.')
            return text;
        place++;
    }
    cm_slice id = {text.data + place, 0};
    while (place + id.size < text.size && id.data[id.size] != '.')
        id.size++;
    return id.size > 0 ? id : text;
}

static void sha256(const void *data, size_t size, uint8_t digest[32])
{
    if (EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
}

static bool is_real_fingerprint(const uint8_t fingerprint[32])
{
    static const uint8_t zeros[32];
    uint8_t of_nothing[32];
    sha256("", 0, of_nothing);
    return memcmp(fingerprint, zeros, 32) != 0 && memcmp(fingerprint, of_nothing, 32) != 0;
}

static void component_hash(const cm_device *device, uint8_t digest[32])
{
    const cm_slice parts[7] = {device->screen_width,    device->screen_height, device->timezone,
                               device->timezone_offset, device->device_type,   device->os,
                               device->browser};
    size_t size = 6;
    for (size_t i = 0; i < 7; i++)
        size += parts[i].size;
    char *text = reference_claim(NULL, size);
    size_t place = 0;
    for (size_t i = 0; i < 7; i++) {
        if (i > 0)
            text[place++] = '|';
        for (size_t j = 0; j < parts[i].size; j++)
            text[place++] = parts[i].data[j];
    }
    sha256(text, size, digest);
    free(text);
}

static bool in_range(const uint8_t *bytes, const uint8_t *start, unsigned prefix)
{
    for (unsigned bit = 0; bit < prefix; bit++)
        if (((bytes[bit / 8] ^ start[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static bool is_special(const cm_address *address)
{
    static const struct {
        uint8_t version, start[16];
        unsigned prefix;
    } ranges[] = {
        {4, {0}, 8},          {4, {10}, 8},       {4, {100, 64}, 10},   {4, {127}, 8},
        {4, {169, 254}, 16},  {4, {172, 16}, 12}, {4, {192, 168}, 16},  {4, {224}, 4},
        {4, {240}, 4},        {6, {0}, 128},      {6, {[15] = 1}, 128}, {6, {0xfe, 0x80}, 10},
        {6, {0xfc, 0x00}, 7}, {6, {0xff}, 8},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].version == address->version &&
            in_range(address->bytes, ranges[i].start, ranges[i].prefix))
            return true;
    return false;
}

static cm_address bucket_of(const reference_model *model, cm_address address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    cm_address bucket = {0};
    if (address.version == 6 && memcmp(address.bytes, mapped, sizeof mapped) == 0) {
        cm_address inner = {.version = 4};
        memcpy(inner.bytes, address.bytes + sizeof mapped, 4);
        address = inner;
    }
    if (address.version == 0 || is_special(&address))
        return bucket;
    bucket.version = address.version;
    unsigned prefix = address.version == 4 ? model->ipv4_prefix : model->ipv6_prefix;
    for (unsigned bit = 0; bit < prefix; bit++)
        bucket.bytes[bit / 8] |= (uint8_t)(address.bytes[bit / 8] & (0x80u >> bit % 8));
    return bucket;
}

reference_device reference_device_of(const reference_model *model, const cm_device *device)
{
    reference_device result = {.user_agent = device->user_agent,
                               .device_type = device->device_type,
                               .os = device->os,
                               .browser = device->browser,
                               .screen_width = device->screen_width,
                               .screen_height = device->screen_height,
                               .timezone = device->timezone};
    result.bucket = bucket_of(model, device->ip_address);
    if (device->has_fingerprint && is_real_fingerprint(device->fingerprint)) {
        result.has_fingerprint = true;
        memcpy(result.fingerprint, device->fingerprint, sizeof result.fingerprint);
    } else if (device->screen_width.size + device->screen_height.size + device->timezone.size +
                   device->timezone_offset.size >
               0) {
        result.has_fingerprint = true;
        component_hash(device, result.fingerprint);
    }
    return result;
}

bool reference_same_fingerprint(const reference_device *a, const reference_device *b)
{
    return memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0;
}
