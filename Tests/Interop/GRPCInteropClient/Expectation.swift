import RPC

/// What the server did that the test case does not allow.
struct Mismatch: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) throws(Mismatch) {
  if !isTrue { throw Mismatch(what()) }
}

func expectEqual<T: Equatable>(_ got: T, _ wanted: T, _ what: String) throws(Mismatch) {
  if got != wanted { throw Mismatch("\(what) is \(got), not \(wanted)") }
}

/// Runs a call that must fail with that status.
///
/// - Returns: the status, for a look at its message.
@discardableResult
func expectStatus<T>(
  _ code: StatusCode, _ body: () async throws -> T
) async throws -> RPCError {
  do {
    _ = try await body()
  } catch let error as RPCError {
    try expectEqual(error.code, code, "the status (\(error.message))")
    return error
  }
  throw Mismatch("the call succeeded, where \(code.name) is wanted")
}
