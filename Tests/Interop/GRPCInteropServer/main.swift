import Crypto
import Glibc
import InteropSupport
import RPC
import RPCTransport

// grpc-interop-server --port N [--host ADDRESS] [--unix PATH] [--use_tls --tls_cert_file F --tls_key_file F]
//
// The server of gRPC's interoperability tests. Says the port it listens on: 0 picks one.
// With a path it listens there too.

do {
  let flags = try Flags(
    CommandLine.arguments.dropFirst(),
    known: ["port", "host", "unix", "use_tls", "tls_cert_file", "tls_key_file"])
  let host = flags["host"] ?? "127.0.0.1"
  var router = ServiceRouter(compressions: .standard)
  TestServiceHandlers.register(in: &router)
  let server = try RPCServer(router)
  if let path = flags["unix"] { try await server.listen(unix: path) }
  let port: Int
  if flags.isSet("use_tls") {
    let identity = try Identity(
      chainPEM: StandardIO.contents(of: flags.required("tls_cert_file")),
      keyPEM: StandardIO.contents(of: flags.required("tls_key_file")))
    let context = try TLSContext(
      TLSConfiguration(role: .server, identity: identity, peerVerification: .none, alpn: ["h2"]))
    port = try await server.listen(host: host, port: flags.number("port", default: 0)) { context }
  } else {
    port = try await server.listen(plaintext: host, port: flags.number("port", default: 0))
  }
  StandardIO.say("listening on port \(port)")
  while true { try await Task.sleep(for: .seconds(3600)) }
} catch {
  StandardIO.complain("grpc-interop-server: \(error)")
  exit(1)
}
