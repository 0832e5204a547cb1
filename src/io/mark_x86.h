/* The kernels of x86-64. Internal to mark.c. */
#ifndef CM_IO_MARK_X86_H
#define CM_IO_MARK_X86_H

#include "io/mark.h"

/** The kernel of a level; NULL where the machine is another or lacks it. */
const cm_mark_kernel *cm_mark_kernel_x86(cm_mark_level level);

#endif
