import Glibc
import RPC
import RPCTransport

/// A listening Unix socket whose connections send whatever bytes a test gives them: a server that is broken,
/// strange or only foreign.
final class ScriptedServer {
  let path: String
  private let directory: String
  private let descriptor: Int32

  init() throws {
    var template = Array("/tmp/omnid-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RPCError(.internalError, "mkdtemp failed") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = directory + "/s.sock"
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let result = RawConnection.withAddress(path) { bind(descriptor, $0, $1) }
    guard result == 0, listen(descriptor, 64) == 0 else {
      throw RPCError(.internalError, "cannot listen on \(path)")
    }
  }

  deinit {
    close(descriptor)
    unlink(path)
    rmdir(directory)
  }

  /// Runs the body with each connection in turn, beside a client of the server, until that returns.
  ///
  /// - Parameter serve: gets the connection and its number; it has sent its SETTINGS. On a thread of its own.
  func run<R: Sendable>(
    configuration: ChannelConfiguration = ChannelConfiguration(),
    retry: RetryPolicy? = nil,
    _ serve: @escaping @Sendable (RawConnection, Int) -> Void,
    _ body: (RPCClient) async throws -> R
  ) async throws -> R {
    let descriptor = descriptor
    let thread = Task.detached {
      await withCheckedContinuation { continuation in
        runOnThread {
          var number = 0
          while true {
            let accepted = accept(descriptor, nil, nil)
            if accepted < 0 { break }
            let connection = RawConnection(accepted: accepted)
            connection.send(RawConnection.frame(4, flags: 0, stream: 0, []))
            serve(connection, number)
            number += 1
          }
          continuation.resume()
        }
      }
    }
    let channel = try SocketChannel(.unix(path: path), configuration: configuration)
    let result: Result<R, any Error>
    do { result = .success(try await body(RPCClient(channel, retry: retry))) } catch {
      result = .failure(error)
    }
    channel.close()
    shutdown(descriptor, Int32(SHUT_RDWR))
    await thread.value
    return try result.get()
  }

  /// A response's head, with these fields behind `:status` and `content-type`.
  static func head(
    _ stream: UInt32, _ fields: [(String, String)] = [], isLast: Bool = false
  ) -> [UInt8] {
    let block = RawConnection.fields(
      [(":status", "200"), ("content-type", "application/grpc")] + fields)
    return blocks(stream, block, isLast: isLast)
  }

  static func trailers(_ stream: UInt32, _ fields: [(String, String)]) -> [UInt8] {
    blocks(stream, RawConnection.fields(fields), isLast: true)
  }

  /// HEADERS, and CONTINUATION as needed.
  private static func blocks(_ stream: UInt32, _ block: [UInt8], isLast: Bool) -> [UInt8] {
    var frames: [UInt8] = []
    var at = 0
    repeat {
      let piece = Array(block[at..<min(at + 16384, block.count)])
      let flags: UInt8 = (at + piece.count == block.count ? 4 : 0) | (at == 0 && isLast ? 1 : 0)
      frames += RawConnection.frame(at == 0 ? 1 : 9, flags: flags, stream: stream, piece)
      at += piece.count
    } while at < block.count
    return frames
  }

  static func message(_ stream: UInt32, _ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
    RawConnection.frame(0, flags: isLast ? 1 : 0, stream: stream, bytes.enveloped())
  }

  static let ok = [("grpc-status", "0")]
}

func runOnThread(_ body: @escaping @Sendable () -> Void) {
  let box = Unmanaged.passRetained(Box(body))
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  pthread_detach(thread)
}

private final class Box: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
