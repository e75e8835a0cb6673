#define _GNU_SOURCE
#include "CWipingHeap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)

int cwipingheap_is_active(void) { return 0; }

#else

/// The allocator's own functions. Looked up at the first call, which comes before any constructor of the program;
/// two threads that look one up at once find the same.
static uintptr_t next_free;
static uintptr_t next_realloc;

static uintptr_t allocator(uintptr_t *function, const char *name) {
  uintptr_t found = __atomic_load_n(function, __ATOMIC_RELAXED);
  if (__builtin_expect(found != 0, 1)) return found;
  found = (uintptr_t)dlsym(RTLD_NEXT, name);
  if (found == 0) abort();
  __atomic_store_n(function, found, __ATOMIC_RELAXED);
  return found;
}

/// Gives a block back. free(3) leaves errno alone, and so does this.
static void give_back(void *block) {
  int before = errno;
  size_t size = malloc_usable_size(block);
  if (size <= CWIPINGHEAP_LIMIT) memset(block, 0, size);
  ((void (*)(void *))allocator(&next_free, "free"))(block);
  errno = before;
}

void free(void *block) {
  if (block != NULL) give_back(block);
}

/// Grows and shrinks by copying, because a block that the allocator moves stays as it was where it lay.
void *realloc(void *block, size_t size) {
  if (block == NULL) return malloc(size);
  if (size == 0) {
    give_back(block);
    return NULL;
  }
  size_t held = malloc_usable_size(block);
  if (held > CWIPINGHEAP_LIMIT)
    return ((void *(*)(void *, size_t))allocator(&next_realloc, "realloc"))(block, size);
  if (size <= held && size >= held / 2) return block;
  void *moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, held < size ? held : size);
  give_back(block);
  return moved;
}

void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, bytes);
}

int cwipingheap_is_active(void) { return 1; }

#endif
