#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// What Swift cannot import: macros with arguments, and the typed stacks (macros in OpenSSL 3.0).

static inline int copenssl_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int copenssl_library(unsigned long code) { return ERR_GET_LIB(code); }
/// A system call, memory or the library itself failed; no peer's bytes bring these about.
static inline int copenssl_is_own_failure(unsigned long code) {
  return ERR_SYSTEM_ERROR(code) || ERR_FATAL_ERROR(code);
}

static inline long copenssl_ctx_set_min_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_min_proto_version(context, version);
}
static inline long copenssl_ctx_set_max_version(SSL_CTX *context, int version) {
  return SSL_CTX_set_max_proto_version(context, version);
}
/// No compression, no renegotiation, no resumption tickets; the server's order of suites counts; what was decrypted is
/// overwritten once it is read.
static inline void copenssl_ctx_set_strict_options(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_CLEANSE_PLAINTEXT);
}
static inline long copenssl_ctx_set_mode(SSL_CTX *context, long mode) {
  return SSL_CTX_set_mode(context, mode);
}
static inline long copenssl_ctx_disable_session_cache(SSL_CTX *context) {
  return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline long copenssl_ctx_set_max_cert_list(SSL_CTX *context, long bytes) {
  return SSL_CTX_set_max_cert_list(context, bytes);
}
static inline long copenssl_ctx_set_groups(SSL_CTX *context, const char *groups) {
  return SSL_CTX_set1_groups_list(context, groups);
}
static inline long copenssl_ctx_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return SSL_CTX_add1_chain_cert(context, certificate);
}
static inline long copenssl_set_server_name(SSL *ssl, const char *name) {
  return SSL_set_tlsext_host_name(ssl, name);
}
static inline void copenssl_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void copenssl_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline STACK_OF(X509) *copenssl_certificates_new(void) { return sk_X509_new_null(); }
static inline int copenssl_certificates_push(STACK_OF(X509) *stack, X509 *certificate) {
  return sk_X509_push(stack, certificate);
}
static inline int copenssl_certificates_count(const STACK_OF(X509) *stack) {
  return sk_X509_num(stack);
}
static inline X509 *copenssl_certificates_get(const STACK_OF(X509) *stack, int index) {
  return sk_X509_value(stack, index);
}
/// Frees the stack and drops its references to the certificates.
static inline void copenssl_certificates_free(STACK_OF(X509) *stack) {
  sk_X509_pop_free(stack, X509_free);
}

static inline STACK_OF(X509_NAME) *copenssl_names_new(void) { return sk_X509_NAME_new_null(); }
static inline int copenssl_names_push(STACK_OF(X509_NAME) *stack, X509_NAME *name) {
  return sk_X509_NAME_push(stack, name);
}
static inline void copenssl_names_free(STACK_OF(X509_NAME) *stack) {
  sk_X509_NAME_pop_free(stack, X509_NAME_free);
}

static inline int copenssl_general_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
  return sk_GENERAL_NAME_push(names, name);
}
static inline int copenssl_general_names_count(const GENERAL_NAMES *names) {
  return sk_GENERAL_NAME_num(names);
}
static inline GENERAL_NAME *copenssl_general_names_get(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}

static inline STACK_OF(X509_EXTENSION) *copenssl_extensions_new(void) {
  return sk_X509_EXTENSION_new_null();
}
static inline int copenssl_extensions_push(STACK_OF(X509_EXTENSION) *stack,
                                           X509_EXTENSION *extension) {
  return sk_X509_EXTENSION_push(stack, extension);
}
static inline void copenssl_extensions_free(STACK_OF(X509_EXTENSION) *stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}

static inline EVP_PKEY *copenssl_generate_ec(const char *curve) {
  return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}
static inline EVP_PKEY *copenssl_generate_rsa(size_t bits) {
  return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}
static inline EVP_PKEY *copenssl_generate_ed25519(void) {
  return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}
