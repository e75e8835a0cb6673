#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "workloads.h"

static bool is_stopping;
static uint64_t completed, failed, transferred;
static uint64_t *durations;
static size_t duration_count, duration_capacity;

static void ended(struct call *call, bool has_failed) {
  if (has_failed) failed += 1;
  completed += 1;
  transferred += call->bytes;
  if (durations && duration_count < duration_capacity)
    durations[duration_count++] = now() - call->started_at;
  if (!is_stopping) call_start(call);
}

static const struct call_events unary_events = {.end = ended};

static void turn_for(struct load *load, double seconds, bool spin) {
  uint64_t end = now() + (uint64_t)(seconds * 1e9);
  while (now() < end) load_turn(load, spin ? 0 : 10);
}

// Keeps the wanted number of calls under way and returns with the counts of the measured time.
static void keep_calling(struct load *load, const struct options *options, struct moment span[2]) {
  size_t length;
  const uint8_t *body = make_body(options, options->size, &length);
  size_t count = (size_t)options->connections * (size_t)options->streams;
  struct call *calls = calloc(count, sizeof *calls);
  for (size_t i = 0; i < count; i++) {
    calls[i] = (struct call){
        .connection = &load->connections[i % (size_t)options->connections],
        .events = &unary_events,
        .path = options->path,
        .grpc_timeout = options->grpc_timeout,
        .body = body,
        .body_length = length,
    };
    call_start(&calls[i]);
  }
  turn_for(load, options->warm_up, options->spin);
  uint64_t warm_failed = failed;
  completed = transferred = 0;
  duration_count = 0;
  span[0] = take_moment(options->server_pid);
  turn_for(load, options->seconds, options->spin);
  span[1] = take_moment(options->server_pid);
  is_stopping = true;
  if (failed > warm_failed || warm_failed > 0)
    die("%llu calls failed", (unsigned long long)failed);
  if (completed == 0) die("no call was answered");
}

void run_unary(const struct options *options) {
  struct load load;
  load_init(&load, options->target);
  load_connect(&load, options->connections, options->timeout);
  if (options->watchers > 0)
    open_watchers(&load, options, 0, options->connections, options->watchers, NULL);
  struct moment span[2];
  keep_calling(&load, options, span);
  double seconds = (double)(span[1].at - span[0].at) / 1e9;
  printf("{\"calls\": %llu, \"rate\": %.1f, \"bytes_per_second\": %.0f, ",
         (unsigned long long)completed, (double)completed / seconds,
         (double)transferred / seconds);
  print_span(span[0], span[1]);
  printf("}\n");
}

void run_latency(const struct options *options) {
  duration_capacity = 4u << 20;
  durations = malloc(duration_capacity * sizeof *durations);
  struct load load;
  load_init(&load, options->target);
  load_connect(&load, 1, options->timeout);
  struct options one = *options;
  one.connections = one.streams = 1;
  struct moment span[2];
  keep_calling(&load, &one, span);
  uint64_t p50 = percentile(durations, duration_count, 0.5);
  uint64_t p90 = percentile(durations, duration_count, 0.9);
  uint64_t p99 = percentile(durations, duration_count, 0.99);
  uint64_t p999 = percentile(durations, duration_count, 0.999);
  printf("{\"calls\": %zu, \"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, "
         "\"p999_us\": %.2f, ",
         duration_count, (double)p50 / 1e3, (double)p90 / 1e3, (double)p99 / 1e3,
         (double)p999 / 1e3);
  print_span(span[0], span[1]);
  printf("}\n");
}
