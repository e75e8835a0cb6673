internal import Glibc

/// A thread of its own for work that loops or blocks.
public enum DetachedThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs the body on a new thread.
  ///
  /// - Throws: when the system has no thread to give.
  public static func start(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
    // The thread takes ownership.
    let body = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, nil, main, body)
    if result != 0 {
      unsafe Unmanaged<Body>.fromOpaque(body).release()
      throw SystemError("pthread_create", errno: result)
    }
    pthread_detach(thread)
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    argument in
    guard let argument = unsafe argument else { return nil }
    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
    return nil
  }
}
