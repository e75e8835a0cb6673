/// A thread of its own for work that blocks for long: copying a store, deriving a key from a passphrase, writing the
/// file.
public actor BackupThread {
  private let executor = BlockingExecutor(label: "omnid.backup")

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  public init() {}

  /// Runs the body there.
  public func run<Value: Sendable>(_ body: @Sendable () throws -> Value) throws -> Value {
    try body()
  }
}
