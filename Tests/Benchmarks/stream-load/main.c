// stream-load: puts load on a gRPC server and says what it took. See workloads.h.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "workloads.h"

static const char usage[] =
    "usage: stream-load WORKLOAD (--unix PATH | --port N [--tls]) [OPTIONS] [-- COMMAND...]\n"
    "\n"
    "workloads\n"
    "  unary     calls per second, with --streams calls under way on each of --connections\n"
    "  latency   one call at a time on one connection\n"
    "  stream    messages per second of one server stream (/x.S/Stream)\n"
    "  fan-out   one tick to --watchers on --connections, until the last one has it\n"
    "  ticks     --rounds ticks, --streams of them under way; every watcher gets every one\n"
    "  memory    what --connections and --watchers cost the server (--pid)\n"
    "  rotation  --watchers of --cluster's rotation on --connections, until it has succeeded\n"
    "  startup   starts COMMAND and waits for the first answered call\n"
    "\n"
    "options\n"
    "  --connections N  --streams N  --watchers N  --rounds N  --size BYTES\n"
    "  --warm-up SECONDS  --seconds SECONDS  --timeout SECONDS\n"
    "  --path PATH      the method to call (/x.S/y)\n"
    "  --grpc-timeout T what every call sends that is not a watch (60S); none sends none\n"
    "  --pid PID        the server's process, to read its processor time and memory\n"
    "  --plain          the server answers with a file, not with gRPC\n"
    "  --spin           poll, do not sleep\n"
    "  --health         call grpc.health.v1 until it says SERVING (startup)\n"
    "  --processor N    where COMMAND runs\n"
    "  --cluster NAME  --changes-only\n";

static void put_varint(uint8_t **at, uint64_t value) {
  while (value >= 0x80) {
    *(*at)++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *(*at)++ = (uint8_t)value;
}

const uint8_t *make_body(const struct options *options, size_t size, size_t *length) {
  uint8_t *body = malloc(size + 16), *at = body;
  if (!body) die("out of memory");
  if (!options->target.plain) {
    at += 5;
    if (size > 0) {
      *at++ = 0x0a;
      put_varint(&at, size);
    }
  }
  for (size_t i = 0; i < size; i++) *at++ = (uint8_t)('a' + i % 26);
  *length = (size_t)(at - body);
  if (!options->target.plain) {
    uint32_t message = (uint32_t)(*length - 5);
    body[0] = 0;
    for (int i = 0; i < 4; i++) body[1 + i] = (uint8_t)(message >> (24 - 8 * i));
  }
  return body;
}

const uint8_t *make_count_body(const struct options *options, uint64_t count, size_t *length) {
  size_t size = options->size < 8 ? 8 : options->size;
  uint8_t *body = (uint8_t *)make_body(options, size, length);
  uint8_t *payload = body + *length - size;
  for (int i = 0; i < 8; i++) payload[i] = (uint8_t)(count >> (8 * i));
  return body;
}

enum { UNIX = 256, PORT, TLS, CONNECTIONS, STREAMS, WATCHERS, ROUNDS, SIZE, WARM_UP, SECONDS,
       TIMEOUT, PATH, GRPC_TIMEOUT, PID, PLAIN, SPIN, HEALTH, PROCESSOR, CLUSTER, CHANGES_ONLY };

static const struct option names[] = {
    {"unix", required_argument, NULL, UNIX},
    {"port", required_argument, NULL, PORT},
    {"tls", no_argument, NULL, TLS},
    {"connections", required_argument, NULL, CONNECTIONS},
    {"streams", required_argument, NULL, STREAMS},
    {"watchers", required_argument, NULL, WATCHERS},
    {"rounds", required_argument, NULL, ROUNDS},
    {"size", required_argument, NULL, SIZE},
    {"warm-up", required_argument, NULL, WARM_UP},
    {"seconds", required_argument, NULL, SECONDS},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"path", required_argument, NULL, PATH},
    {"grpc-timeout", required_argument, NULL, GRPC_TIMEOUT},
    {"pid", required_argument, NULL, PID},
    {"plain", no_argument, NULL, PLAIN},
    {"spin", no_argument, NULL, SPIN},
    {"health", no_argument, NULL, HEALTH},
    {"processor", required_argument, NULL, PROCESSOR},
    {"cluster", required_argument, NULL, CLUSTER},
    {"changes-only", no_argument, NULL, CHANGES_ONLY},
    {0},
};

_Noreturn static void wrong_usage(void) {
  fputs(usage, stderr);
  exit(2);
}

static int at_least(long least, const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*end || value < least || value > 100000000) wrong_usage();
  return (int)value;
}

static int positive(const char *text) { return at_least(1, text); }

static struct options parse(int count, char **words) {
  struct options options = {.path = "/x.S/y", .grpc_timeout = "60S", .connections = 1, .streams = 1, .rounds = 1,
                            .size = 64, .warm_up = 0.5, .seconds = 2, .timeout = 60, .processor = -1,
                            .cluster = "demo"};
  int option;
  while ((option = getopt_long(count, words, "", names, NULL)) != -1) {
    switch (option) {
      case UNIX: options.target.unix_path = optarg; break;
      case PORT: options.target.port = positive(optarg); break;
      case TLS: options.target.tls = true; break;
      case CONNECTIONS: options.connections = positive(optarg); break;
      case STREAMS: options.streams = positive(optarg); break;
      case WATCHERS: options.watchers = positive(optarg); break;
      case ROUNDS: options.rounds = positive(optarg); break;
      case SIZE: options.size = (size_t)at_least(0, optarg); break;
      case WARM_UP: options.warm_up = atof(optarg); break;
      case SECONDS: options.seconds = atof(optarg); break;
      case TIMEOUT: options.timeout = atof(optarg); break;
      case PATH: options.path = optarg; break;
      case GRPC_TIMEOUT: options.grpc_timeout = strcmp(optarg, "none") ? optarg : NULL; break;
      case PID: options.server_pid = positive(optarg); break;
      case PLAIN: options.target.plain = true; break;
      case SPIN: options.spin = true; break;
      case HEALTH: options.health = true, options.path = "/grpc.health.v1.Health/Check"; break;
      case PROCESSOR: options.processor = atoi(optarg); break;
      case CLUSTER: options.cluster = optarg; break;
      case CHANGES_ONLY: options.changes_only = true; break;
      default: wrong_usage();
    }
  }
  if (!options.target.unix_path && options.target.port == 0) wrong_usage();
  if (optind < count) options.command = words + optind;
  return options;
}

int main(int count, char **words) {
  if (count < 2) wrong_usage();
  // Whoever started this may be killed; then nobody waits for the answer.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  const char *workload = words[1];
  struct options options = parse(count - 1, words + 1);
  if (strcmp(workload, "unary") == 0) run_unary(&options);
  else if (strcmp(workload, "latency") == 0) run_latency(&options);
  else if (strcmp(workload, "stream") == 0) run_stream(&options);
  else if (strcmp(workload, "fan-out") == 0) run_fan_out(&options);
  else if (strcmp(workload, "ticks") == 0) run_ticks(&options);
  else if (strcmp(workload, "memory") == 0) run_memory(&options);
  else if (strcmp(workload, "startup") == 0) run_startup(&options);
  else if (strcmp(workload, "rotation") == 0) run_rotation(&options);
  else wrong_usage();
  return 0;
}
