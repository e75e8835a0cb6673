import Encodings

@testable import RPC

/// Length-prefixed messages: what comes out must not depend on the pieces in which they come in.
///
/// The first byte sets the limit, the next the sizes of the pieces.
enum EnvelopeTarget {
  static let target = FuzzTarget("envelope") { bytes in
    var input = FuzzInput(bytes)
    let limit = Int(input.byte()) * 16
    let pattern = input.byte()
    let stream = input.rest()
    let whole = read([stream[...]], limit)
    let pieces = read(FuzzInput.pieces(of: stream, pattern), limit)
    try require(whole.messages == pieces.messages, "pieces give other messages")
    try require(whole.error?.code == pieces.error?.code, "pieces give another end")
    try require(whole.error != nil || whole.left == pieces.left, "pieces leave another rest")
    for message in whole.messages {
      try require(message.count - 1 <= limit, "a message over the limit")
    }
    try checkSealing(whole.messages)
    try checkText(stream, pattern)
  }

  private struct Outcome {
    var messages: [[UInt8]] = []
    var error: RPCError?
    var left = 0
  }

  private static func read(_ pieces: [ArraySlice<UInt8>], _ limit: Int) -> Outcome {
    var reader = EnvelopeReader(limit: limit)
    var outcome = Outcome()
    do throws(RPCError) {
      for piece in pieces {
        try reader.receive(Array(piece).span) { flags, message throws(RPCError) in
          outcome.messages.append([flags] + message.withUnsafeBufferPointer { Array($0) })
        }
      }
    } catch {
      outcome.error = error
    }
    outcome.left = reader.partialBytes
    return outcome
  }

  /// What the writer seals, the reader gives back.
  private static func checkSealing(_ messages: [[UInt8]]) throws(Violation) {
    var sealed: [UInt8] = []
    for message in messages {
      let start = sealed.count
      Envelope.open(&sealed)
      sealed += message.dropFirst()
      Envelope.seal(&sealed, from: start, flags: message[0])
    }
    let outcome = read([sealed[...]], 1 << 20)
    try require(outcome.messages == messages, "sealed and read, other messages")
  }

  /// gRPC-Web-Text, whose base64 may be cut anywhere.
  private static func checkText(_ stream: [UInt8], _ pattern: UInt8) throws(Violation) {
    let text = Array(Base64.encode(stream).utf8)
    var decoder = Base64StreamDecoder()
    var decoded: [UInt8] = []
    for piece in FuzzInput.pieces(of: text, pattern) {
      guard let bytes = decoder.decode(Array(piece).span) else {
        throw Violation("base64 that was written is refused")
      }
      decoded += bytes
    }
    try require(decoder.isAtBoundary && decoded == stream, "base64 changes what it carries")
    var raw = Base64StreamDecoder()
    _ = raw.decode(stream.span)
  }
}
