internal import COpenSSL

/// The sole owner of one reference to an OpenSSL object, which it gives back when it goes.
@safe struct Handle: ~Copyable {
  /// Owned by this value; valid for as long as it lives.
  let pointer: OpaquePointer
  private let release: (OpaquePointer?) -> Void

  /// Takes over `pointer`. Throws when the call that was to make it returned none.
  init(
    owning pointer: OpaquePointer?, _ release: @escaping (OpaquePointer?) -> Void
  ) throws(CryptoError) {
    guard let pointer = unsafe pointer else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    unsafe self.pointer = pointer
    unsafe self.release = release
  }

  deinit { unsafe release(pointer) }
}

/// A shared owner of one reference to an OpenSSL object that is not changed after its making.
///
/// `@unchecked Sendable`: only what may be used by several threads at once is kept in one: objects
/// with atomic counters whose setters have all run before (`EVP_PKEY`, `SSL_CTX`, `X509`, `BIO_METHOD`), and
/// the bytes of a sealing key, which are only read.
@safe final class SharedHandle: @unchecked Sendable {
  /// Owned by this object; valid for as long as it lives.
  let pointer: OpaquePointer
  private let release: (OpaquePointer?) -> Void

  /// Takes over `pointer`. Throws when the call that was to make it returned none.
  init(
    owning pointer: OpaquePointer?, _ release: @escaping (OpaquePointer?) -> Void
  ) throws(CryptoError) {
    guard let pointer = unsafe pointer else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    unsafe self.pointer = pointer
    unsafe self.release = release
  }

  deinit { unsafe release(pointer) }
}
