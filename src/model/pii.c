#include "model/pii.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/normal.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/slice.h"

#define SALT "clickmatch hash-pii 1"

#define BUCKET_BYTES 16
#define BUCKET_BITS 128
#define HEX_DIGITS ((size_t)2 * CM_DIGEST_BYTES)

/* First bytes of addresses that are nobody's special ones. */
#define FIRST_IPV4 8
#define FIRST_IPV6 0x20

/* Hashes made lately, each in the one place that it may have: few devices share a user agent with
 * nobody, and a tenant's key is asked for all the time. A shard is one thread's at a time. */
#define SHARDS 32
#define PLACES 512
#define KEPT_BYTES 240

enum { KIND_KEY = 1, KIND_USER_AGENT = 2, KIND_IPV4 = 4, KIND_IPV6 = 6 };

typedef struct place {
    uint8_t kind; /* 0: empty */
    uint8_t tenant_size, value_size;
    uint8_t hash[CM_DIGEST_BYTES];
    char bytes[KEPT_BYTES]; /* tenant, then value */
} place;

typedef struct shard {
    pthread_mutex_t lock;
    cm_digest *digest;
    place places[PLACES];
} shard;

struct cm_pii {
    uint8_t prk[CM_DIGEST_BYTES], seal_key[CM_DIGEST_BYTES];
    uint64_t id, seed;
    bool has_prefixes;
    unsigned ipv4_prefix, ipv6_prefix;
    size_t shard_count; /* that are set up */
    shard shards[SHARDS];
};

/* ---- what is derived ---- */

static cm_slice bytes_of(const uint8_t hash[CM_DIGEST_BYTES])
{
    return cm_slice_of((const char *)hash, CM_DIGEST_BYTES);
}

/* HKDF's expansion to one block; a kind and its text are told apart by the NUL. */
static bool expand(cm_pii *pii, cm_digest *digest, const char *kind, cm_slice text,
                   uint8_t key[CM_DIGEST_BYTES])
{
    const cm_slice parts[] = {cm_slice_of(kind, strlen(kind) + 1), text, cm_slice_of("\1", 1)};
    return cm_digest_hmac(digest, bytes_of(pii->prk), parts, 3, key);
}

static bool derive(cm_pii *pii, cm_slice secret)
{
    cm_digest *digest = pii->shards[0].digest;
    const cm_slice none = {0};
    uint8_t made[CM_DIGEST_BYTES];
    if (!cm_digest_hmac(digest, cm_slice_of_text(SALT), &secret, 1, pii->prk) ||
        !expand(pii, digest, "held events", none, pii->seal_key) ||
        !expand(pii, digest, "places", none, made))
        return false;
    memcpy(&pii->seed, made, sizeof pii->seed);
    if (!expand(pii, digest, "id", none, made))
        return false;
    memcpy(&pii->id, made, sizeof pii->id);
    pii->id |= 1; /* not 0, which is none */
    return true;
}

cm_status cm_pii_create(const void *secret, size_t size, cm_pii **pii, cm_error *error)
{
    cm_pii *made = *pii = calloc(1, sizeof *made);
    bool done = made != NULL;
    for (size_t i = 0; i < SHARDS && done; i++) {
        done = pthread_mutex_init(&made->shards[i].lock, NULL) == 0;
        made->shard_count += done;
        done = done && (made->shards[i].digest = cm_digest_create()) != NULL;
    }
    if (done && derive(made, cm_slice_of(secret, size)))
        return CM_OK;
    cm_pii_destroy(made);
    *pii = NULL;
    return cm_error_memory(error, "a key", sizeof *made);
}

void cm_pii_destroy(cm_pii *pii)
{
    if (pii == NULL)
        return;
    for (size_t i = 0; i < pii->shard_count; i++) {
        cm_digest_destroy(pii->shards[i].digest);
        (void)pthread_mutex_destroy(&pii->shards[i].lock);
    }
    OPENSSL_cleanse(pii, sizeof *pii);
    free(pii);
}

uint64_t cm_pii_id(const cm_pii *pii)
{
    return pii == NULL ? 0 : pii->id;
}

const uint8_t *cm_pii_seal_key(const cm_pii *pii)
{
    return pii->seal_key;
}

cm_status cm_pii_take_model(cm_pii *pii, cm_model *model, cm_error *error)
{
    if (pii == NULL)
        return CM_OK;
    if (pii->has_prefixes &&
        (pii->ipv4_prefix != model->ipv4_prefix || pii->ipv6_prefix != model->ipv6_prefix))
        return cm_error_set(error, CM_ERROR_MODEL,
                            "%s: %s: with --hash-pii all models must have the same address "
                            "prefixes; start anew with this model",
                            cm_model_label(model),
                            pii->ipv4_prefix != model->ipv4_prefix ? "ipv4_prefix" : "ipv6_prefix");
    pii->has_prefixes = true;
    pii->ipv4_prefix = model->ipv4_prefix;
    pii->ipv6_prefix = model->ipv6_prefix;
    model->ipv4_prefix = model->ipv6_prefix = BUCKET_BITS;
    return CM_OK;
}

