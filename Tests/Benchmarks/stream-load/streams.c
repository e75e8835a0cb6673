#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "workloads.h"

static uint64_t heads, messages, finished, broken;
static bool is_over;

static void got_head(struct call *call) {
  (void)call;
  heads += 1;
}

static void got_message(struct call *call) {
  (void)call;
  messages += 1;
}

static void stream_ended(struct call *call, bool failed) {
  (void)failed;
  if (is_over) return;
  broken += 1;
  die("the server ended %s", call->path);
}

static void call_ended(struct call *call, bool failed) {
  if (failed) die("%s failed", call->path);
  finished += 1;
}

static const struct call_events watcher_events = {
    .head = got_head, .message = got_message, .end = stream_ended};
static const struct call_events tick_events = {.end = call_ended};

struct call *open_watchers(struct load *load, const struct options *options, int first,
                           int connections, int count, const struct call_events *events) {
  size_t length;
  const uint8_t *body = make_body(options, 0, &length);
  struct call *calls = calloc((size_t)count, sizeof *calls);
  heads = 0;
  for (int i = 0; i < count; i++) {
    calls[i] = (struct call){
        .connection = &load->connections[first + i % connections],
        .events = events ? events : &watcher_events,
        .path = "/x.S/Watch",
        .body = body,
        .body_length = length,
    };
    call_start(&calls[i]);
    if (i % 1000 == 999) load_turn(load, 0);
  }
  load_until(load, &heads, (uint64_t)count, options->timeout, "watchers answered");
  return calls;
}

void run_stream(const struct options *options) {
  struct load load;
  load_init(&load, options->target);
  load_connect(&load, 1, options->timeout);
  size_t length;
  struct call call = {.connection = &load.connections[0], .events = &watcher_events,
                      .path = "/x.S/Stream"};
  call.body = make_count_body(options, UINT64_C(1) << 40, &length);
  call.body_length = length;
  call_start(&call);
  uint64_t end = now() + (uint64_t)(options->warm_up * 1e9);
  while (now() < end) load_turn(&load, 10);
  struct moment from = take_moment(options->server_pid);
  messages = 0;
  end = now() + (uint64_t)(options->seconds * 1e9);
  while (now() < end) load_turn(&load, 10);
  struct moment to = take_moment(options->server_pid);
  if (messages == 0) die("no message came");
  printf("{\"messages\": %llu, \"rate\": %.1f, ", (unsigned long long)messages,
         (double)messages / ((double)(to.at - from.at) / 1e9));
  print_span(from, to);
  printf("}\n");
  is_over = true;
  call_cancel(&call);
  load_turn(&load, 0);
}

// The ticks go on a connection of their own, as from somebody who changes what the others watch.
static struct call make_tick(struct load *load, const struct options *options) {
  size_t length;
  struct call tick = {.connection = &load->connections[load->connection_count - 1],
                      .events = &tick_events, .path = "/x.S/Tick",
                      .grpc_timeout = options->grpc_timeout};
  tick.body = make_body(options, options->size, &length);
  tick.body_length = length;
  return tick;
}

void run_fan_out(const struct options *options) {
  struct load load;
  load_init(&load, options->target);
  load_connect(&load, options->connections + 1, options->timeout);
  uint64_t opening = now();
  open_watchers(&load, options, 0, options->connections, options->watchers, NULL);
  double opened = (double)(now() - opening) / 1e6;
  struct call tick = make_tick(&load, options);
  uint64_t *times = calloc((size_t)options->rounds, sizeof *times);
  struct moment from = {0};
  for (int round = -1; round < options->rounds; round++) {
    if (round == 0) from = take_moment(options->server_pid);
    uint64_t quiet_until = now() + 20000000;
    while (now() < quiet_until) load_turn(&load, 1);
    messages = finished = 0;
    call_start(&tick);
    uint64_t end = now() + (uint64_t)(options->timeout * 1e9);
    while (messages < (uint64_t)options->watchers) {
      if (now() > end)
        die("only %llu watchers have the tick", (unsigned long long)messages);
      load_turn(&load, options->spin ? 0 : 10);
    }
    // The first tick finds every buffer and table unallocated; it is not counted.
    if (round >= 0) times[round] = now() - tick.started_at;
    load_until(&load, &finished, 1, options->timeout, "the tick answered");
  }
  struct moment to = take_moment(options->server_pid);
  size_t count = (size_t)options->rounds;
  uint64_t median = percentile(times, count, 0.5), least = times[0], most = times[count - 1];
  printf("{\"watchers\": %d, \"ms\": %.3f, \"least_ms\": %.3f, \"most_ms\": %.3f, "
         "\"opening_ms\": %.1f, \"server_cpu_ms_per_tick\": %.2f, ",
         options->watchers, (double)median / 1e6, (double)least / 1e6, (double)most / 1e6, opened,
         (to.server - from.server) * 1e3 / options->rounds);
  print_span(from, to);
  printf("}\n");
}

