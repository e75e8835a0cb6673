internal import COpenSSL

/// The library's one-time set-up and its per-thread error queue.
enum OpenSSL {
  /// Set up once: without the system's `openssl.cnf`, so that what is accepted on the wire is the
  /// same on every machine, and without exit handlers, which would pull the library from under
  /// threads that are still at work.
  ///
  /// Private keys lie in OpenSSL's secure heap: locked, left out of core dumps, and overwritten when they are
  /// given back (CRYPTO_secure_malloc(3)). The heap has room for some 30,000 keys on elliptic curves; without
  /// room a key cannot be made or read.
  private static let isReady: Bool = {
    // Before everything else: what is made before the secure heap is there lies outside of it.
    let heap = CRYPTO_secure_malloc_init(secureHeap, smallestBlock)
    if heap != 1 { SecretBytes.noteUnlocked("OpenSSL's keys could not be locked into memory") }
    let options = UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT)
    return OPENSSL_init_ssl(options, nil) == 1
  }()

  private static let secureHeap = 2 << 20
  private static let smallestBlock = 32

  /// To be called before each group of calls: sets the library up and clears the error queue, so
  /// that an error found afterwards belongs to these calls.
  static func begin() {
    precondition(isReady, "OpenSSL could not be set up")
    ERR_clear_error()
  }

  /// What the oldest error of the queue says, in words; the queue is empty afterwards.
  static func drainErrors() -> String {
    let first = ERR_get_error()
    ERR_clear_error()
    guard first != 0 else { return "no reason given" }
    return reason(of: first)
  }

  /// The words of one error code.
  static func reason(of code: UInt) -> String {
    guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
