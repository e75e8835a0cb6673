public import RPC

/// The calls that are answered while the store is still being read as a whole: those that single records answer.
///
/// Their callers are known by the process at the other end of a Unix socket. Whoever is known by what omnid has issued
/// waits, because a grant that was revoked might have been brought back into the store.
public enum EarlyCalls {
  static let methods = ["GetCluster", "GetRotationStatus", "ListClusters"]

  @Sendable public static func contains(_ call: ServerCall) -> Bool {
    guard methods.contains(MethodRoles.name(call.path)) else { return false }
    return call.peer.process != nil && call.fields.first("authorization") == nil
  }
}
