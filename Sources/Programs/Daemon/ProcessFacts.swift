internal import Glibc

/// What a process is told by whoever started it.
public struct ProcessFacts: Sendable, Hashable {
  public var environment: [String: String]
  /// The effective user.
  public var userID: UInt32

  public init(environment: [String: String], userID: UInt32) {
    self.environment = environment
    self.userID = userID
  }

  /// Those of this process. Of a variable that is there twice, the first counts, as for getenv(3).
  public static func current() -> ProcessFacts {
    var variables: [String: String] = [:]
    var next = unsafe environ
    while let entry = unsafe next.pointee {
      let text = unsafe String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        let name = String(text[..<equals])
        if variables[name] == nil {
          variables[name] = String(text[text.index(after: equals)...])
        }
      }
      unsafe next += 1
    }
    return ProcessFacts(environment: variables, userID: geteuid())
  }

  /// Ends the process at once: nothing is waited for but the log, for half a second at most, and no other
  /// thread is disturbed by clean-up.
  public static func end(_ code: Int32) -> Never {
    LogStream.standard.flush()
    _exit(code)
  }
}
