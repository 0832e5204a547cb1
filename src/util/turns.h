/* How long a thread goes on when others want its core. */
#ifndef CM_UTIL_TURNS_H
#define CM_UTIL_TURNS_H

/**
 * The calling thread works for another one, perhaps on the same core: from now on it gets a tenth
 * of a core that others want, under no policy but the usual one, and in turns of 100 us where Linux
 * is 6.12 or later: else whoever wakes up may wait some milliseconds for the end of one. Where that
 * is not allowed nothing changes.
 */
void cm_turns_step_back(void);

#endif
