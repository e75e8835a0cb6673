import CLibFuzzer
import Dispatch
import FuzzTargets
import Glibc

// One program for all targets: `omnid-fuzz TARGET [libFuzzer's arguments]`, `omnid-fuzz --list`.

let names = FuzzTarget.all.map(\.name)
guard CommandLine.arguments.count > 1, CommandLine.arguments[1] != "--list" else {
  print(names.joined(separator: "\n"))
  exit(0)
}
guard let found = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
  print("omnid-fuzz: no target \(CommandLine.arguments[1]); there are: \(names)")
  exit(2)
}
FuzzRun.target = found

/// What libFuzzer's callback, a C function without a context, works on.
enum FuzzRun {
  nonisolated(unsafe) static var target: FuzzTarget?

  /// Ends the process on a violation, so that libFuzzer keeps the input.
  static func run(_ bytes: [UInt8]) {
    guard let target else { return }
    switch target.body {
    case .synchronous(let body):
      do { try body(bytes) } catch { stop(error) }
    case .asynchronous(let body):
      let done = DispatchSemaphore(value: 0)
      Task.detached {
        do { try await body(bytes) } catch { stop(error) }
        done.signal()
      }
      done.wait()
    }
  }

  static func stop(_ error: any Error) {
    print("violated: \(error)")
    fflush(nil)
    abort()
  }
}

var count = CommandLine.argc - 1
// libFuzzer drops the target's name: what follows it moves up behind the program's.
CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? =
  CommandLine.unsafeArgv + 1
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    FuzzRun.run(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