static uint64_t ticks_left;

static void tick_again(struct call *call, bool failed) {
  if (failed) die("%s failed", call->path);
  finished += 1;
  if (ticks_left > 0) {
    ticks_left -= 1;
    call_start(call);
  }
}

void run_ticks(const struct options *options) {
  static const struct call_events events = {.end = tick_again};
  struct load load;
  load_init(&load, options->target);
  load_connect(&load, options->connections + 1, options->timeout);
  open_watchers(&load, options, 0, options->connections, options->watchers, NULL);
  uint64_t total = (uint64_t)options->rounds;
  struct call *ticks = calloc((size_t)options->streams, sizeof *ticks);
  messages = finished = 0;
  ticks_left = total;
  struct moment from = take_moment(options->server_pid);
  for (int i = 0; i < options->streams && ticks_left > 0; i++) {
    ticks[i] = make_tick(&load, options);
    ticks[i].events = &events;
    ticks_left -= 1;
    call_start(&ticks[i]);
  }
  load_until(&load, &finished, total, options->timeout, "ticks answered");
  load_until(&load, &messages, total * (uint64_t)options->watchers, options->timeout,
             "messages of ticks");
  struct moment to = take_moment(options->server_pid);
  printf("{\"messages\": %llu, \"rate\": %.1f, ", (unsigned long long)messages,
         (double)messages / ((double)(to.at - from.at) / 1e9));
  print_span(from, to);
  printf("}\n");
}

static void settle(struct load *load) {
  uint64_t end = now() + 300000000;
  while (now() < end) load_turn(load, 10);
}

void run_memory(const struct options *options) {
  if (options->server_pid <= 0) die("memory needs --pid");
  struct load first, load;
  size_t length;
  // One of everything, so that what exists once is not taken for what each one costs.
  load_init(&first, options->target);
  load_connect(&first, 1, options->timeout);
  struct call call = {.connection = &first.connections[0], .events = &tick_events,
                      .path = options->path, .grpc_timeout = options->grpc_timeout};
  call.body = make_body(options, options->size, &length);
  call.body_length = length;
  finished = 0;
  call_start(&call);
  load_until(&first, &finished, 1, options->timeout, "the first call");
  if (!options->target.plain) open_watchers(&first, options, 0, 1, 1, NULL);
  settle(&first);
  long idle = resident_kib(options->server_pid);

  load_init(&load, options->target);
  load_connect(&load, options->connections, options->timeout);
  settle(&load);
  long connected = resident_kib(options->server_pid);
  struct call *calls = calloc((size_t)options->connections, sizeof *calls);
  finished = 0;
  for (int i = 0; i < options->connections; i++) {
    calls[i] = call;
    calls[i].connection = &load.connections[i];
    call_start(&calls[i]);
  }
  load_until(&load, &finished, (uint64_t)options->connections, options->timeout, "calls");
  settle(&load);
  long called = resident_kib(options->server_pid);
  long watching = called, ticked = called;
  if (options->watchers > 0) {
    open_watchers(&load, options, 0, options->connections, options->watchers, NULL);
    settle(&load);
    watching = resident_kib(options->server_pid);
    messages = finished = 0;
    struct call tick = make_tick(&load, options);
    call_start(&tick);
    load_until(&load, &messages, (uint64_t)options->watchers, options->timeout, "the tick");
    settle(&load);
    ticked = resident_kib(options->server_pid);
  }
  printf("{\"idle_kib\": %ld, \"connected_kib\": %ld, \"called_kib\": %ld, \"watching_kib\": %ld, "
         "\"ticked_kib\": %ld, \"connections\": %d, \"watchers\": %d}\n",
         idle, connected, called, watching, ticked, options->connections, options->watchers);
}
