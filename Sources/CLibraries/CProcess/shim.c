#define _GNU_SOURCE
#include "CProcess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

int cprocess_memory_file(void) { return memfd_create("input", MFD_CLOEXEC); }

int cprocess_open_process(pid_t pid) { return pidfd_open(pid, 0); }

int cprocess_kill(int process) { return pidfd_send_signal(process, SIGKILL, NULL, 0); }

int cprocess_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int cprocess_spawn(
  pid_t *pid, const char *path, char *const arguments[], char *const environment[], int input, int output) {
  posix_spawn_file_actions_t actions;
  int result = posix_spawn_file_actions_init(&actions);
  if (result != 0) return result;
  posix_spawnattr_t attributes;
  result = posix_spawnattr_init(&attributes);
  if (result != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return result;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if ((result = posix_spawn_file_actions_adddup2(&actions, input, 0)) == 0
    && (result = posix_spawn_file_actions_adddup2(&actions, output, 1)) == 0
    && (result = posix_spawn_file_actions_adddup2(&actions, output, 2)) == 0
    && (result = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) == 0
    && (result = posix_spawn_file_actions_addchdir_np(&actions, "/")) == 0
    && (result = posix_spawnattr_setsigmask(&attributes, &none)) == 0
    && (result = posix_spawnattr_setsigdefault(&attributes, &all)) == 0
    && (result = posix_spawnattr_setpgroup(&attributes, 0)) == 0
    && (result = posix_spawnattr_setflags(&attributes, flags)) == 0)
    result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return result;
}
