#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "measure.h"

enum { READ_BYTES = 256 << 10, WRITE_BYTES = 64 << 10 };

_Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "stream-load: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}

// MARK: nghttp2 callbacks

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user) {
  (void)flags, (void)user;
  struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!call) return 0;
  if (name_length == 11 && memcmp(name, "grpc-status", 11) == 0) {
    call->grpc_ok = value_length == 1 && value[0] == '0';
  } else if (name_length == 7 && memcmp(name, ":status", 7) == 0) {
    call->status_ok = value_length == 3 && memcmp(value, "200", 3) == 0;
  }
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  struct connection *connection = user;
  if (frame->hd.type == NGHTTP2_SETTINGS) {
    if (!(frame->hd.flags & NGHTTP2_FLAG_ACK) && !connection->has_settings) {
      connection->has_settings = true;
      connection->load->with_settings += 1;
    }
  } else if (frame->hd.type == NGHTTP2_HEADERS) {
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call && !call->saw_head) {
      call->saw_head = true;
      if (call->events->head) call->events->head(call);
    }
  } else if (frame->hd.type == NGHTTP2_GOAWAY) {
    die("the server sent GOAWAY, error code %u", frame->goaway.error_code);
  }
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t length, void *user) {
  (void)flags;
  struct connection *connection = user;
  struct call *call = nghttp2_session_get_stream_user_data(session, stream);
  if (!call) return 0;
  call->bytes += length;
  if (connection->load->target.plain) return 0;
  while (length > 0) {
    if (call->envelope_length < 5) {
      call->envelope[call->envelope_length++] = *data++;
      length -= 1;
      if (call->envelope_length < 5) continue;
      call->message_left = (uint32_t)call->envelope[1] << 24 | (uint32_t)call->envelope[2] << 16 |
                           (uint32_t)call->envelope[3] << 8 | call->envelope[4];
      call->prefix_length = 0;
    } else {
      size_t take = length < call->message_left ? length : call->message_left;
      size_t room = sizeof call->prefix - call->prefix_length, kept = take < room ? take : room;
      memcpy(call->prefix + call->prefix_length, data, kept);
      call->prefix_length += (uint16_t)kept;
      call->message_left -= take;
      data += take;
      length -= take;
    }
    if (call->message_left == 0) {
      call->envelope_length = 0;
      call->messages += 1;
      if (call->events->message) call->events->message(call);
    }
  }
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error_code, void *user) {
  struct connection *connection = user;
  struct call *call = nghttp2_session_get_stream_user_data(session, stream);
  if (!call) return 0;
  call->stream = 0;
  bool ok = error_code == 0 && call->status_ok &&
            (connection->load->target.plain || (call->grpc_ok && call->envelope_length == 0));
  if (call->events->end) call->events->end(call, !ok);
  return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
  (void)session, (void)stream, (void)user;
  struct call *call = source->ptr;
  size_t left = call->body_length - call->body_sent;
  size_t take = left < length ? left : length;
  memcpy(buffer, call->body + call->body_sent, take);
  call->body_sent += take;
  if (take == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)take;
}

// MARK: Connections

