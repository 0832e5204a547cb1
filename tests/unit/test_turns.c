/* A thread that steps back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "util/turns.h"

#define NICE_MAX 19

typedef struct scheduled {
    int policy, nice;
} scheduled;

static void *step_back(void *context)
{
    scheduled *told = context;
    const struct sched_param none = {0};
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    cm_turns_step_back();
    *told = (scheduled){sched_getscheduler(0), getpriority(PRIO_PROCESS, 0)};
    return NULL;
}

static void test_stepping_back_is_for_one_thread(void **state)
{
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    scheduled told;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, step_back, &told), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(told.policy, SCHED_OTHER);
    assert_int_equal(told.nice, before + 10 < NICE_MAX ? before + 10 : NICE_MAX);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stepping_back_is_for_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
