extension Routes {
  /// What went wrong, without what was tried and where: `connection refused`. Nothing is decided by the words;
  /// they are only shown.
  ///
  /// A control plane passes on what Go's gRPC says of a machine that it cannot reach, in quotes and behind
  /// what gRPC was about: `connection error: desc = "transport: Error while dialing: dial tcp …"`.
  static func plain(_ message: String) -> String {
    guard let reason = behindMarker(message[...]) else { return message }
    var text = reason
    // The quote that Go has opened before what is left out.
    if text.hasSuffix("\""), text.count(where: { $0 == "\"" }) % 2 == 1 { text = text.dropLast() }
    return text.hasSuffix("context deadline exceeded") ? "no answer in time" : String(text)
  }

  /// What stands behind the last of the words that say what was tried; nil where there are none.
  private static func behindMarker(_ message: Substring) -> Substring? {
    if let connect = message.ranges(of: ": connect: ").last {
      return message[connect.upperBound...]
    }
    if let dial = message.ranges(of: "dial tcp ").last {
      let rest = message[dial.upperBound...]
      // The address has no blank.
      guard let end = rest.ranges(of: ": ").first else { return rest }
      return rest[end.upperBound...]
    }
    for marker in [
      "dial tcp: ", "authentication handshake failed: ", "Error while dialing: ", "transport: ",
      "desc = \"", "desc = ",
    ] {
      if let found = message.ranges(of: marker).last { return message[found.upperBound...] }
    }
    return nil
  }
}
