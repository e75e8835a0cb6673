#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "workloads.h"

extern char **environ;

static pid_t child;
static uint64_t answered;

// Starts the command, silent (its output is not ours), on its own processor.
static void start_child(const struct options *options) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  int error =
      posix_spawnp(&child, options->command[0], &actions, NULL, options->command, environ);
  if (error != 0) die("%s: %s", options->command[0], strerror(error));
  posix_spawn_file_actions_destroy(&actions);
  if (options->processor >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(options->processor, &set);
    sched_setaffinity(child, sizeof set, &set);
  }
}

static void stop_child(void) {
  if (child <= 0) return;
  kill(child, SIGTERM);
  for (int i = 0; i < 300; i++) {
    if (waitpid(child, NULL, WNOHANG) == child) return;
    struct timespec pause = {.tv_nsec = 10000000};
    nanosleep(&pause, NULL);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void ended(struct call *call, bool failed) {
  if (failed) die("%s failed", call->path);
  answered += 1;
}

void run_startup(const struct options *options) {
  static const struct call_events events = {.end = ended};
  if (!options->command) die("startup needs a command behind --");
  unlink(options->target.unix_path);
  struct load load;
  load_init(&load, options->target);
  size_t length;
  const uint8_t *body = make_body(options, 0, &length);

  uint64_t start = now();
  start_child(options);
  atexit(stop_child);
  uint64_t end = start + (uint64_t)(options->timeout * 1e9);
  int descriptor;
  while ((descriptor = target_connect(&options->target)) < 0) {
    if (errno != ENOENT && errno != ECONNREFUSED && errno != EACCES)
      die("connect: %s", strerror(errno));
    if (now() > end) die("nothing listens within %.0f s", options->timeout);
    if (waitpid(child, NULL, WNOHANG) == child) {
      child = 0;
      die("the server ended before it listened");
    }
    struct timespec pause = {.tv_nsec = 100000};
    nanosleep(&pause, NULL);
  }
  uint64_t connected = now(), first = 0;
  load_adopt(&load, descriptor);
  struct call call = {.connection = &load.connections[0], .events = &events,
                      .path = options->path, .grpc_timeout = options->grpc_timeout, .body = body, .body_length = length};
  // A server may listen before it is ready: its health says so, and is asked again.
  do {
    if (now() > end) die("not ready within %.0f s", options->timeout);
    answered = 0;
    call_start(&call);
    load_until(&load, &answered, 1, options->timeout, "the first call");
    if (first == 0) first = now();
  } while (options->health && !(call.prefix_length >= 2 && call.prefix[0] == 8 && call.prefix[1] == 1));
  uint64_t done = now();
  printf("{\"ms\": %.3f, \"connected_ms\": %.3f, \"first_answer_ms\": %.3f, \"resident_kib\": %ld}\n",
         (double)(done - start) / 1e6, (double)(connected - start) / 1e6,
         (double)(first - start) / 1e6, resident_kib(child));
}
