/* gzip and zstd as sources: whole, in pieces, concatenated, damaged at any byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "io/unpack.h"
#include "util/buffer.h"
#include "util/error.h"

/* Bytes in memory as a source that gives them out in pieces. */
typedef struct pieces {
    const cm_buffer *bytes;
    size_t at, piece, fail_at;
} pieces;

static cm_status pieces_read(void *context, char *buffer, size_t size, size_t *got, cm_error *error)
{
    pieces *p = context;
    if (p->fail_at > 0 && p->at >= p->fail_at)
        return cm_error_set(error, CM_ERROR_IO, "lost");
    size_t count = p->bytes->size - p->at;
    count = count < p->piece ? count : p->piece;
    count = count < size ? count : size;
    if (count > 0)
        memcpy(buffer, p->bytes->data + p->at, count);
    p->at += count;
    *got = count;
    return CM_OK;
}

static void pieces_progress(void *context, uint64_t *done, uint64_t *total)
{
    *done = ((pieces *)context)->at;
    *total = 1000;
}

/* Unpack all; what came before an error stays in out. */
static cm_status unpack_from(pieces *p, size_t room, cm_buffer *out, cm_error *error)
{
    cm_source packed = {p, "input.gz", pieces_read, pieces_progress}, unpacked;
    assert_int_equal(cm_unpack_create(&packed, &unpacked, error), CM_OK);
    out->size = 0;
    cm_status status;
    size_t got;
    do {
        assert_true(cm_buffer_reserve(out, room));
        status = unpacked.read(unpacked.context, out->data + out->size, room, &got, error);
        out->size += got;
    } while (status == CM_OK && got > 0);
    cm_unpack_destroy(&unpacked);
    return status;
}

static cm_status unpack(const cm_buffer *bytes, size_t piece, size_t room, cm_buffer *out,
                        cm_error *error)
{
    pieces p = {bytes, 0, piece, 0};
    return unpack_from(&p, room, out, error);
}

static void append_gzip(cm_buffer *out, const cm_buffer *text)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    size_t bound = deflateBound(&stream, text->size);
    assert_true(cm_buffer_reserve(out, bound));
    stream.next_in = (Bytef *)text->data;
    stream.avail_in = (uInt)text->size;
    stream.next_out = (Bytef *)out->data + out->size;
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    (void)deflateEnd(&stream);
}

static void append_zstd(cm_buffer *out, const cm_buffer *text)
{
    size_t bound = ZSTD_compressBound(text->size);
    assert_true(cm_buffer_reserve(out, bound));
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t size = ZSTD_compress2(context, out->data + out->size, bound, text->data, text->size);
    assert_false(ZSTD_isError(size));
    out->size += size;
    (void)ZSTD_freeCCtx(context);
}

static void append_skippable(cm_buffer *out)
{
    cm_buffer_append(out, "\x5A\x2A\x4D\x18\x03\0\0\0abc", 11);
}

/* Rows that pack neither to nothing nor not at all. */
static void make_text(cm_buffer *text, size_t rows)
{
    uint64_t number = 1;
    for (size_t i = 0; i < rows; i++) {
        number = number * 6364136223846793005u + 1442695040888963407u;
        cm_buffer_append_u64(text, number >> 20);
        cm_buffer_append_text(text, ",the same in each row\n");
    }
}

static void expect_text(const cm_buffer *packed, const cm_buffer *text)
{
    static const size_t pieces_sizes[] = {1, 3, 1000, 1 << 20}, rooms[] = {1, 7, 5000, 1 << 20};
    cm_buffer out = {0};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            cm_error error = {0};
            if (unpack(packed, pieces_sizes[i], rooms[k], &out, &error) != CM_OK)
                fail_msg("%s", error.message);
            assert_int_equal(out.size, text->size);
            if (text->size > 0)
                assert_memory_equal(out.data, text->data, text->size);
        }
    }
    cm_buffer_destroy(&out);
}

