import Daemon
import HTTP2
import Interceptors
import RPC
import RPCTransport

/// Serves `x.S` as the options say, with omnid's interceptors, for as long as the process lives.
func serve(_ options: Options) async throws -> RPCServer {
  let ticks = Broadcast(codec: BenchMethods.watch.response)
  var router = ServiceRouter()
  if !options.isBare {
    // As omnid serves its own service: nothing of it is noteworthy, and what it waits for has happened.
    let opening = OneTimeEvent()
    opening.happen()
    router = .withServingInterceptors(
      logger: Logger(), noteworthy: [], identify: { _ in nil }, opening: opening,
      services: [BenchMethods.echo.service])
  }
  router.handle(BenchMethods.echo) { (request: BenchMessage, call) in request }
  router.handle(BenchMethods.watch) {
    (request: BenchMessage, writer: ResponseWriter<BenchMessage>, call) in
    await call.sendInitialMetadata()
    try await writer.follow(ticks)
  }
  router.handle(BenchMethods.tick) { (request: BenchMessage, call) in
    try ticks.send(request)
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
  return server
}
