// An HTTP/2 client for load: many connections and calls on one epoll loop, in one thread.
//
// It does as little as it can for each call, so that the server is what is measured.
#pragma once

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where the server is, and how it is spoken to.
struct target {
  const char *unix_path;  // or NULL
  int port;               // on 127.0.0.1, when there is no path
  bool tls;
  // The server answers with a file, not with gRPC messages: no envelope and no grpc-status.
  bool plain;
};

struct call;
struct connection;

// What a workload wants to hear about its calls. Any may be NULL.
struct call_events {
  void (*head)(struct call *);
  void (*message)(struct call *);
  // The stream has ended; `failed` unless it ended with grpc-status 0 (or 200 where plain).
  void (*end)(struct call *, bool failed);
};

struct call {
  struct connection *connection;
  const struct call_events *events;
  const char *path;
  const char *grpc_timeout;  // or NULL
  const uint8_t *body;
  size_t body_length;
  uint64_t started_at;  // nanoseconds, set by call_start
  uint64_t messages;
  uint64_t bytes;
  // How the last message begins.
  uint8_t prefix[1024];
  uint16_t prefix_length;
  // private
  size_t body_sent;
  int32_t stream;
  uint32_t message_left;
  uint8_t envelope_length;
  uint8_t envelope[5];
  bool saw_head, status_ok, grpc_ok;
};

struct connection {
  struct load *load;
  int descriptor;
  SSL *ssl;
  nghttp2_session *session;
  bool has_settings, is_dirty, waits_for_room;
  uint8_t *pending;
  size_t pending_length, pending_offset, pending_capacity;
  struct connection *next_dirty;
};

struct load {
  struct target target;
  int epoll;
  SSL_CTX *tls;
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *options;
  struct connection *dirty;
  struct connection *connections;
  int connection_count;
  int with_settings;
};

// Ends the program with a message on standard error.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

void load_init(struct load *, struct target);
// Opens so many connections and returns when each has the server's SETTINGS.
void load_connect(struct load *, int count, double timeout_seconds);
// Connects once; -1 when nothing listens there yet.
int target_connect(const struct target *);
// Takes over a connected descriptor as the only connection.
void load_adopt(struct load *, int descriptor);
// Runs the loop once: sends what waits, takes what has come. Waits at most so long; 0 polls.
void load_turn(struct load *, int timeout_milliseconds);
// Runs until the counter has reached the goal; dies with `what` when it takes too long.
void load_until(struct load *, const uint64_t *counter, uint64_t goal, double timeout_seconds,
                const char *what);
// Begins the call (again). The connection, events, path and body are set by the caller.
void call_start(struct call *);
// Ends a call from this side with RST_STREAM(CANCEL).
void call_cancel(struct call *);
