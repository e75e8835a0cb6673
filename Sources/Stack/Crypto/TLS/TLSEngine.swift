internal import COpenSSL

/// One TLS connection without a socket: ciphertext of the peer goes in, ciphertext for the peer
/// comes out.
///
/// Confined to one thread or event loop. After every call `pendingCiphertext` tells whether there
/// is something to send, also after a failure: the alert that tells the peer why.
public final class TLSEngine {
  public enum HandshakeResult: Sendable, Hashable {
    case complete
    /// More ciphertext of the peer is needed.
    case incomplete
    case failed(TLSError)
  }

  public enum ReadResult: Sendable, Hashable {
    /// So many bytes of plaintext, at least one.
    case bytes(Int)
    /// More ciphertext of the peer is needed.
    case wouldBlock
    /// The peer has said that nothing more will come.
    case closed
    case failed(TLSError)
  }

  private enum State {
    case handshaking
    case open
    /// The peer has closed its direction.
    case peerClosed
    case failed(TLSError)
  }

  /// A handshake may take this many bytes from the peer.
  static let maximumHandshakeSize = 192 << 10
  /// A record carries up to 16 KiB, and this much more: header, explicit nonce, tag, content type.
  private static let recordOverhead = 64

  /// Owns the `SSL`, which owns the BIO, which refers to `pipe` without owning it; freeing them
  /// does not touch `pipe`.
  let ssl: Handle
  private let pipe = CiphertextPipe()
  let context: TLSContext
  private let expectedName: String?
  private var state = State.handshaking
  private var handshakeBytes = 0
  private var isCloseSent = false

