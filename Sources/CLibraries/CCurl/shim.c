#include "CCurl.h"

CURLcode omni_curl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

CURLcode omni_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

CURLcode omni_curl_set_bytes(CURL *handle, CURLoption option, const void *value) {
  return curl_easy_setopt(handle, option, value);
}

CURLcode omni_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}

CURLcode omni_curl_status(CURL *handle, long *status) {
  return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
}

CURLcode omni_curl_retry_after(CURL *handle, curl_off_t *seconds) {
  return curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, seconds);
}

// Counts down; a number other than that of the bytes given ends the request.
static size_t take(struct omni_curl_answer *answer, size_t *left, size_t count) {
  if (count > *left) {
    answer->is_too_long = 1;
    *left = 0;
    return 0;
  }
  *left -= count;
  return count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  struct omni_curl_answer *answer = context;
  return take(answer, &answer->body_left, size * count);
}

static size_t take_head(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  struct omni_curl_answer *answer = context;
  return take(answer, &answer->head_left, size * count);
}

static int progress(void *context, curl_off_t total_down, curl_off_t down, curl_off_t total_up, curl_off_t up) {
  (void)total_down, (void)down, (void)total_up, (void)up;
  struct omni_curl_answer *answer = context;
  return answer->is_stopped(answer->context);
}

CURLcode omni_curl_set_answer(CURL *handle, struct omni_curl_answer *answer) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_head);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, answer);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFODATA, answer);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  return code;
}
