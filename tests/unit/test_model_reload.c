/* A model read again: from a file at once, from a server that never answers not for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cmd/model_reload.h"

#define SECOND_NS UINT64_C(1000000000)

/* A folder with a model file and a server's socket, which connections enter and nobody answers. */
struct place {
    char folder[64], file[80], socket[80], conninfo[96];
    int listener;
};

static void write_model(const struct place *place, const char *version)
{
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    fprintf(file, "{\"name\":\"m\",\"version\":\"%s\"}", version);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/cm_reload.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->file, sizeof place->file, "%s/m", place->folder);
    snprintf(place->socket, sizeof place->socket, "%s/.s.PGSQL.5432", place->folder);
    snprintf(place->conninfo, sizeof place->conninfo, "host=%s port=5432 user=u", place->folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", place->socket);
    place->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(place->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(place->listener, 4), 0);
    write_model(place, "1");
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    (void)close(place->listener);
    (void)unlink(place->file);
    (void)unlink(place->socket);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

static void test_a_file_is_read_at_once(void **state)
{
    const struct place *place = *state;
    const cm_model_source source = {.path = place->file, .has_registry = true};
    cm_model_reload reload = {0};
    cm_model *model = NULL;
    cm_status status;
    cm_error error = {0};
    assert_false(cm_model_reload_take(&reload, 0, &status, &model, &error));
    for (int i = 0; i < 2; i++) {
        cm_model_reload_begin(&reload, &source, 0);
        assert_true(cm_model_reload_take(&reload, 0, &status, &model, &error));
        assert_int_equal(status, CM_OK);
        assert_string_equal(cm_model_label(model), i == 0 ? "m@1" : "m@2");
        cm_model_destroy(model);
        assert_false(cm_model_reload_is_pending(&reload));
        write_model(place, "2");
    }
    assert_int_equal(unlink(place->file), 0);
    cm_model_reload_begin(&reload, &source, 0);
    assert_true(cm_model_reload_take(&reload, 0, &status, &model, &error));
    assert_int_equal(status, CM_ERROR_IO);
    assert_null(model);
    cm_model_reload_close(&reload);
}

/* What is not taken is freed. */
static void test_closed_before_it_is_taken(void **state)
{
    const struct place *place = *state;
    const cm_model_source source = {.path = place->file};
    cm_model_reload reload = {0};
    cm_model_reload_begin(&reload, &source, 0);
    cm_model_reload_close(&reload);
    cm_model_reload_close(&reload);
    assert_false(cm_model_reload_is_pending(&reload));
}

static cm_model_source silent_source(const struct place *place)
{
    return (cm_model_source){.has_registry = true,
                             .may_be_missing = true,
                             .ref = {.name = "default"},
                             .pg = {.conninfo = place->conninfo, .is_abrupt = true}};
}

static void test_a_server_that_never_answers(void **state)
{
    const cm_model_source source = silent_source(*state);
    const struct timespec pause = {0, 5000000};
    cm_model_reload reload = {0};
    cm_model *model = NULL;
    cm_status status;
    cm_error error = {0};
    cm_model_reload_begin(&reload, &source, SECOND_NS);
    (void)nanosleep(&pause, NULL);
    assert_false(cm_model_reload_take(&reload, 31 * SECOND_NS, &status, &model, &error));
    assert_true(cm_model_reload_is_pending(&reload));
    assert_false(atomic_load(&reload.stop));
    while (!cm_model_reload_take(&reload, 32 * SECOND_NS, &status, &model, &error))
        (void)nanosleep(&pause, NULL);
    assert_int_equal(status, CM_ERROR_DATABASE);
    assert_non_null(strstr(error.message, "has not answered for 30 s"));
    assert_null(model);
    assert_false(cm_model_reload_is_pending(&reload));
}

static void test_asked_for_again_meanwhile(void **state)
{
    const cm_model_source source = silent_source(*state);
    const struct timespec pause = {0, 5000000};
    cm_model_reload reload = {0};
    cm_model *model = NULL;
    cm_status status;
    cm_error error = {0};
    cm_model_reload_begin(&reload, &source, 0);
    cm_model_reload_begin(&reload, &source, 0);
    while (!cm_model_reload_take(&reload, 31 * SECOND_NS, &status, &model, &error))
        (void)nanosleep(&pause, NULL);
    assert_true(cm_model_reload_is_pending(&reload)); /* the second one has begun */
    cm_model_reload_close(&reload);
    assert_false(cm_model_reload_is_pending(&reload));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_is_read_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_before_it_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_server_that_never_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_asked_for_again_meanwhile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
