#pragma once
#include <curl/curl.h>
#include <stddef.h>

// libcurl's options are variadic functions, which Swift cannot call.
CURLcode omni_curl_set_number(CURL *handle, CURLoption option, long value);
CURLcode omni_curl_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode omni_curl_set_bytes(CURL *handle, CURLoption option, const void *value);
CURLcode omni_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode omni_curl_status(CURL *handle, long *status);
CURLcode omni_curl_retry_after(CURL *handle, curl_off_t *seconds);

// What a request takes of its answer: so many bytes, which are thrown away. Lives as long as the request.
struct omni_curl_answer {
  size_t head_left;
  size_t body_left;
  // Whether the answer was longer.
  int is_too_long;
  // Asked about once a second, and when bytes come or go; anything but 0 ends the request.
  int (*is_stopped)(void *context);
  void *context;
};

CURLcode omni_curl_set_answer(CURL *handle, struct omni_curl_answer *answer);
