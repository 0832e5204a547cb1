#include "io/unpack.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "util/error.h"

#define PACKED_BYTES ((size_t)256 * 1024)
#define UNPACKED_BYTES_MAX ((size_t)64 << 20) /* at once: zlib counts in unsigned int */
#define MAGIC_BYTES 4
#define ZSTD_WINDOW_LOG_MAX 27 /* 128 MiB: what zstd --ultra packs with, and no --long beyond */

/* What the next bytes are. */
typedef enum step {
    STEP_START,   /* not yet known */
    STEP_PLAIN,   /* not packed */
    STEP_GZIP,    /* inside a member */
    STEP_BETWEEN, /* after a member: another one, zeros or the end */
    STEP_ZEROS,   /* after the last member: zeros up to the end */
    STEP_ZSTD,
} step;

typedef struct unpacker {
    cm_source *packed;
    step step;
    bool is_ended;   /* the packed source has no more */
    bool is_inside;  /* zstd: a frame has begun and not ended */
    bool is_inflate; /* gzip is ready to be ended */
    uint64_t offset; /* of bytes[0] in the packed source */
    size_t size, at; /* packed bytes held, and taken of them */
    z_stream gzip;
    ZSTD_DStream *zstd;
    unsigned char bytes[PACKED_BYTES];
} unpacker;

/* Read more packed bytes behind those not yet taken. */
static cm_status refill(unpacker *u, cm_error *error)
{
    u->offset += u->at;
    u->size -= u->at;
    memmove(u->bytes, u->bytes + u->at, u->size);
    u->at = 0;
    size_t got = 0;
    cm_status status = u->packed->read(u->packed->context, (char *)u->bytes + u->size,
                                       PACKED_BYTES - u->size, &got, error);
    u->size += got;
    u->is_ended = status == CM_OK && got == 0;
    return status;
}

static cm_status fail(const unpacker *u, const char *format, const char *problem, cm_error *error)
{
    return cm_error_set(error, CM_ERROR_FORMAT,
                        "%s: %s data at byte %llu: %s; copy or pack it again", u->packed->name,
                        format, (unsigned long long)(u->offset + u->at), problem);
}

