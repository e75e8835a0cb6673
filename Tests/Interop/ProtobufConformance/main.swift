import Glibc
import ProtoCodec

// The testee of protobuf's conformance suite: requests on standard input, responses on standard
// output, each after its length in four bytes, the lowest first. Ends with its input.

/// Exactly `count` bytes of standard input; nil at its end.
func read(_ count: Int) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: count)
  var filled = 0
  while filled < count {
    let received = bytes.withUnsafeMutableBytes {
      Glibc.read(0, $0.baseAddress! + filled, count - filled)
    }
    guard received > 0 else { return nil }
    filled += received
  }
  return bytes
}

func write(_ bytes: [UInt8]) -> Bool {
  var written = 0
  while written < bytes.count {
    let sent = bytes.withUnsafeBytes {
      Glibc.write(1, $0.baseAddress! + written, bytes.count - written)
    }
    guard sent > 0 else { return false }
    written += sent
  }
  return true
}

let testee = Testee()
while let header = read(4) {
  let count = header.reversed().reduce(0) { $0 << 8 | Int($1) }
  guard let bytes = read(count) else { break }
  let response: ConformanceResponse
  do {
    response = testee.answer(try ConformanceRequest(serialized: bytes))
  } catch {
    response = ConformanceResponse(.runtimeError("\(error)"))
  }
  let body = response.serialized()
  let length = (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) }
  guard write(length + body) else { break }
}
