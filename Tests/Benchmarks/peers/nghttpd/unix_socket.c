// Preloaded into nghttpd, which knows TCP alone: its listening socket becomes the Unix socket that
// UNIX_SOCKET_PATH names, so that the ceiling is measured over the same transport as the rest.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path(void) { return getenv("UNIX_SOCKET_PATH"); }

int socket(int domain, int type, int protocol) {
  int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
  if (path() && (domain == AF_INET || domain == AF_INET6) && (type & 0xff) == SOCK_STREAM)
    return real(AF_UNIX, type, 0);
  return real(domain, type, protocol);
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t) =
      (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
  if (path() && (address->sa_family == AF_INET || address->sa_family == AF_INET6)) {
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    strncpy(file.sun_path, path(), sizeof file.sun_path - 1);
    unlink(file.sun_path);
    return real(descriptor, (struct sockaddr *)&file, sizeof file);
  }
  return real(descriptor, address, length);
}

// TCP and IPv6 options mean nothing to a Unix socket.
int setsockopt(int descriptor, int level, int name, const void *value, socklen_t length) {
  int (*real)(int, int, int, const void *, socklen_t) =
      (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
  int result = real(descriptor, level, name, value, length);
  return path() ? 0 : result;
}
