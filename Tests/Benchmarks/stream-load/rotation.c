#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "workloads.h"

// What watchers of one rotation get, and when. A revision has reached a watcher that has seen it or a newer one, since
// the server leaves out what a slow reader has no use for.
#define MOST_REVISIONS 65536

struct watcher {
  uint64_t revision;  // the newest that was seen
  bool is_over;       // the rotation was seen to have ended
};

static struct call *calls;
static struct watcher *watchers;
static int watcher_count;
static uint64_t answered, over, lost, deliveries, base;
static uint64_t *first_at, *last_at;
static bool is_leaving;

// A varint of protobuf; false where the bytes end before it does.
static bool take_varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  *value = 0;
  for (int shift = 0; *at < end && shift < 64; shift += 7) {
    uint8_t byte = *(*at)++;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Reads `state` (4) and `revision` (9) of the RotationStatus that a response begins with.
static bool read_status(const struct call *call, uint64_t *state, uint64_t *revision) {
  const uint8_t *at = call->prefix, *end = at + call->prefix_length;
  uint64_t tag, value;
  if (!take_varint(&at, end, &tag) || tag != 0x0a || !take_varint(&at, end, &value)) return false;
  *state = 0;
  while (take_varint(&at, end, &tag)) {
    if ((tag & 7) == 2) {
      if (!take_varint(&at, end, &value) || value > (uint64_t)(end - at)) return false;
      at += value;
    } else if ((tag & 7) == 0) {
      if (!take_varint(&at, end, &value)) return false;
      if (tag >> 3 == 4) *state = value;
      if (tag >> 3 == 9) return *revision = value, true;
    } else {
      return false;
    }
  }
  return false;
}

static void got_head(struct call *call) {
  (void)call;
  answered += 1;
}

static void got_status(struct call *call) {
  struct watcher *watcher = &watchers[call - calls];
  uint64_t state, revision, at = now();
  if (!read_status(call, &state, &revision)) die("a response is no status");
  deliveries += 1;
  if (base == 0 || revision < base) base = revision;
  if (revision - base >= MOST_REVISIONS) die("too many revisions");
  uint64_t next = watcher->revision ? watcher->revision + 1 : revision;
  for (uint64_t reached = next; reached <= revision; reached++) {
    if (!first_at[reached - base]) first_at[reached - base] = at;
    last_at[reached - base] = at;
  }
  bool is_news = watcher->revision != 0;
  watcher->revision = revision;
  // ROTATION_STATE_SUCCEEDED, and not that of a rotation before.
  if (state == 5 && is_news && !watcher->is_over) {
    watcher->is_over = true;
    over += 1;
  }
}

static void watch_ended(struct call *call, bool failed) {
  (void)call, (void)failed;
  if (!is_leaving) lost += 1;
}

static const struct call_events events = {.head = got_head, .message = got_status, .end = watch_ended};

// {string cluster = 1; bool changes_only = 4}
static const uint8_t *make_request(const struct options *options, size_t *length) {
  size_t name = strlen(options->cluster);
  uint8_t *body = calloc(1, name + 16), *at = body + 5;
  if (name > 100) die("the cluster's name is too long");
  *at++ = 0x0a;
  *at++ = (uint8_t)name;
  memcpy(at, options->cluster, name);
  at += name;
  if (options->changes_only) *at++ = 0x20, *at++ = 1;
  *length = (size_t)(at - body);
  body[4] = (uint8_t)(*length - 5);
  return body;
}

void run_rotation(const struct options *options) {
  struct load load;
  watcher_count = options->watchers;
  calls = calloc((size_t)watcher_count, sizeof *calls);
  watchers = calloc((size_t)watcher_count, sizeof *watchers);
  first_at = calloc(MOST_REVISIONS, sizeof *first_at);
  last_at = calloc(MOST_REVISIONS, sizeof *last_at);
  load_init(&load, options->target);
  load_connect(&load, options->connections, options->timeout);
  long before = resident_kib(options->server_pid);
  size_t length;
  const uint8_t *body = make_request(options, &length);
  for (int i = 0; i < watcher_count; i++) {
    calls[i] = (struct call){
        .connection = &load.connections[i % options->connections], .events = &events,
        .path = "/omni.management.v1.ManagementService/WatchRotationStatus",
        .body = body, .body_length = length};
    call_start(&calls[i]);
    if (i % 1000 == 999) load_turn(&load, 0);
  }
  load_until(&load, &deliveries, (uint64_t)watcher_count, options->timeout, "watchers answered");
  long watching = resident_kib(options->server_pid);
  // Whoever has started this starts the rotation now.
  printf("{\"watching\": %d}\n", watcher_count);
  fflush(stdout);
  uint64_t start = base, opened = deliveries, bytes = 0;
  struct moment from = take_moment(options->server_pid);
  uint64_t end = now() + (uint64_t)(options->timeout * 1e9);
  while (over + lost < (uint64_t)watcher_count && now() < end) load_turn(&load, 10);
  struct moment to = take_moment(options->server_pid);
  size_t count = 0;
  uint64_t *delays = calloc(MOST_REVISIONS, sizeof *delays), newest = 0;
  for (uint64_t i = start - base + 1; i < MOST_REVISIONS; i++) {
    if (!first_at[i]) continue;
    delays[count++] = last_at[i] - first_at[i];
    newest = i;
  }
  for (int i = 0; i < watcher_count; i++) bytes += calls[i].bytes;
  double rotation = newest ? (double)(last_at[newest] - first_at[start - base + 1]) / 1e9 : 0;
  double p50 = count ? (double)percentile(delays, count, 0.5) / 1e6 : 0;
  double p99 = count ? (double)percentile(delays, count, 0.99) / 1e6 : 0;

  is_leaving = true;
  struct moment leaving = take_moment(options->server_pid);
  for (int i = 0; i < watcher_count; i++) {
    if (calls[i].stream) call_cancel(&calls[i]);
    if (i % 1000 == 999) load_turn(&load, 0);
  }
  uint64_t quiet = now() + UINT64_C(2000000000);
  while (now() < quiet) load_turn(&load, 10);
  struct moment left = take_moment(options->server_pid);
  printf("{\"watchers\": %d, \"over\": %llu, \"lost\": %llu, \"revisions\": %zu, \"deliveries\": %llu, "
         "\"megabytes\": %.1f, \"last_p50_ms\": %.2f, \"last_p99_ms\": %.2f, \"rotation_s\": %.2f, "
         "\"server_us_per_delivery\": %.2f, \"leaving_cpu_s\": %.3f, \"kib_per_watcher\": %.2f, ",
         watcher_count, (unsigned long long)over, (unsigned long long)lost, count,
         (unsigned long long)(deliveries - opened), (double)bytes / 1e6, p50, p99, rotation,
         deliveries > opened ? (to.server - from.server) * 1e6 / (double)(deliveries - opened) : 0,
         left.server - leaving.server, (double)(watching - before) / watcher_count);
  print_span(from, to);
  printf("}\n");
}