void load_init(struct load *load, struct target target) {
  memset(load, 0, sizeof *load);
  load->target = target;
  load->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (load->epoll < 0) die("epoll: %s", strerror(errno));
  nghttp2_session_callbacks_new(&load->callbacks);
  nghttp2_session_callbacks_set_on_header_callback(load->callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(load->callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(load->callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(load->callbacks, on_close);
  nghttp2_option_new(&load->options);
  nghttp2_option_set_no_closed_streams(load->options, 1);
  if (target.tls) {
    load->tls = SSL_CTX_new(TLS_client_method());
    if (!load->tls) die("no TLS context");
    SSL_CTX_set_min_proto_version(load->tls, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(load->tls, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_mode(load->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A benchmark on loopback, with a certificate made for it a moment ago.
    SSL_CTX_set_verify(load->tls, SSL_VERIFY_NONE, NULL);
  }
}

int target_connect(const struct target *target) {
  int descriptor;
  int result;
  if (target->unix_path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(target->unix_path) >= sizeof address.sun_path) die("the socket path is too long");
    strcpy(address.sun_path, target->unix_path);
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket: %s", strerror(errno));
    result = connect(descriptor, (struct sockaddr *)&address, sizeof address);
  } else {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    result = connect(descriptor, (struct sockaddr *)&address, sizeof address);
  }
  if (result < 0) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
  }
  return descriptor;
}

static void mark_dirty(struct connection *connection) {
  if (connection->is_dirty) return;
  connection->is_dirty = true;
  connection->next_dirty = connection->load->dirty;
  connection->load->dirty = connection;
}

static void handshake(struct connection *connection) {
  connection->ssl = SSL_new(connection->load->tls);
  SSL_set_fd(connection->ssl, connection->descriptor);
  SSL_set_alpn_protos(connection->ssl, (const unsigned char *)"\2h2", 3);
  if (SSL_connect(connection->ssl) != 1) die("the TLS handshake failed");
}

static void set_up(struct load *load, struct connection *connection, int descriptor) {
  connection->load = load;
  connection->descriptor = descriptor;
  if (load->tls) handshake(connection);  // still blocking: many handshakes are no workload here
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  if (nghttp2_session_client_new2(&connection->session, load->callbacks, connection,
                                  load->options) != 0)
    die("no HTTP/2 session");
  nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (1u << 30) - 1},
  };
  nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, (1 << 30) - 1);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
    die("epoll: %s", strerror(errno));
  mark_dirty(connection);
}

void load_adopt(struct load *load, int descriptor) {
  load->connections = calloc(1, sizeof *load->connections);
  load->connection_count = 1;
  set_up(load, &load->connections[0], descriptor);
}

void load_connect(struct load *load, int count, double timeout) {
  uint64_t end = now() + (uint64_t)(timeout * 1e9);
  load->connections = calloc((size_t)count, sizeof *load->connections);
  load->connection_count = count;
  for (int i = 0; i < count; i++) {
    int descriptor;
    // A full backlog answers EAGAIN on a Unix socket; the server needs a moment.
    while ((descriptor = target_connect(&load->target)) < 0) {
      if ((errno != EAGAIN && errno != EINTR) || now() > end)
        die("connect: %s", strerror(errno));
      load_turn(load, 1);
    }
    set_up(load, &load->connections[i], descriptor);
    if (i % 32 == 31) load_turn(load, 0);
  }
  while (load->with_settings < count) {
    if (now() > end)
      die("only %d of %d connections were set up in time", load->with_settings, count);
    load_turn(load, 10);
  }
}

// MARK: Input and output

static void wait_for_room(struct connection *connection, bool wanted) {
  if (connection->waits_for_room == wanted) return;
  connection->waits_for_room = wanted;
  struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0),
                              .data.ptr = connection};
  epoll_ctl(connection->load->epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
}

static ssize_t write_some(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (!connection->ssl) {
    ssize_t count = send(connection->descriptor, bytes, length, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (count < 0) die("send: %s", strerror(errno));
    return count;
  }
  int count = SSL_write(connection->ssl, bytes, (int)length);
  if (count > 0) return count;
  int error = SSL_get_error(connection->ssl, count);
  if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) return 0;
  die("TLS write failed");
}

static void keep(struct connection *connection, const uint8_t *bytes, size_t length) {
  if (connection->pending_capacity < length) {
    connection->pending = realloc(connection->pending, length);
    connection->pending_capacity = length;
    if (!connection->pending) die("out of memory");
  }
  memcpy(connection->pending, bytes, length);
  connection->pending_length = length;
  connection->pending_offset = 0;
}

static void flush(struct connection *connection) {
  static uint8_t buffer[2 * WRITE_BYTES];
  for (;;) {
    while (connection->pending_offset < connection->pending_length) {
      ssize_t count = write_some(connection, connection->pending + connection->pending_offset,
                                 connection->pending_length - connection->pending_offset);
      if (count == 0) return wait_for_room(connection, true);
      connection->pending_offset += (size_t)count;
    }
    size_t length = 0;
    while (length < WRITE_BYTES) {
      const uint8_t *frame;
      ssize_t count = nghttp2_session_mem_send(connection->session, &frame);
      if (count < 0) die("nghttp2: %s", nghttp2_strerror((int)count));
      if (count == 0) break;
      if (length + (size_t)count > sizeof buffer) die("a frame of %zd bytes", count);
      memcpy(buffer + length, frame, (size_t)count);
      length += (size_t)count;
    }
    if (length == 0) return wait_for_room(connection, false);
    size_t written = 0;
    while (written < length) {
      ssize_t count = write_some(connection, buffer + written, length - written);
      if (count == 0) {
        keep(connection, buffer + written, length - written);
        return wait_for_room(connection, true);
      }
      written += (size_t)count;
    }
  }
}