/* ---- hashing ---- */

static bool is_at(const place *at, uint8_t kind, cm_slice tenant, cm_slice value)
{
    return at->kind == kind && at->tenant_size == tenant.size && at->value_size == value.size &&
           memcmp(at->bytes, tenant.data, tenant.size) == 0 &&
           memcmp(at->bytes + tenant.size, value.data, value.size) == 0;
}

static void keep(place *at, uint8_t kind, cm_slice tenant, cm_slice value,
                 const uint8_t hash[CM_DIGEST_BYTES])
{
    if (tenant.size + value.size > KEPT_BYTES)
        return;
    at->kind = kind;
    at->tenant_size = (uint8_t)tenant.size;
    at->value_size = (uint8_t)value.size;
    memcpy(at->hash, hash, CM_DIGEST_BYTES);
    memcpy(at->bytes, tenant.data, tenant.size);
    memcpy(at->bytes + tenant.size, value.data, value.size);
}

static bool make_key(cm_pii *pii, shard *s, cm_slice tenant, uint8_t key[CM_DIGEST_BYTES])
{
    const cm_slice none = {"", 0};
    place *at = &s->places[cm_hash_slice(tenant, pii->seed) % PLACES];
    if (is_at(at, KIND_KEY, tenant, none)) {
        memcpy(key, at->hash, CM_DIGEST_BYTES);
        return true;
    }
    if (!expand(pii, s->digest, "tenant", tenant, key))
        return false;
    keep(at, KIND_KEY, tenant, none, key);
    return true;
}

static bool make_hash(cm_pii *pii, shard *s, uint8_t kind, cm_slice tenant, cm_slice value,
                      uint8_t hash[CM_DIGEST_BYTES])
{
    const cm_slice parts[] = {cm_slice_of((const char *)&kind, 1), value};
    uint8_t key[CM_DIGEST_BYTES];
    return make_key(pii, s, tenant, key) &&
           cm_digest_hmac(s->digest, bytes_of(key), parts, 2, hash);
}

static bool hash_value(cm_pii *pii, uint8_t kind, cm_slice tenant, cm_slice value,
                       uint8_t hash[CM_DIGEST_BYTES])
{
    uint64_t word = cm_hash_slice(value, cm_hash_slice(tenant, pii->seed + kind));
    shard *s = &pii->shards[word >> 32 & (SHARDS - 1)];
    place *at = &s->places[word % PLACES];
    pthread_mutex_lock(&s->lock);
    bool done = is_at(at, kind, tenant, value);
    if (done)
        memcpy(hash, at->hash, CM_DIGEST_BYTES);
    else if ((done = make_hash(pii, s, kind, tenant, value, hash)))
        keep(at, kind, tenant, value, hash);
    pthread_mutex_unlock(&s->lock);
    return done;
}

static bool hide_address(cm_pii *pii, cm_slice tenant, cm_address *address)
{
    uint8_t hash[CM_DIGEST_BYTES];
    if (!cm_address_is_evidence(address)) {
        *address = (cm_address){0};
        return true;
    }
    const cm_model prefixes = {.ipv4_prefix = pii->ipv4_prefix, .ipv6_prefix = pii->ipv6_prefix};
    cm_address bucket = cm_address_bucket(address, &prefixes);
    bool is_ipv4 = bucket.version == 4;
    if (!hash_value(pii, is_ipv4 ? KIND_IPV4 : KIND_IPV6, tenant,
                    cm_slice_of((const char *)bucket.bytes, BUCKET_BYTES), hash))
        return false;
    *address = (cm_address){.version = bucket.version};
    address->bytes[0] = is_ipv4 ? FIRST_IPV4 : FIRST_IPV6;
    memcpy(address->bytes + 1, hash, BUCKET_BYTES - 1);
    return true;
}

static bool hide_user_agent(cm_pii *pii, cm_slice tenant, cm_arena *arena, cm_slice *user_agent)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[CM_DIGEST_BYTES];
    if (user_agent->size == 0)
        return true;
    char *text = cm_arena_take(arena, HEX_DIGITS);
    if (text == NULL || !hash_value(pii, KIND_USER_AGENT, tenant, *user_agent, hash))
        return false;
    for (size_t i = 0; i < CM_DIGEST_BYTES; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    *user_agent = cm_slice_of(text, HEX_DIGITS);
    return true;
}

bool cm_pii_hide(cm_pii *pii, cm_slice tenant, cm_arena *arena, cm_device *device)
{
    return hide_address(pii, tenant, &device->ip_address) &&
           hide_user_agent(pii, tenant, arena, &device->user_agent);
}
