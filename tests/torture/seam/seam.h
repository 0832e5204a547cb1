/*
 * A library to be preloaded that lets calls of the program fail: allocations, files, threads and
 * libpq. The program knows nothing of it. Its environment says what happens:
 *
 *   CM_FAULT=CLASS:N:MODE[:forever]   the Nth call of a class (from 1; 0: none) meets the fault,
 *                                     or all from that one on
 *   CM_FAULT_REPORT=FILE              written at exit, a line each: calls CLASS COUNT; fired COUNT;
 *                                     live OBJECT OFFSET COUNT (blocks not freed, by who allocated
 *                                     them); open COUNT (descriptors)
 *   CM_FAULT_TRACE=CLASS              besides, call NUMBER NAME STACK for each call of that class,
 *                                     and for blocks not freed: stack OFFSET... of the program
 */
#ifndef TORTURE_SEAM_H
#define TORTURE_SEAM_H

#include <stdbool.h>
#include <stddef.h>

#define SEAM_SHOWN __attribute__((visibility("default")))

typedef enum seam_class {
    SEAM_ALLOC, /* allocations by the program */
    SEAM_LIB,   /* by libraries, libc's own included */
    SEAM_OPEN,  /* of files, folders and pipes */
    SEAM_READ,
    SEAM_WRITE,
    SEAM_SYNC, /* fsync and the like */
    SEAM_RENAME,
    SEAM_CLOSE,
    SEAM_META,   /* what is asked of a file or said about it */
    SEAM_REMOVE, /* unlink */
    SEAM_WAIT,   /* poll */
    SEAM_THREAD, /* pthread_create */
    SEAM_PQ,     /* all of libpq that can fail */
    SEAM_SQL,    /* statements sent, each of a text with several */
    SEAM_COMMIT, /* COMMITs among them */
    SEAM_CLASSES,
} seam_class;

/** Count a call of a class. The fault's mode where it is to meet it, else NULL. */
const char *seam_meets(seam_class class, const char *name);

/** Fail with the errno that a mode names: -1. */
int seam_fail(const char *mode);

/** The mode is to be interrupted, or to move less than was asked for. */
bool seam_is_short(const char *mode);

/** A block was allocated by who returns to `caller`, or freed. */
void seam_born(const void *block, size_t size, const void *caller);
void seam_dies(const void *block);

/** True where code at this address is the program's own. */
bool seam_is_program(const void *address);

/** The function of that name behind ours. */
void *seam_real(const char *name);

/** Calls that the seam makes itself are not counted while this is true, thread by thread. */
extern _Thread_local bool seam_is_inside;

#define SEAM_CALLER() __builtin_return_address(0)

/** Hold `real_NAME`, a function of the type of NAME, for what follows. */
#define SEAM_REAL(name)                                                                            \
    static __typeof__(name) *real_##name;                                                          \
    if (real_##name == NULL)                                                                       \
    *(void **)&real_##name = seam_real(#name)

#endif
