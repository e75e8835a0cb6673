import Crypto
import Synchronization

/// The context that a listener asks for.
final class Current: Sendable {
  private let value: Mutex<TLSContext>

  init(_ context: TLSContext) { value = Mutex(context) }

  var context: TLSContext {
    get { value.withLock { $0 } }
    set { value.withLock { $0 = newValue } }
  }
}
