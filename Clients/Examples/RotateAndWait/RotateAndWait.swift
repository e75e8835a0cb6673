import Foundation
import RPC
import RPCTransport
import Schema

/// Rotates the Talos CA of a cluster and waits until it is over, through restarts of omnid.
///
///     rotate-and-wait unix:/run/omnid/omnid.sock prod
@main
enum RotateAndWait {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let endpoint = Endpoint(arguments[1]) else {
      print("usage: rotate-and-wait unix:PATH CLUSTER")
      exit(2)
    }
    let client = RPCClient(try SocketChannel(endpoint))
    var request = RotateSecretRequest()
    request.cluster = arguments[2]
    request.component = .talosCA
    // The same value again starts nothing: the call may be repeated.
    request.requestID = UUID().uuidString
    do {
      let started = try await client.unary(
        ManagementServiceMethods.rotateSecret, request, options: CallOptions(timeout: .seconds(60)))
      let ended = try await wait(client, started.status ?? RotationStatus())
      print(ended.status, ended.newCAFingerprint)
      exit(ended.state == .succeeded ? 0 : 1)
    } catch let error as RPCError {
      print(error)
      // Each thing that stands in the way of a start.
      let refused: GoogleRPC.PreconditionFailure? = error.detail()
      for violation in refused?.violations ?? [] {
        print(violation.type, violation.subject, violation.description)
      }
      exit(1)
    }
  }

  /// Watches until the rotation is over. A watch that breaks off begins again after the last revision.
  static func wait(_ client: RPCClient, _ started: RotationStatus) async throws -> RotationStatus {
    var last = started
    while true {
      var request = WatchRotationStatusRequest()
      request.cluster = started.cluster
      request.afterRevision = last.revision
      do {
        let seen = last
        last = try await client.serverStreaming(
          ManagementServiceMethods.watchRotationStatus, request,
          options: CallOptions(responseMessageBytes: 64 << 20)
        ) { responses in
          var newest = seen
          for try await response in responses {
            guard let status = response.status else { continue }
            newest = status
            print(status.status, "-", status.step)
            // Another rotation has begun: this one is over, and the history has it.
            if isOver(status) || status.rotationID != started.rotationID { break }
          }
          return newest
        }
        if isOver(last) || last.rotationID != started.rotationID { return last }
      } catch let error as RPCError where error.code == .unavailable {
        try await Task.sleep(for: .seconds(1))
      }
    }
  }

  static func isOver(_ status: RotationStatus) -> Bool {
    [.succeeded, .aborted, .failed].contains(status.state)
  }
}
