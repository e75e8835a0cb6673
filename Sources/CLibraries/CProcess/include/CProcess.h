#pragma once
#include <sys/prctl.h>

/// Keeps others of the same user from looking into the process, and the kernel from dumping it. prctl(2) takes a
/// variable number of arguments, which Swift cannot pass. Returns 0 when it is done.
static inline int cprocess_set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int cprocess_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
