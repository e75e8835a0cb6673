import Glibc
import HTTP2
import RPC
import RPCTransport

// `rpc-bench-server PATH`: the service that benchmarks drive, on a Unix socket.
//
// /x.S/y       unary echo of `{bytes b = 1}`
// /x.S/Watch   server stream of the same message, one for each tick
// /x.S/Tick    unary; sends its message to every watcher
// /x.S/Stream  server stream of the request's message, as often as its first eight bytes say

guard let options = Options(CommandLine.arguments.dropFirst()) else {
  let usage = """
    usage: rpc-bench-server PATH [EVENT-LOOPS] [--tls-port N --cert FILE --key FILE]

    """
  write(2, usage, usage.utf8.count)
  exit(2)
}
let watchers = Watchers()
var router = ServiceRouter()
router.handle(BenchMethods.echo) { (request: BenchMessage, call) in request }
router.handle(BenchMethods.watch) {
  (request: BenchMessage, writer: ResponseWriter<BenchMessage>, call) in
  await call.sendInitialMetadata()
  try await watchers.watch(writer)
}
router.handle(BenchMethods.tick) { (request: BenchMessage, call) in
  try watchers.tick(request)
  return request
}
router.handle(BenchMethods.stream) {
  (request: BenchMessage, writer: ResponseWriter<BenchMessage>, call) in
  for _ in 0..<request.wantedCount { try await writer.write(request) }
}

var configuration = ServerConfiguration()
configuration.eventLoops = options.eventLoops
configuration.maxConnections = 20_000
configuration.http2.maxConcurrentStreams = 200_000
let server = try RPCServer(router, configuration: configuration)
try await server.listen(unix: options.path)
if let tls = options.tls {
  let context = try tls.context()
  _ = try await server.listen(host: "127.0.0.1", port: tls.port) { context }
}
write(1, "ready\n", 6)
while true { try await Task.sleep(for: .seconds(3600)) }
