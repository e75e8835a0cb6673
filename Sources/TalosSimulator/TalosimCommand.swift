internal import Foundation
internal import Glibc
internal import RPC
internal import RPCTransport
internal import Synchronization

/// The program talosim: a simulated cluster for demos and for tests in other processes.
public enum TalosimCommand {
  /// Runs until a signal comes.
  ///
  /// - Parameter arguments: without the program's name.
  /// - Returns: the exit code: 0 after a signal, 1 when the cluster cannot run, 2 for wrong usage.
  public static func run(_ arguments: [String]) async -> Int32 {
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
    let signal = SignalWait()
    do {
      let cluster = try await SimulatedCluster(parsed.options)
      try await cluster.start()
      let control: RPCServer? =
        if let path = parsed.control { try await serveControl(of: cluster, at: path) } else { nil }
      try ClusterFiles.write(cluster, to: parsed.output)
      print("ready")
      fflush(nil)
      await signal.wait()
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

/// Waits for SIGTERM or SIGINT on a thread of its own, the signals being blocked everywhere else.
private final class SignalWait: Sendable {
  private let arrived: AsyncStream<Void>

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    arrived = stream
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waited = signals
    Thread.detachNewThread {
      var set = waited
      var number: Int32 = 0
      sigwait(&set, &number)
      continuation.finish()
    }
  }

  func wait() async { for await _ in arrived {} }
}