static void expect_message(const cm_buffer *packed, const char *part)
{
    cm_buffer out = {0};
    for (size_t piece = 1; piece < 100000; piece *= 17) {
        cm_error error = {0};
        assert_int_equal(unpack(packed, piece, 5000, &out, &error), CM_ERROR_FORMAT);
        assert_ptr_equal(strstr(error.message, "input.gz: "), error.message);
        assert_non_null(strstr(error.message, " data at byte "));
        if (strstr(error.message, part) == NULL)
            fail_msg("no '%s' in '%s'", part, error.message);
    }
    cm_buffer_destroy(&out);
}

typedef void append_packed(cm_buffer *out, const cm_buffer *text);

/* One text, and a longer one, packed. */
typedef struct world {
    cm_buffer text, packed;
} world;

static world make_world(append_packed *append, size_t rows)
{
    world w = {0};
    make_text(&w.text, rows);
    append(&w.packed, &w.text);
    return w;
}

static void drop_world(world *w)
{
    cm_buffer_destroy(&w->text);
    cm_buffer_destroy(&w->packed);
}

static void test_plain_bytes_pass_through(void **state)
{
    (void)state;
    cm_buffer text = {0};
    expect_text(&text, &text);
    cm_buffer_append_text(&text, "a");
    expect_text(&text, &text);
    cm_buffer_append_text(&text, "\nbc");
    expect_text(&text, &text);
    make_text(&text, 1000);
    expect_text(&text, &text);
    cm_buffer_destroy(&text);
    cm_buffer_append(&text, "\x1F", 1); /* half a mark */
    expect_text(&text, &text);
    cm_buffer_append(&text, "x\x8B", 2);
    expect_text(&text, &text);
    cm_buffer_destroy(&text);
}

static void check_round_trip(append_packed *append)
{
    static const size_t rows[] = {0, 1, 3000};
    for (size_t i = 0; i < 3; i++) {
        world w = make_world(append, rows[i]);
        expect_text(&w.packed, &w.text);
        drop_world(&w);
    }
}

static void test_gzip_and_zstd_are_recognised(void **state)
{
    (void)state;
    check_round_trip(append_gzip);
    check_round_trip(append_zstd);
}

static void check_concatenated(append_packed *append)
{
    world w = make_world(append, 100);
    cm_buffer empty = {0}, more = {0};
    make_text(&more, 3);
    append(&w.packed, &empty);
    append(&w.packed, &more);
    cm_buffer_append(&w.text, more.data, more.size);
    expect_text(&w.packed, &w.text);
    cm_buffer_destroy(&more);
    drop_world(&w);
}

static void test_concatenated_parts_are_one(void **state)
{
    (void)state;
    check_concatenated(append_gzip);
    check_concatenated(append_zstd);
}

static void test_zeros_after_gzip_are_padding(void **state)
{
    (void)state;
    world w = make_world(append_gzip, 100);
    for (int i = 0; i < 600; i++)
        cm_buffer_append_char(&w.packed, '\0');
    expect_text(&w.packed, &w.text);
    cm_buffer_append_char(&w.packed, 'x');
    expect_message(&w.packed, "something else follows");
    drop_world(&w);
}

static void test_garbage_behind_is_an_error(void **state)
{
    (void)state;
    world w = make_world(append_gzip, 100);
    cm_buffer_append_text(&w.packed, "tenant_id,click_id\n");
    expect_message(&w.packed, "damaged gzip data");
    drop_world(&w);
    w = make_world(append_zstd, 100);
    cm_buffer_append_text(&w.packed, "tenant_id,click_id\n");
    expect_message(&w.packed, "damaged zstd data");
    drop_world(&w);
}

static void test_skippable_frames_are_skipped(void **state)
{
    (void)state;
    cm_buffer packed = {0}, text = {0};
    append_skippable(&packed);
    expect_text(&packed, &text);
    make_text(&text, 50);
    append_zstd(&packed, &text);
    append_skippable(&packed);
    expect_text(&packed, &text);
    cm_buffer_destroy(&packed);
    cm_buffer_destroy(&text);
}

/* Shorter than the mark it is taken for what it then is: plain bytes. */
static void check_truncated(append_packed *append, size_t mark)
{
    world w = make_world(append, 20);
    for (size_t size = mark; size < w.packed.size; size++) {
        cm_buffer part = {w.packed.data, size, size, false};
        expect_message(&part, "ends too early");
    }
    drop_world(&w);
}

