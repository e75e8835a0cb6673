#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static double process_seconds(int pid) {
  if (pid <= 0) return 0;
  char path[64], line[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) die("the server has ended");
  size_t length = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  line[length] = 0;
  // The name in parentheses may hold anything: fields are counted from behind it.
  char *rest = strrchr(line, ')');
  unsigned long user = 0, system = 0;
  if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                      &system) != 2)
    die("%s cannot be read", path);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct moment take_moment(int server_pid) {
  struct moment moment = {.at = now(), .server = process_seconds(server_pid)};
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  moment.own = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  FILE *file = fopen("/proc/stat", "r");
  unsigned long user, nice, system, idle, waiting, irq, softirq, steal;
  if (!file || fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle,
                      &waiting, &irq, &softirq, &steal) != 8)
    die("/proc/stat cannot be read");
  fclose(file);
  double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
  moment.machine = (double)(user + nice + system + irq + softirq) * tick;
  moment.stolen = (double)steal * tick;
  return moment;
}

void print_span(struct moment from, struct moment to) {
  double seconds = (double)(to.at - from.at) / 1e9;
  double server = to.server - from.server, own = to.own - from.own;
  double other = to.machine - from.machine - server - own;
  printf("\"seconds\": %.4f, \"server_cpu\": %.3f, \"client_cpu\": %.3f, \"other_cpu\": %.3f, "
         "\"stolen\": %.3f",
         seconds, server / seconds, own / seconds, (other > 0 ? other : 0) / seconds,
         (to.stolen - from.stolen) / seconds);
}

long resident_kib(int pid) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (!file) die("the server has ended");
  long kib = -1;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "VmRSS: %ld kB", &kib) == 1) break;
  fclose(file);
  if (kib < 0) die("%s shows no VmRSS", path);
  return kib;
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

uint64_t percentile(uint64_t *values, size_t count, double share) {
  if (count == 0) return 0;
  qsort(values, count, sizeof *values, ascending);
  size_t index = (size_t)(share * (double)count);
  return values[index < count ? index : count - 1];
}
