/* Packed texts: equal where the texts are, different where they are not, and small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/random.h"
#include "index/pack.h"
#include "util/slice.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define SIZE_MAX_PACKED 64

typedef struct packed {
    uint8_t size;
    char bytes[SIZE_MAX_PACKED + 1];
} packed;

/* Room and text end where they are said to: the bytes behind the room stay, and a sanitizer sees
 * what is read behind the text. */
static packed pack(const char *text, size_t size)
{
    packed result = {0};
    char *room = malloc(CM_PACK_ROOM(size) + 8);
    char *copy = malloc(size);
    assert_non_null(room);
    assert_non_null(copy);
    memset(room, 0x77, CM_PACK_ROOM(size) + 8);
    memcpy(copy, text, size);
    size_t got = cm_pack(cm_slice_of(copy, size), room);
    assert_true(got <= size + 1);
    for (size_t i = CM_PACK_ROOM(size); i < CM_PACK_ROOM(size) + 8; i++)
        assert_int_equal(room[i], 0x77);
    result.size = (uint8_t)got;
    memcpy(result.bytes, room, got);
    free(copy);
    free(room);
    return result;
}

static bool same(const packed *a, const packed *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void random_text(uint64_t *random, char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] = alphabet[random_below(random, 64)];
}

/* ---- different texts ---- */

#define SHORT_MAX 9

typedef struct short_packed {
    uint8_t size;
    char bytes[SHORT_MAX + 1];
} short_packed;

static int compare_short(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(short_packed));
}

/* All texts of 1 to 9 of these: the first and the last of the alphabet, and the bytes that several
 * of them are packed into, which are not of it. */
static void test_no_two_short_texts_are_packed_alike(void **state)
{
    (void)state;
    static const char letters[4] = {'A', '_', '\0', '\xff'};
    size_t total = 0, count = 0;
    for (size_t size = 1; size <= SHORT_MAX; size++)
        total += (size_t)1 << 2 * size;
    short_packed *all = calloc(total, sizeof *all);
    assert_non_null(all);
    for (size_t size = 1; size <= SHORT_MAX; size++)
        for (size_t number = 0; number < (size_t)1 << 2 * size; number++) {
            char text[SHORT_MAX], room[CM_PACK_ROOM(SHORT_MAX)];
            for (size_t i = 0; i < size; i++)
                text[i] = letters[number >> 2 * i & 3];
            size_t got = cm_pack(cm_slice_of(text, size), room);
            assert_true(got <= size + 1);
            all[count].size = (uint8_t)got;
            memcpy(all[count++].bytes, room, got);
        }
    assert_int_equal(count, total);
    qsort(all, count, sizeof *all, compare_short);
    for (size_t i = 1; i < count; i++)
        assert_true(compare_short(&all[i - 1], &all[i]) < 0);
    free(all);
}

/* One character changed, left out or put in, anywhere: as different as any. */
static void test_texts_that_differ_little_are_packed_differently(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned round = 0; round < 30000; round++) {
        char text[SIZE_MAX_PACKED], other[SIZE_MAX_PACKED];
        size_t size = 2 + random_below(&random, SIZE_MAX_PACKED - 3);
        size_t place = random_below(&random, (uint32_t)size), other_size = size;
        random_text(&random, text, size);
        memcpy(other, text, size);
        switch (round % 3) {
        case 0:
            other[place] = (char)(text[place] ^ (char)(1 + random_below(&random, 255)));
            break;
        case 1:
            memmove(other + place, text + place + 1, size - place - 1);
            other_size--;
            break;
        default:
            memmove(other + place + 1, text + place, size - place);
            other[place] = alphabet[random_below(&random, 64)];
            other_size++;
        }
        packed a = pack(text, size), b = pack(other, other_size);
        assert_false(same(&a, &b));
        b = pack(text, size);
        assert_true(same(&a, &b));
    }
}

/* ---- sizes ---- */

static size_t packed_size(size_t size)
{
    return 1 + (6 * size + 7) / 8;
}

static void test_four_characters_take_three_bytes(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (size_t size = 1; size < SIZE_MAX_PACKED; size++) {
        char text[SIZE_MAX_PACKED];
        random_text(&random, text, size);
        assert_int_equal(pack(text, size).size, packed_size(size));
    }
}

/* Of all bytes, in all places: those of the alphabet are packed, with any other the text stays as
 * it is. */
static void test_the_alphabet_is_that_of_base64url(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 9; size++)
        for (size_t place = 0; place < size; place++)
            for (int byte = 0; byte < 256; byte++) {
                char text[9];
                memset(text, 'x', sizeof text);
                text[place] = (char)byte;
                bool is_of_it = byte != 0 && strchr(alphabet, byte) != NULL;
                packed got = pack(text, size);
                assert_int_equal(got.size, is_of_it ? packed_size(size) : size + 1);
                if (!is_of_it)
                    assert_memory_equal(got.bytes + 1, text, size);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_two_short_texts_are_packed_alike),
        cmocka_unit_test(test_texts_that_differ_little_are_packed_differently),
        cmocka_unit_test(test_four_characters_take_three_bytes),
        cmocka_unit_test(test_the_alphabet_is_that_of_base64url),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
