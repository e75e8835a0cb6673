internal import COpenSSL

/// The two directions of a connection's ciphertext, and the BIO through which the TLS library
/// reaches them.
///
/// Compared with OpenSSL's memory BIOs it frees its memory when empty and can be drained without a
/// copy.
final class CiphertextPipe {
  /// What came from the peer and was not yet taken by the library.
  var inbound = ByteQueue()
  /// What the library wants sent to the peer.
  var outbound = ByteQueue()
  /// Set once the peer's bytes have ended.
  var isInboundEnded = false

  /// The methods of our BIO, made once.
  private static let method: SharedHandle? = makeMethod()

  /// A new BIO that reads and writes `pipe`. The caller owns it and keeps `pipe` alive for longer.
  static func makeBIO(for pipe: CiphertextPipe) throws(CryptoError) -> OpaquePointer {
    guard let method, let bio = unsafe BIO_new(method.pointer) else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    unsafe BIO_set_data(bio, Unmanaged.passUnretained(pipe).toOpaque())
    unsafe BIO_set_init(bio, 1)
    return unsafe bio
  }

  private static func makeMethod() -> SharedHandle? {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard
      let handle = try? unsafe SharedHandle(
        owning: BIO_meth_new(type, "ciphertext"), { unsafe BIO_meth_free($0) })
    else { return nil }
    let method = unsafe handle.pointer
    unsafe BIO_meth_set_read_ex(method) { bio, destination, count, taken in
      unsafe CiphertextPipe.read(bio, destination, count, taken)
    }
    unsafe BIO_meth_set_write_ex(method) { bio, source, count, written in
      unsafe CiphertextPipe.write(bio, source, count, written)
    }
    unsafe BIO_meth_set_ctrl(method) { bio, command, _, _ in
      unsafe CiphertextPipe.control(bio, command)
    }
    return handle
  }

  /// The pipe of a BIO; not retained.
  private static func pipe(of bio: OpaquePointer?) -> CiphertextPipe? {
    guard let data = unsafe BIO_get_data(bio) else { return nil }
    return unsafe Unmanaged<CiphertextPipe>.fromOpaque(data).takeUnretainedValue()
  }

  private static func read(
    _ bio: OpaquePointer?, _ destination: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ taken: UnsafeMutablePointer<Int>?
  ) -> Int32 {
    guard let pipe = unsafe pipe(of: bio) else { return 0 }
    unsafe copenssl_bio_clear_retry(bio)
    let target = unsafe UnsafeMutableRawBufferPointer(start: destination, count: count)
    let amount = unsafe pipe.inbound.take(into: target)
    unsafe taken?.pointee = amount
    if amount == 0, !pipe.isInboundEnded {
      unsafe copenssl_bio_set_retry_read(bio)
    }
    return amount > 0 ? 1 : 0
  }

  private static func write(
    _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int,
    _ written: UnsafeMutablePointer<Int>?
  ) -> Int32 {
    guard let pipe = unsafe pipe(of: bio) else { return 0 }
    unsafe copenssl_bio_clear_retry(bio)
    unsafe pipe.outbound.append(UnsafeRawBufferPointer(start: source, count: count))
    unsafe written?.pointee = count
    return 1
  }

  private static func control(_ bio: OpaquePointer?, _ command: Int32) -> Int {
    guard let pipe = unsafe pipe(of: bio) else { return 0 }
    switch command {
    case BIO_CTRL_FLUSH: return 1
    case BIO_CTRL_EOF: return pipe.isInboundEnded && pipe.inbound.isEmpty ? 1 : 0
    case BIO_CTRL_PENDING: return pipe.inbound.count
    case BIO_CTRL_WPENDING: return pipe.outbound.count
    default: return 0
    }
  }
}
