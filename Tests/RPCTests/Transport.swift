import Crypto
import Glibc
import RPC
import RPCTransport

/// What a call can be carried by.
enum Transport: CaseIterable {
  case inProcess, unix, plaintext, tls12, tls13
  case unixGzip, unixWeb, unixConnect, inProcessConnect, tlsConnectDeflate

  var form: ClientForm {
    switch self {
    case .inProcess, .unix, .plaintext, .tls12, .tls13: .grpc
    case .unixGzip:
      ClientForm(
        .grpc, requestCompression: ZlibCompression.gzip, acceptedCompressions: .standard)
    case .unixWeb: ClientForm(.grpcWeb)
    case .unixConnect, .inProcessConnect: ClientForm(.connect, format: .json)
    case .tlsConnectDeflate:
      ClientForm(
        .connect, requestCompression: ZlibCompression.deflate, acceptedCompressions: .standard)
    }
  }

  /// Runs the body with a client of a server that serves the router, and takes both down again.
  ///
  /// - Parameter form: how the client writes its calls; nil as the transport's name says.
  func withClient(
    _ router: ServiceRouter, form: ClientForm? = nil, _ body: (RPCClient) async throws -> Void
  ) async throws {
    let form = form ?? self.form
    switch self {
    case .inProcess, .inProcessConnect:
      try await body(RPCClient(InProcessChannel(router), form: form))
    case .unix, .unixGzip, .unixWeb, .unixConnect:
      try await withServer(router) { path, _ in
        try await body(RPCClient(try SocketChannel(.unix(path: path)), form: form))
      }
    case .tls12, .tls13, .tlsConnectDeflate:
      let tls = try TestTLS(.kubernetes, minimum: self == .tls12 ? .tls12 : .tls13)
      try await withServer(router) { _, server in
        let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
        try await body(
          RPCClient(
            try SocketChannel(.tls(host: "127.0.0.1", port: port), tls: tls.client), form: form))
      }
    case .plaintext:
      try await withServer(router) { _, server in
        let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
        try await body(
          RPCClient(try SocketChannel(.plaintext(host: "127.0.0.1", port: port)), form: form))
      }
    }
  }
}

/// Serves on a Unix socket in a directory of its own.
func withServer(
  _ service: any HTTPService, configuration: ServerConfiguration = ServerConfiguration(),
  report: (@Sendable (ConnectionReport) -> Void)? = nil,
  _ body: (String, RPCServer) async throws -> Void
) async throws {
  var template = Array("/tmp/omnid-test-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw RPCError(.internalError, "mkdtemp failed") }
  let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { rmdir(directory) }
  let server = try RPCServer(service, configuration: configuration, report: report)
  do {
    try await server.listen(unix: directory + "/s.sock")
    try await body(directory + "/s.sock", server)
  } catch {
    await server.shutdown(grace: .zero)
    throw error
  }
  await server.shutdown(grace: .seconds(1))
}
