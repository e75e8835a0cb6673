/// A thread of its own for work that blocks for long: copying a store, deriving a key from a passphrase, writing files.
public actor BlockingThread {
  private let executor: BlockingExecutor

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// - Parameter label: what the thread is for, as debuggers show it.
  public init(label: String) { executor = BlockingExecutor(label: label) }

  /// Runs the body there, after those that were given before.
  public func run<Value: Sendable, Failure: Error>(
    _ body: @Sendable () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try body()
  }
}
