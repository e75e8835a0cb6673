#pragma once
#include <sys/prctl.h>
#include <sys/types.h>

/// Keeps others of the same user from looking into the process, and the kernel from dumping it. prctl(2) takes a
/// variable number of arguments, which Swift cannot pass. Returns 0 when it is done.
static inline int cprocess_set_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int cprocess_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

/// A file in memory that no other program inherits (memfd_create(2)), which glibc declares for _GNU_SOURCE alone. Returns
/// its descriptor, or -1 with errno.
int cprocess_memory_file(void);

/// A descriptor that stands for one process, whoever has its number later (pidfd_open(2)). Returns it, or -1 with errno.
int cprocess_open_process(pid_t pid);

/// Kills the process that the descriptor stands for. Returns 0, or -1 with errno.
int cprocess_kill(int process);

/// A pipe whose ends no other program inherits (pipe2(2)). Returns 0, or -1 with errno.
int cprocess_pipe(int ends[2]);

/// Starts a program in `/` and in a process group of its own, with `input` as its standard input, `output` as its
/// standard output and standard error, no other descriptor, no signal blocked and none ignored (posix_spawn(3)).
/// Returns 0, or the error number.
int cprocess_spawn(
  pid_t *pid, const char *path, char *const arguments[], char *const environment[], int input, int output);
