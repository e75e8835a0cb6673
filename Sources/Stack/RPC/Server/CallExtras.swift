import Synchronization

/// What most calls do without. Made when it is needed.
final class CallExtras: @unchecked Sendable {
  // @unchecked: all but the metadata is touched on the call's executor only, or set once.

  /// See `ServerCall.beginRecord`. Set before the handler begins, or by the handler.
  var record: CallRecord?

  /// Waits for the end of a request that was refused in the middle of it.
  var refused: RefusedRequest?
  /// See `ServerCall.inbox`.
  var inbox: RequestInbox?
  /// Set by `compressResponses`, before the first message.
  var compressingForm: CallForm?
  /// See `ServerCall.whenCancelled`.
  var cancellationHandler: (@Sendable () -> Void)?
  /// Those who wait for room to write.
  var writers = WaitingList<Void>()
  /// What goes out with the head, and with the status.
  let metadata = Mutex((initial: Metadata(), trailing: Metadata()))
  /// See `ServerCall.outcome`.
  let outcome = Mutex<RPCError?>(nil)
}