static cm_status start(unpacker *u, cm_error *error)
{
    while (u->size < MAGIC_BYTES && !u->is_ended) {
        cm_status status = refill(u, error);
        if (status != CM_OK)
            return status;
    }
    static const unsigned char gzip[] = {0x1F, 0x8B}, zstd[] = {0x28, 0xB5, 0x2F, 0xFD};
    static const unsigned char skippable[] = {0x2A, 0x4D, 0x18}; /* after a byte 0x50 to 0x5F */
    u->step = STEP_PLAIN;
    if (u->size >= 2 && memcmp(u->bytes, gzip, sizeof gzip) == 0) {
        u->step = STEP_GZIP;
        u->is_inflate = inflateInit2(&u->gzip, MAX_WBITS + 16) == Z_OK;
        if (!u->is_inflate)
            return cm_error_memory(error, "unpacking gzip", 0);
    } else if (u->size >= 4 && (memcmp(u->bytes, zstd, sizeof zstd) == 0 ||
                                ((u->bytes[0] & 0xF0) == 0x50 &&
                                 memcmp(u->bytes + 1, skippable, sizeof skippable) == 0))) {
        u->step = STEP_ZSTD;
        u->zstd = ZSTD_createDStream();
        if (u->zstd == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
            return cm_error_memory(error, "unpacking zstd", 0);
    }
    return CM_OK;
}

static cm_status read_plain(unpacker *u, char *buffer, size_t size, size_t *got, cm_error *error)
{
    size_t held = u->size - u->at;
    if (held == 0)
        return u->packed->read(u->packed->context, buffer, size, got, error);
    *got = held < size ? held : size;
    memcpy(buffer, u->bytes + u->at, *got);
    u->at += *got;
    return CM_OK;
}

/* Inside a gzip member. */
static cm_status inflate_some(unpacker *u, char *buffer, size_t size, size_t *got, cm_error *error)
{
    uInt room = (uInt)(size < UNPACKED_BYTES_MAX ? size : UNPACKED_BYTES_MAX);
    u->gzip.next_in = u->bytes + u->at;
    u->gzip.avail_in = (uInt)(u->size - u->at);
    u->gzip.next_out = (Bytef *)buffer;
    u->gzip.avail_out = room;
    int outcome = inflate(&u->gzip, Z_NO_FLUSH);
    u->at = u->size - u->gzip.avail_in;
    *got = room - u->gzip.avail_out;
    if (outcome == Z_STREAM_END)
        u->step = STEP_BETWEEN;
    else if (outcome == Z_MEM_ERROR)
        return cm_error_memory(error, "unpacking gzip", 0);
    else if (outcome == Z_BUF_ERROR && u->is_ended)
        return fail(u, "incomplete gzip", "it ends too early", error);
    else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
        return fail(u, "damaged gzip", u->gzip.msg == NULL ? "not gzip" : u->gzip.msg, error);
    return CM_OK;
}

/* After a gzip member; there are bytes. */
static cm_status pass_between(unpacker *u, cm_error *error)
{
    if (u->step == STEP_BETWEEN && u->bytes[u->at] != 0) {
        u->step = STEP_GZIP;
        inflateReset(&u->gzip);
        return CM_OK;
    }
    u->step = STEP_ZEROS;
    while (u->at < u->size && u->bytes[u->at] == 0)
        u->at++;
    if (u->at < u->size)
        return fail(u, "damaged gzip", "something else follows", error);
    return CM_OK;
}

static cm_status unzstd_some(unpacker *u, char *buffer, size_t size, size_t *got, cm_error *error)
{
    ZSTD_inBuffer in = {u->bytes, u->size, u->at};
    ZSTD_outBuffer out = {buffer, size, 0};
    size_t outcome = ZSTD_decompressStream(u->zstd, &out, &in);
    u->at = in.pos;
    *got = out.pos;
    if (ZSTD_getErrorCode(outcome) == ZSTD_error_frameParameter_windowTooLarge)
        return cm_error_set(error, CM_ERROR_FORMAT,
                            "%s: unpacking it takes a window of more than 128 MiB; pack it without "
                            "zstd --long, or with --long=27",
                            u->packed->name);
    if (ZSTD_isError(outcome))
        return fail(u, "damaged zstd", ZSTD_getErrorName(outcome), error);
    u->is_inside = outcome != 0;
    if (u->is_inside && u->is_ended && out.pos == 0 && u->at == u->size)
        return fail(u, "incomplete zstd", "it ends too early", error);
    return CM_OK;
}

/* One step from packed to unpacked bytes. */
static cm_status unpack_some(unpacker *u, char *buffer, size_t size, size_t *got, cm_error *error)
{
    if (u->step == STEP_ZSTD)
        return unzstd_some(u, buffer, size, got, error);
    if (u->step == STEP_GZIP)
        return inflate_some(u, buffer, size, got, error);
    return pass_between(u, error);
}

static bool is_at_end(const unpacker *u)
{
    bool is_inside = u->step == STEP_GZIP || (u->step == STEP_ZSTD && u->is_inside);
    return u->is_ended && u->at == u->size && !is_inside;
}

static cm_status unpack_read(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    unpacker *u = context;
    *got = 0;
    cm_status status = u->step == STEP_START ? start(u, error) : CM_OK;
    if (status == CM_OK && u->step == STEP_PLAIN)
        return read_plain(u, buffer, size, got, error);
    while (status == CM_OK && *got == 0) {
        if (u->at == u->size && !u->is_ended)
            status = refill(u, error);
        if (status != CM_OK || is_at_end(u))
            return status;
        if (u->at < u->size || u->step == STEP_GZIP || u->step == STEP_ZSTD)
            status = unpack_some(u, buffer, size, got, error);
    }
    return status;
}

static void unpack_progress(void *context, uint64_t *done, uint64_t *total)
{
    cm_source *packed = ((unpacker *)context)->packed;
    packed->progress(packed->context, done, total);
}

cm_status cm_unpack_create(cm_source *packed, cm_source *unpacked, cm_error *error)
{
    unpacker *u = calloc(1, sizeof *u);
    if (u == NULL)
        return cm_error_memory(error, "unpacking", sizeof *u);
    u->packed = packed;
    *unpacked = (cm_source){.name = packed->name, .read = unpack_read};
    unpacked->context = u;
    if (packed->progress != NULL)
        unpacked->progress = unpack_progress;
    return CM_OK;
}

void cm_unpack_destroy(cm_source *unpacked)
{
    unpacker *u = unpacked->context;
    if (u == NULL)
        return;
    if (u->is_inflate)
        inflateEnd(&u->gzip);
    ZSTD_freeDStream(u->zstd);
    free(u);
    *unpacked = (cm_source){0};
}
