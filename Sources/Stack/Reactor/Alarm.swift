internal import CEpoll
internal import Glibc

/// Wakes a loop that sleeps (eventfd(2)). May be used from any thread.
final class Alarm: Sendable {
  private let descriptor: FileDescriptor

  init() throws(SystemError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    if number < 0 { throw .last("eventfd") }
    descriptor = FileDescriptor(owning: number)
  }

  /// Readable from `ring` to `silence`.
  var number: Int32 { descriptor.number }

  func ring() {
    var one: UInt64 = 1
    _ = unsafe write(descriptor.number, &one, 8)
  }

  func silence() {
    var count: UInt64 = 0
    _ = unsafe read(descriptor.number, &count, 8)
  }
}