static void test_truncated_at_any_byte_is_an_error(void **state)
{
    (void)state;
    check_truncated(append_gzip, 2);
    check_truncated(append_zstd, 4);
}

/* Whatever a flipped bit does, it gives the same text (an unused bit) or an error: never other text
 * without one. */
static void check_damaged(append_packed *append, size_t mark)
{
    world w = make_world(append, 20);
    cm_buffer out = {0};
    for (size_t bit = mark * 8; bit < w.packed.size * 8; bit++) {
        w.packed.data[bit / 8] = (char)(w.packed.data[bit / 8] ^ (1 << bit % 8));
        cm_error error = {0};
        cm_status status = unpack(&w.packed, 1000, 5000, &out, &error);
        if (status == CM_OK) {
            assert_int_equal(out.size, w.text.size);
            assert_memory_equal(out.data, w.text.data, out.size);
        } else {
            assert_int_equal(status, CM_ERROR_FORMAT);
        }
        w.packed.data[bit / 8] = (char)(w.packed.data[bit / 8] ^ (1 << bit % 8));
    }
    cm_buffer_destroy(&out);
    drop_world(&w);
}

static void test_damage_is_never_taken_for_data(void **state)
{
    (void)state;
    check_damaged(append_gzip, 2);
    check_damaged(append_zstd, 4);
}

static void test_the_byte_of_the_damage_is_told(void **state)
{
    (void)state;
    world w = make_world(append_gzip, 100);
    size_t end = w.packed.size;
    cm_buffer_append_text(&w.packed, "\x1F\x8B\x63");
    cm_buffer out = {0};
    cm_error error = {0};
    assert_int_equal(unpack(&w.packed, 1 << 20, 1 << 20, &out, &error), CM_ERROR_FORMAT);
    const char *number = strstr(error.message, "byte ");
    assert_non_null(number);
    assert_in_range(strtoull(number + 5, NULL, 10), end, end + 3);
    cm_buffer_destroy(&out);
    drop_world(&w);
}

static void test_errors_of_the_packed_source_pass_through(void **state)
{
    (void)state;
    world w = make_world(append_gzip, 1000);
    cm_buffer out = {0};
    cm_error error = {0};
    pieces p = {&w.packed, 0, 100, 500};
    assert_int_equal(unpack_from(&p, 100, &out, &error), CM_ERROR_IO);
    assert_string_equal(error.message, "lost");
    assert_memory_equal(out.data, w.text.data, out.size);
    cm_buffer_destroy(&out);
    drop_world(&w);
}

static void test_progress_is_that_of_the_packed_source(void **state)
{
    (void)state;
    world w = make_world(append_zstd, 1000);
    pieces p = {&w.packed, 0, 10, 0};
    cm_source packed = {&p, "input.gz", pieces_read, pieces_progress}, unpacked;
    assert_int_equal(cm_unpack_create(&packed, &unpacked, NULL), CM_OK);
    assert_string_equal(unpacked.name, "input.gz");
    uint64_t done, total;
    unpacked.progress(unpacked.context, &done, &total);
    assert_int_equal(done, 0);
    assert_int_equal(total, 1000);
    cm_unpack_destroy(&unpacked);
    packed.progress = NULL;
    assert_int_equal(cm_unpack_create(&packed, &unpacked, NULL), CM_OK);
    assert_null(unpacked.progress);
    cm_unpack_destroy(&unpacked);
    cm_unpack_destroy(&unpacked);
    drop_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_bytes_pass_through),
        cmocka_unit_test(test_gzip_and_zstd_are_recognised),
        cmocka_unit_test(test_concatenated_parts_are_one),
        cmocka_unit_test(test_zeros_after_gzip_are_padding),
        cmocka_unit_test(test_garbage_behind_is_an_error),
        cmocka_unit_test(test_skippable_frames_are_skipped),
        cmocka_unit_test(test_truncated_at_any_byte_is_an_error),
        cmocka_unit_test(test_damage_is_never_taken_for_data),
        cmocka_unit_test(test_the_byte_of_the_damage_is_told),
        cmocka_unit_test(test_errors_of_the_packed_source_pass_through),
        cmocka_unit_test(test_progress_is_that_of_the_packed_source),
    };
    return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
