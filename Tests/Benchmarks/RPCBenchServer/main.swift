import Glibc
import RPCTransport

// `rpc-bench-server PATH`: the service that benchmarks drive, on a Unix socket.
//
// /x.S/y       unary echo of `{bytes b = 1}`
// /x.S/Watch   server stream of the same message, one for each tick
// /x.S/Tick    unary; sends its message to every watcher
// /x.S/Stream  server stream of the request's message, as often as its first eight bytes say

guard let options = Options(CommandLine.arguments.dropFirst()) else {
  let usage = """
    usage: rpc-bench-server PATH [EVENT-LOOPS] [--bare] [--tls-port N --cert FILE --key FILE]

    """
  write(2, usage, usage.utf8.count)
  exit(2)
}
// The main thread only waits, rather than being handed to Dispatch: profilers for which the main
// thread is the program keep working.
Task.detached {
  do {
    let server = try await serve(options)
    write(1, "ready\n", 6)
    while true { try await Task.sleep(for: .seconds(3600)) }
    _ = server
  } catch {
    let message = "rpc-bench-server: \(error)\n"
    write(2, message, message.utf8.count)
    exit(1)
  }
}
while true { pause() }
