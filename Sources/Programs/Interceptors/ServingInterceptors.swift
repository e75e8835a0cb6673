public import Daemon
public import RPC

extension ServiceRouter {
  /// A router with the interceptors that stand around every call of `omnid`. The benchmark server has the same.
  ///
  /// - Parameters:
  ///   - noteworthy: the paths of the methods whose calls are logged at `info`.
  ///   - identify: the caller, for the log; nil for one who is known by address only.
  ///   - opening: what calls of the services wait for.
  ///   - isEarly: which of them do not wait.
  ///   - authorization: who may make a call; asked once the server has read its journal. Nil: everybody.
  public static func withServingInterceptors(
    logger: Logger, noteworthy: Set<String>,
    identify: @escaping @Sendable (ServerCall) -> LoggedCaller?,
    opening: OneTimeEvent, services: [String],
    isEarly: @escaping @Sendable (ServerCall) -> Bool = { _ in false },
    authorization: (any ServerInterceptor)? = nil,
    compressions: [any MessageCompression] = []
  ) -> ServiceRouter {
    ServiceRouter(
      interceptors: [
        CallLog(.noteworthy, logger: logger, noteworthy: noteworthy, identify: identify),
        CallLog(.rest, logger: logger, noteworthy: noteworthy, identify: identify),
        OpeningGate(opening: opening, services: services, isEarly: isEarly),
      ] + (authorization.map { [$0] } ?? []), compressions: compressions)
  }
}
