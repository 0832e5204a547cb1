/* Work on several threads: each worker once, all done on return. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/failing_malloc.h"
#include "util/parallel.h"

struct calls {
    atomic_uint of[CM_PARALLEL_MAX + 8]; /* by worker */
    pthread_t caller;
    atomic_bool first_is_caller;
    pthread_barrier_t *meeting; /* NULL: nobody waits for the others */
};

static void call(void *context, unsigned worker)
{
    struct calls *calls = context;
    atomic_fetch_add(&calls->of[worker], 1);
    if (worker == 0)
        calls->first_is_caller = pthread_equal(pthread_self(), calls->caller) != 0;
    else if (pthread_equal(pthread_self(), calls->caller))
        calls->first_is_caller = false;
    if (calls->meeting != NULL)
        pthread_barrier_wait(calls->meeting);
}

static void run(struct calls *calls, unsigned workers, pthread_barrier_t *meeting)
{
    for (unsigned i = 0; i < CM_PARALLEL_MAX + 8; i++)
        calls->of[i] = 0;
    calls->caller = pthread_self();
    calls->first_is_caller = false;
    calls->meeting = meeting;
    cm_parallel(workers, call, calls);
    assert_true(calls->first_is_caller);
}

static struct calls calls;

static void test_each_worker_is_called_once(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 9; workers++) {
        run(&calls, workers, NULL);
        for (unsigned i = 0; i < CM_PARALLEL_MAX + 8; i++)
            assert_int_equal(calls.of[i], i < workers);
    }
}

/* Each waits until all are there: one after the other they would wait for ever. */
static void test_workers_run_side_by_side(void **state)
{
    (void)state;
    pthread_barrier_t meeting;
    assert_int_equal(pthread_barrier_init(&meeting, NULL, 5), 0);
    run(&calls, 5, &meeting);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(calls.of[i], 1);
    pthread_barrier_destroy(&meeting);
}

/* A machine may not have so many threads to give: those are left out, nobody is called twice. */
static void test_more_than_the_most_count_as_the_most(void **state)
{
    (void)state;
    run(&calls, CM_PARALLEL_MAX + 7, NULL);
    unsigned total = 0;
    for (unsigned i = 0; i < CM_PARALLEL_MAX + 8; i++) {
        assert_true(calls.of[i] <= (i < CM_PARALLEL_MAX));
        total += calls.of[i];
    }
    assert_true(total > 1);
}

static void test_without_memory_the_caller_works_alone(void **state)
{
    (void)state;
    if (!failing_malloc_works)
        skip();
    ptrdiff_t before = failing_malloc_live();
    failing_malloc_arm(0);
    run(&calls, 4, NULL);
    assert_true(failing_malloc_disarm());
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(calls.of[i], i == 0);
    assert_int_equal(failing_malloc_live(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_worker_is_called_once),
        cmocka_unit_test(test_workers_run_side_by_side),
        cmocka_unit_test(test_more_than_the_most_count_as_the_most),
        cmocka_unit_test(test_without_memory_the_caller_works_alone),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
