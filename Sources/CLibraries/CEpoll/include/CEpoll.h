// epoll and eventfd, which Swift's Glibc module lacks, and two socket calls that are GNU extensions.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC; the peer's address is not asked for.
int reactor_accept(int descriptor);

/// SO_PEERCRED of a Unix socket (unix(7)). 0, or -1 with errno.
int reactor_peer_credentials(int descriptor, int *process, unsigned *user, unsigned *group);

/// SO_PEERGROUPS of a Unix socket (socket(7)): how many groups were written, or -1 with errno (ERANGE: there are more).
int reactor_peer_groups(int descriptor, unsigned *groups, unsigned capacity);
