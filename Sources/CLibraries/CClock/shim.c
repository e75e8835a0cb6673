#define _GNU_SOURCE
#include "CClock.h"

#include <time.h>

int64_t clock_coarse_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
