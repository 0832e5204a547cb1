#include "util/turns.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NS 100000 /* the least that can be asked for */
#define NICER 10       /* a tenth of a core */

/* sched_attr(2) as it first was: its header and <sched.h> do not go together. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void cm_turns_step_back(void)
{
    const struct scheduling attr = {
        .size = sizeof attr,
        .policy = SCHED_OTHER,
        .nice = getpriority(PRIO_PROCESS, 0) + NICER, /* of this thread */
        .runtime_ns = TURN_NS,
    };
    (void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
