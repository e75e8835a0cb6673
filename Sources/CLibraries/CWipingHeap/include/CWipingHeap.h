#pragma once
#include <stddef.h>

/// A program that links this library overwrites every block of heap memory that it gives back.
///
/// The library takes the place of free(3), realloc(3) and reallocarray(3) and hands on to the allocator that the
/// program has beside it (glibc's or mimalloc's). Keys pass through many hands on their way into a machine's
/// configuration: OpenSSL's, libyaml's, nghttp2's, the codec's and Swift's own strings, none of which overwrites
/// what it gives back.
///
/// Blocks above the limit are given back as they are, because to overwrite them would cost calls with large
/// messages more than the copy of the message does.
#define CWIPINGHEAP_LIMIT ((size_t)4 << 20)

/// Whether the program's free(3) is this library's. It is not under a sanitizer, which has its own.
int cwipingheap_is_active(void);
