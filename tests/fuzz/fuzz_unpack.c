/*
 * gzip and zstd. What comes out does not depend on the pieces that go in or are asked for; and what
 * is packed comes out as it was. The first byte chooses the pieces and what is done.
 */
#include <zlib.h>
#include <zstd.h>

#include "fuzz/fuzz.h"
#include "fuzz/pieces.h"
#include "io/unpack.h"
#include "util/buffer.h"

#define UNPACKED_MAX ((size_t)1 << 17) /* of a bomb so much is taken */

static cm_status unpack(cm_slice packed, size_t piece_bytes, size_t asked, cm_buffer *unpacked)
{
    fuzz_pieces p = {packed, piece_bytes};
    cm_source source = {&p, "packed", fuzz_pieces_read, NULL}, reader;
    cm_error error = {0};
    size_t got = 1;
    FUZZ_CHECK(cm_unpack_create(&source, &reader, &error) == CM_OK);
    cm_status status = CM_OK;
    while (status == CM_OK && got > 0 && unpacked->size < UNPACKED_MAX) {
        char *room = malloc(asked);
        FUZZ_CHECK(room != NULL);
        status = reader.read(reader.context, room, asked, &got, &error);
        FUZZ_CHECK(got <= asked && (status == CM_OK || status == CM_ERROR_FORMAT));
        cm_buffer_append(unpacked, room, got);
        free(room);
    }
    FUZZ_CHECK(status == CM_OK || strstr(error.message, "packed: ") == error.message);
    cm_unpack_destroy(&reader);
    return status;
}

/* Where both are cut off for their size, what is there of both. */
static void expect_same(const cm_buffer *a, const cm_buffer *b)
{
    size_t size = a->size < b->size ? a->size : b->size;
    bool is_cut = a->size >= UNPACKED_MAX || b->size >= UNPACKED_MAX;
    FUZZ_CHECK(is_cut || a->size == b->size);
    FUZZ_CHECK(size == 0 || memcmp(a->data, b->data, size) == 0);
}

static void try_unpack(cm_slice packed, unsigned choice)
{
    cm_buffer whole = {0}, parts = {0};
    cm_status status = unpack(packed, SIZE_MAX, (size_t)4096, &whole);
    cm_status other = unpack(packed, 1 + (choice & 31), 16 + (size_t)choice * 8, &parts);
    if (status == CM_OK && other == CM_OK)
        expect_same(&whole, &parts);
    else
        FUZZ_CHECK(status == other || whole.size >= UNPACKED_MAX || parts.size >= UNPACKED_MAX);
    cm_buffer_destroy(&whole);
    cm_buffer_destroy(&parts);
}

static void try_packed(cm_slice plain, const char *packed, size_t size)
{
    cm_buffer unpacked = {0};
    FUZZ_CHECK(unpack(cm_slice_of(packed, size), 1 + plain.size % 7, 4096, &unpacked) == CM_OK);
    FUZZ_CHECK(unpacked.size == plain.size);
    FUZZ_CHECK(plain.size == 0 || memcmp(unpacked.data, plain.data, plain.size) == 0);
    cm_buffer_destroy(&unpacked);
}

static size_t pack_gzip(cm_slice plain, char *room, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain.data,
                       .avail_in = (uInt)plain.size,
                       .next_out = (Bytef *)room,
                       .avail_out = (uInt)size};
    FUZZ_CHECK(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    return size - stream.avail_out;
}

/* As two members or frames, and zeros behind gzip's. */
static void try_pack(cm_slice plain)
{
    size_t half = plain.size / 2, room_size = 2 * ZSTD_compressBound(plain.size) + 256;
    cm_slice first = cm_slice_of(plain.data, half);
    cm_slice second = cm_slice_of(plain.data + half, plain.size - half);
    char *room = malloc(room_size);
    FUZZ_CHECK(room != NULL);
    size_t size = pack_gzip(first, room, room_size - 16);
    size += pack_gzip(second, room + size, room_size - 16 - size);
    memset(room + size, 0, 16);
    try_packed(plain, room, size + 16);
    size = ZSTD_compress(room, room_size, first.data, first.size, 1);
    FUZZ_CHECK(!ZSTD_isError(size));
    size_t more = ZSTD_compress(room + size, room_size - size, second.data, second.size, 1);
    FUZZ_CHECK(!ZSTD_isError(more));
    try_packed(plain, room, size + more);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned choice = fuzz_choice(&bytes, &size);
    cm_slice text = cm_slice_of((const char *)bytes, size);
    if (choice == 255 && size > 1)
        try_pack(text);
    else
        try_unpack(text, choice);
    return 0;
}
