// Clocks, processor time and memory, read the same way for every workload.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Monotonic nanoseconds.
uint64_t now(void);

// A moment, with the processor time used until then.
struct moment {
  uint64_t at;         // monotonic nanoseconds
  double own;          // processor seconds of this process
  double server;       // of the server, all its threads
  double machine;      // of everything on the machine
  double stolen;       // taken by the hypervisor
};

struct moment take_moment(int server_pid);

// Prints `"seconds": …, "server_cpu": …, "client_cpu": …, "other_cpu": …, "stolen": …`, in
// processors: 1.0 is one processor busy all the time.
void print_span(struct moment from, struct moment to);

// Resident memory of a process in KiB.
long resident_kib(int pid);

// Sorts; the value below which `share` of them lie.
uint64_t percentile(uint64_t *values, size_t count, double share);