  /// A connection in the role of `context`.
  ///
  /// - Parameter serverName: for a client, in place of the configuration's name.
  /// - Throws: when the name is neither a DNS name nor an IP address.
  public init(_ context: TLSContext, serverName: String? = nil) throws(CryptoError) {
    OpenSSL.begin()
    self.context = context
    ssl = try unsafe Handle(owning: SSL_new(context.handle.pointer), SSL_free)
    expectedName =
      context.configuration.role == .client
      ? serverName ?? context.configuration.serverName : nil
    let bio = try unsafe CiphertextPipe.makeBIO(for: pipe)
    // The connection owns the BIO from here on; given for both directions it takes one reference.
    unsafe SSL_set_bio(ssl.pointer, bio, bio)
    if context.configuration.role == .server {
      unsafe SSL_set_accept_state(ssl.pointer)
    } else {
      unsafe SSL_set_connect_state(ssl.pointer)
    }
    if let clock = context.configuration.clock {
      unsafe X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl.pointer), Int(clock()))
    }
    if let expectedName { try require(expectedName) }
  }

  // MARK: Ciphertext

  /// Takes ciphertext that came from the peer; a copy is kept until it is worked on. Ignored once
  /// the peer has closed or the connection has failed.
  public func receive(_ ciphertext: UnsafeRawBufferPointer) {
    switch state {
    case .open: break
    case .peerClosed, .failed: return
    case .handshaking:
      handshakeBytes += ciphertext.count
      guard handshakeBytes <= Self.maximumHandshakeSize else {
        state = .failed(TLSError(.limitExceeded, "tls: the peer's handshake is too large"))
        return
      }
    }
    unsafe pipe.inbound.append(ciphertext)
  }

  /// Says that no more ciphertext will come: the peer has closed its socket. If it has not closed
  /// the TLS connection before, the next handshake or read fails as truncated.
  public func receiveEnd() { pipe.isInboundEnded = true }

  /// Whether there is ciphertext to send.
  public var pendingCiphertext: Bool { !pipe.outbound.isEmpty }

  /// How many bytes of ciphertext there are to send.
  public var pendingCiphertextCount: Int { pipe.outbound.count }

  /// Moves all ciphertext to the end of `buffer`.
  public func drainCiphertext(into buffer: inout [UInt8]) {
    unsafe pipe.outbound.withBytes { unsafe buffer.append(contentsOf: $0) }
    pipe.outbound.drop(pipe.outbound.count)
  }

  /// Lends the ciphertext to `send`, which returns how many bytes of it were sent; those are
  /// dropped. With this no copy is made on the way to a socket.
  public func drainCiphertext(_ send: (UnsafeRawBufferPointer) -> Int) {
    guard pendingCiphertext else { return }
    let sent = unsafe pipe.outbound.withBytes(send)
    pipe.outbound.drop(sent)
  }

  // MARK: Handshake

  /// Goes on with the handshake as far as the received ciphertext allows. Once complete, it stays
  /// so.
  ///
  /// Under TLS 1.3 a client's handshake completes before the server has judged its certificate: a
  /// refusal then comes with the first read.
  public func handshake() -> HandshakeResult {
    switch state {
    case .open, .peerClosed: return .complete
    case .failed(let error): return .failed(error)
    case .handshaking: break
    }
    OpenSSL.begin()
    let result = unsafe SSL_do_handshake(ssl.pointer)
    if result == 1 {
      state = .open
      return .complete
    }
    switch unsafe SSL_get_error(ssl.pointer, result) {
    case SSL_ERROR_WANT_READ: return .incomplete
    case SSL_ERROR_ZERO_RETURN:
      return .failed(fail(TLSError(.truncated, "the peer closed during the handshake")))
    default: return .failed(fail(queueError()))
    }
  }

  /// Whether the handshake is complete and the connection has not failed since.
  public var isHandshakeComplete: Bool {
    switch state {
    case .open, .peerClosed: true
    case .handshaking, .failed: false
    }
  }

  /// The application protocol agreed on; nil before the handshake is complete, and when the peer
  /// offered none.
  public var negotiatedProtocol: String? {
    guard isHandshakeComplete else { return nil }
    var start: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl.pointer, &start, &length)
    guard length > 0 else { return nil }
    return unsafe String(
      decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
  }

  /// `TLSv1.3` or `TLSv1.2`.
  public var protocolVersion: String {
    unsafe SSL_get_version(ssl.pointer).map { unsafe String(cString: $0) } ?? "unknown"
  }

  // MARK: Plaintext

  /// Fills `buffer` with plaintext as far as received ciphertext allows.
  public func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
    if case .handshaking = state {
      switch handshake() {
      case .complete: break
      case .incomplete: return .wouldBlock
      case .failed(let error): return .failed(error)
      }
    }
    if case .failed(let error) = state { return .failed(error) }
    if case .peerClosed = state { return .closed }
    guard let start = buffer.baseAddress, unsafe !buffer.isEmpty else { return .wouldBlock }
    OpenSSL.begin()
    var filled = 0
    while filled < buffer.count {
      var amount = 0
      let result = unsafe SSL_read_ex(ssl.pointer, start + filled, buffer.count - filled, &amount)
      guard result == 1 else {
        let stop = ended(by: result)
        return filled > 0 ? .bytes(filled) : stop
      }
      filled += amount
    }
    return .bytes(filled)
  }

  /// Encrypts all of `plaintext`. The ciphertext waits to be drained; a caller that wants a bound
  /// looks at `pendingCiphertextCount`.
  ///
  /// - Throws: `.misuse` before the handshake is complete or after `closeNotify`, else why the
  ///   connection failed.
  public func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
    switch state {
    case .failed(let error): throw error
    case .handshaking: throw TLSError(.misuse, "tls: write before the handshake is complete")
    case .open, .peerClosed: break
    }
    guard !isCloseSent else { throw TLSError(.misuse, "tls: write after close") }
    guard unsafe !plaintext.isEmpty else { return }
    let records = plaintext.count / 16_384 + 1
    pipe.outbound.reserve(plaintext.count + records * Self.recordOverhead)
    OpenSSL.begin()
    var written = 0
    let result = unsafe SSL_write_ex(
      ssl.pointer, plaintext.baseAddress, plaintext.count, &written)
    guard result == 1 else { throw fail(queueError()) }
  }

  /// Says to the peer that nothing more will be written. Without effect before the handshake is
  /// complete, after a failure, and the second time.
  public func closeNotify() {
    switch state {
    case .handshaking, .failed: return
    case .open, .peerClosed: break
    }
    guard !isCloseSent else { return }
    isCloseSent = true
    OpenSSL.begin()
    _ = unsafe SSL_shutdown(ssl.pointer)
    ERR_clear_error()
  }

  /// What a read that gave nothing means for the connection.
  private func ended(by result: Int32) -> ReadResult {
    switch unsafe SSL_get_error(ssl.pointer, result) {
    case SSL_ERROR_WANT_READ: return .wouldBlock
    case SSL_ERROR_ZERO_RETURN:
      state = .peerClosed
      return .closed
    default: return .failed(fail(queueError()))
    }
  }

  private func queueError() -> TLSError {
    unsafe TLSError.fromQueue(of: ssl.pointer, expectedName: expectedName)
  }

  private func fail(_ error: TLSError) -> TLSError {
    state = .failed(error)
    return error
  }
}
