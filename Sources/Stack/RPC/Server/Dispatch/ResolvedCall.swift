/// What a router makes of a request's head: everything of a call that the head decides.
///
/// Kept with the head, so that a connection's many calls with equal heads are resolved once.
final class ResolvedCall: Sendable {
  let edition: RouterEdition
  let handler: any MethodHandler
  let form: CallForm
  /// How long the caller waits.
  let timeout: Duration?
  let limits: CallLimits
  let compressions: [any MessageCompression]
  /// What the method allows; nil for most.
  let bounds: MethodBounds?
  let kind: MethodKind
  let tally: CallTally
  /// gRPC with binary messages and no compression, of a method that takes one message.
  let isPlain: Bool

  init(
    edition: RouterEdition, handler: any MethodHandler, form: CallForm, timeout: Duration?,
    limits: CallLimits, compressions: [any MessageCompression],
    bounds: MethodBounds?
  ) {
    self.edition = edition
    self.handler = handler
    self.form = form
    self.timeout = timeout
    self.limits = limits
    self.compressions = compressions
    self.bounds = bounds
    kind = handler.kind
    tally = handler.tally
    isPlain = form.isPlain && !kind.clientStreams
  }
}

/// The identity of a router's registrations: another object after each change.
final class RouterEdition: Sendable {}
