#define _GNU_SOURCE
#include "CEpoll.h"

#include <sys/socket.h>

int reactor_accept(int descriptor) {
  return accept4(descriptor, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int reactor_peer_credentials(int descriptor, int *process, unsigned *user, unsigned *group) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
  *process = credentials.pid;
  *user = credentials.uid;
  *group = credentials.gid;
  return 0;
}

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int reactor_peer_groups(int descriptor, unsigned *groups, unsigned capacity) {
  socklen_t length = capacity * sizeof(gid_t);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0) return -1;
  return (int)(length / sizeof(gid_t));
}
