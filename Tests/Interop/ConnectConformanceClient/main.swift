import Glibc
import InteropSupport
import ProtoCodec
import Reactor
import Synchronization
import TestSchemas

// connect-conformance-client: the client under test of the Connect conformance suite.
//
// Reads ClientCompatRequests from standard input until its end, makes the calls they describe, a
// few at a time, and writes a ClientCompatResponse for each to standard output.

let parallelCalls = 8

/// One response at a time.
let output = Mutex(())

@Sendable func answer(_ request: Conformance.ClientCompatRequest) async {
  var response = Conformance.ClientCompatResponse()
  response.testName = request.testName
  do {
    response.result = .response(try await ConformanceCall(request).run())
  } catch {
    var result = Conformance.ClientErrorResult()
    result.message = "\(error)"
    response.result = .error(result)
  }
  let bytes = response.serialized()
  if !output.withLock({ _ in StandardIO.writeMessage(bytes) }) { exit(2) }
}

/// Requests are read by a thread of their own: it blocks, and calls go on meanwhile.
let (requests, continuation) = AsyncStream.makeStream(of: [UInt8].self)

do {
  try DetachedThread.start {
    while let bytes = StandardIO.readMessage() { continuation.yield(bytes) }
    continuation.finish()
  }
  try await withThrowingTaskGroup(of: Void.self) { group in
    var running = 0
    for await bytes in requests {
      let request = try Conformance.ClientCompatRequest(serialized: bytes)
      group.addTask { await answer(request) }
      running += 1
      if running >= parallelCalls {
        try await group.next()
        running -= 1
      }
    }
    try await group.waitForAll()
  }
} catch {
  StandardIO.complain("connect-conformance-client: \(error)")
  exit(1)
}
