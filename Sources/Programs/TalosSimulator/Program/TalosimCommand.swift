internal import Foundation
internal import Glibc
internal import RPC
internal import RPCTransport
internal import Synchronization

/// The program talosim: a simulated cluster for demos and for tests in other processes.
public enum TalosimCommand {
  /// The whole program, on the main thread.
  ///
  /// That thread waits for the signals. It cannot be left to the concurrency runtime: the way that
  /// waits, every signal is let through to where it ends the process.
  public static func main(_ arguments: [String]) -> Never {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    // A shell that starts programs in the background may have them ignore this one.
    signal(SIGINT, SIG_DFL)
    signal(SIGPIPE, SIG_IGN)
    let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
    Task { exit(await run(arguments, until: stopped)) }
    var number: Int32 = 0
    while sigwait(&signals, &number) != 0 {}
    stop.finish()
    while true { pause() }
  }

  /// Runs a cluster until the stream ends.
  ///
  /// - Parameter arguments: without the program's name.
  /// - Returns: the exit code: 0 in the end, 1 when the cluster cannot run, 2 for wrong usage.
  static func run(_ arguments: [String], until stopped: AsyncStream<Void>) async -> Int32 {
    let parsed: TalosimArguments
    do {
      parsed = try TalosimArguments(arguments)
    } catch {
      complain("talosim: \(error.message); see talosim --help")
      return 2
    }
    if parsed.help {
      print(TalosimArguments.usage)
      return 0
    }
    do {
      let cluster = try await SimulatedCluster(parsed.options)
      try await cluster.start()
      let control: RPCServer? =
        if let path = parsed.control { try await serveControl(of: cluster, at: path) } else { nil }
      try ClusterFiles.write(cluster, to: parsed.output)
      print("ready")
      fflush(nil)
      for await _ in stopped {}
      await control?.shutdown(grace: .zero)
      await cluster.stop()
      return 0
    } catch let error as SimulatorError {
      complain("talosim: \(error)")
      if case .options = error { return 2 }
      return 1
    } catch {
      complain("talosim: \(error)")
      return 1
    }
  }

  private static func serveControl(
    of cluster: SimulatedCluster, at path: String
  ) async throws -> RPCServer {
    let server = try RPCServer(
      HTTPDispatch(grpc: ServiceRouter(), handler: ControlEndpoint(cluster: cluster)),
      configuration: .simulator)
    do { try await server.listen(unix: path) } catch {
      throw SimulatorError.setup("cannot listen on \(path): \(error)")
    }
    return server
  }

  private static func complain(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