static void take_input(struct connection *connection) {
  static uint8_t buffer[READ_BYTES];
  for (;;) {
    ssize_t count;
    if (connection->ssl) {
      count = SSL_read(connection->ssl, buffer, sizeof buffer);
      if (count <= 0) {
        int error = SSL_get_error(connection->ssl, (int)count);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        die("the server closed the TLS connection");
      }
    } else {
      count = recv(connection->descriptor, buffer, sizeof buffer, 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (count < 0) die("recv: %s", strerror(errno));
      if (count == 0) die("the server closed the connection");
    }
    ssize_t taken = nghttp2_session_mem_recv(connection->session, buffer, (size_t)count);
    if (taken < 0) die("nghttp2: %s", nghttp2_strerror((int)taken));
    mark_dirty(connection);
    // TLS may hold more than the socket shows; a socket is asked again by epoll.
    if (!connection->ssl) return;
  }
}

void load_turn(struct load *load, int timeout) {
  while (load->dirty) {
    struct connection *connection = load->dirty;
    load->dirty = connection->next_dirty;
    connection->is_dirty = false;
    flush(connection);
  }
  struct epoll_event events[256];
  int count = epoll_wait(load->epoll, events, 256, timeout);
  if (count < 0 && errno != EINTR) die("epoll: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    struct connection *connection = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) mark_dirty(connection);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take_input(connection);
  }
  while (load->dirty) {
    struct connection *connection = load->dirty;
    load->dirty = connection->next_dirty;
    connection->is_dirty = false;
    flush(connection);
  }
}

void load_until(struct load *load, const uint64_t *counter, uint64_t goal, double timeout,
                const char *what) {
  uint64_t end = now() + (uint64_t)(timeout * 1e9);
  while (*counter < goal) {
    if (now() > end)
      die("%s: %llu of %llu within %.0f s", what, (unsigned long long)*counter,
          (unsigned long long)goal, timeout);
    load_turn(load, 10);
  }
}

// MARK: Calls

#define FIELD(NAME, VALUE, LENGTH)                                               \
  {(uint8_t *)NAME, (uint8_t *)VALUE, sizeof NAME - 1, LENGTH,                   \
   NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}

void call_start(struct call *call) {
  struct load *load = call->connection->load;
  const char *scheme = load->tls ? "https" : "http";
  nghttp2_nv fields[] = {
      FIELD(":method", "POST", 4),
      FIELD(":scheme", scheme, strlen(scheme)),
      FIELD(":authority", "localhost", 9),
      FIELD(":path", call->path, strlen(call->path)),
      FIELD("content-type", "application/grpc", 16),
      FIELD("te", "trailers", 8),
      FIELD("grpc-timeout", call->grpc_timeout, 0),
  };
  size_t field_count = sizeof fields / sizeof fields[0];
  if (call->grpc_timeout) {
    fields[field_count - 1].valuelen = strlen(call->grpc_timeout);
  } else {
    field_count -= 1;
  }
  call->body_sent = 0;
  call->messages = 0;
  call->bytes = 0;
  call->message_left = 0;
  call->envelope_length = 0;
  call->prefix_length = 0;
  call->saw_head = call->status_ok = call->grpc_ok = false;
  call->started_at = now();
  nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
  call->stream = nghttp2_submit_request(call->connection->session, NULL, fields, field_count,
                                        &provider, call);
  if (call->stream < 0) die("submit: %s", nghttp2_strerror(call->stream));
  mark_dirty(call->connection);
}

void call_cancel(struct call *call) {
  if (call->stream <= 0) return;
  nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream,
                            NGHTTP2_CANCEL);
  mark_dirty(call->connection);
}
