// The workloads. Each prints one JSON object on standard output, or dies.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

struct options {
  struct target target;
  const char *path;      // of the call
  const char *grpc_timeout;  // of every call that is not a watch; NULL sends none
  int server_pid;        // whose processor time and memory are read; 0 for none
  int connections;
  int streams;           // calls under way on each connection
  int watchers;
  int rounds;
  size_t size;           // bytes of payload in a message
  double warm_up, seconds;
  double timeout;
  bool spin;             // poll instead of sleeping between two calls
  char **command;        // of the server, for `startup`
  bool health;           // `startup` waits for grpc.health.v1's SERVING
  int processor;         // for that server; -1 leaves it where it is
  const char *cluster;   // whose rotation is watched
  bool changes_only;
};

void run_unary(const struct options *);
void run_latency(const struct options *);
void run_stream(const struct options *);
void run_fan_out(const struct options *);
void run_ticks(const struct options *);
void run_memory(const struct options *);
void run_startup(const struct options *);
void run_rotation(const struct options *);

// A request body: `{bytes b = 1}` with `size` bytes, in its gRPC envelope; where the target is
// plain, `size` bytes alone. Never freed.
const uint8_t *make_body(const struct options *, size_t size, size_t *length);
// The same for /x.S/Stream: the payload begins with how many messages are wanted.
const uint8_t *make_count_body(const struct options *, uint64_t count, size_t *length);
// Opens watchers, spread over the connections, and returns when the server has answered each.
struct call *open_watchers(struct load *, const struct options *, int first, int connections,
                           int count, const struct call_events *);
