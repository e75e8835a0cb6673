import Crypto
import Glibc
import InteropSupport
import ProtoCodec
import RPC
import RPCTransport
import TestSchemas

// connect-conformance-server: the server under test of the Connect conformance suite.
//
// Reads one ServerCompatRequest from standard input, starts the server it describes, says where in
// a ServerCompatResponse on standard output, and serves until it is ended by a signal.

do {
  guard let bytes = StandardIO.readMessage() else {
    StandardIO.complain("connect-conformance-server: no request on standard input")
    exit(2)
  }
  let request = try Conformance.ServerCompatRequest(serialized: bytes)
  var router = ServiceRouter(compressions: .standard)
  router.limits.compressionThresholdBytes = 0
  if request.messageReceiveLimit > 0 {
    router.limits.requestMessageBytes = Int(request.messageReceiveLimit)
  }
  ConformanceHandlers.register(in: &router)
  let server = try RPCServer(router)
  var response = Conformance.ServerCompatResponse()
  response.host = "127.0.0.1"
  if request.useTLS {
    let credentials = request.serverCreds ?? Conformance.TLSCreds()
    let chain = String(decoding: credentials.cert, as: UTF8.self)
    let identity = try Identity(
      chainPEM: chain, keyPEM: String(decoding: credentials.key, as: UTF8.self))
    let roots =
      request.clientTLSCert.isEmpty
      ? []
      : try Certificate.bundle(pem: String(decoding: request.clientTLSCert, as: UTF8.self))
    let context = try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, trustRoots: roots,
        peerVerification: roots.isEmpty ? .none : .required, alpn: ["h2"]))
    let port = try await server.listen(host: response.host, port: 0) { context }
    response.port = UInt32(port)
    response.pemCert = credentials.cert
  } else {
    response.port = UInt32(try await server.listen(plaintext: response.host, port: 0))
  }
  guard StandardIO.writeMessage(response.serialized()) else { exit(2) }
  while true { try await Task.sleep(for: .seconds(3600)) }
} catch {
  StandardIO.complain("connect-conformance-server: \(error)")
  exit(1)
}
