// Tells ThreadSanitizer what a contended Mutex of Swift's standard library orders.
//
// The uncontended ways of Mutex.lock and unlock are atomics in our own code, which the sanitizer
// sees. The contended ones are in libswiftSynchronization, where the kernel hands the lock over
// (FUTEX_LOCK_PI): the sanitizer sees nothing and takes what both sides do under the lock for a race
// (Swift 6.3.1, Linux). This library stands before it and names the hand-over, so that no report has
// to be suppressed: real races, even of code that holds a lock, are still found.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Weak: the programs around the tests are not built with the sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool tryLock(SELF) __asm__(TRY_LOCK);
SWIFT void unlock(SELF) __asm__(UNLOCK);

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

SWIFT void lock(uint32_t thread, SELF) {
  ((SWIFT void (*)(uint32_t, SELF))next(LOCK))(thread, self);
  if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool tryLock(SELF) {
  bool locked = ((SWIFT bool (*)(SELF))next(TRY_LOCK))(self);
  if (locked && __tsan_acquire) __tsan_acquire(self);
  return locked;
}

SWIFT void unlock(SELF) {
  if (__tsan_release) __tsan_release(self);
  ((SWIFT void (*)(SELF))next(UNLOCK))(self);
}
