// The coarse clock as a number. In a module that also imports Foundation, Swift may ascribe the members of
// `timespec` to another module than Glibc, by the order in which it happens to load the two.
#pragma once
#include <stdint.h>

/// CLOCK_REALTIME_COARSE (clock_gettime(2)): nanoseconds since 1970, to the tick.
int64_t clock_coarse_nanoseconds(void);
