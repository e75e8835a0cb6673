internal import Crypto
internal import Encodings
internal import RPCTransport
internal import YAML

/// A server, and what this client is known by there.
struct ServerContext: Equatable {
  var endpoint: Endpoint
  /// What the server's certificate is for; nil: the endpoint's host.
  var serverName: String?
  /// The CAs that the server's certificate may lead to, PEM.
  var ca = ""
  /// The client certificate and its private key, PEM; empty without.
  var certificate = ""
  var key = ""
  /// A service-account token; empty without.
  var token = ""

  /// As the configuration file holds it: PEM texts in base64, as in a talosconfig.
  var value: YAMLValue {
    var fields = [YAMLValue.Field("endpoint", .string(endpoint.description))]
    func add(_ name: String, _ text: String?) {
      if let text, !text.isEmpty { fields.append(.init(name, .string(text))) }
    }
    add("server-name", serverName)
    add("ca", Base64.encode(ca))
    add("crt", Base64.encode(certificate))
    add("key", Base64.encode(key))
    add("token", token)
    return .mapping(fields)
  }

  /// A file with this context alone.
  func document(named name: String) -> String {
    YAMLValue.mapping([
      .init("context", .string(name)), .init("contexts", .mapping([.init(name, value)])),
    ]).document(step: 2)
  }

  init(endpoint: Endpoint) { self.endpoint = endpoint }

  /// - Throws: what is wrong with the entry, to be said behind its name.
  init(_ node: YAMLNode) throws(ContextFile.Failure) {
    guard let text = node["endpoint"]?.text else {
      throw ContextFile.Failure(reason: "has no endpoint")
    }
    do throws(InvalidValue) { endpoint = try ServerAddress.parse(text) } catch {
      throw ContextFile.Failure(reason: "has an endpoint that \(error.reason)")
    }
    serverName = node["server-name"]?.text
    ca = try Self.decoded(node, "ca")
    certificate = try Self.decoded(node, "crt")
    key = try Self.decoded(node, "key")
    token = node["token"]?.text ?? ""
  }

  private static func decoded(
    _ node: YAMLNode, _ name: String
  ) throws(ContextFile.Failure) -> String {
    guard let text = node[name]?.text, !text.isEmpty else { return "" }
    guard let bytes = Base64.decode(text), let decoded = String(validating: bytes, as: UTF8.self)
    else { throw ContextFile.Failure(reason: "has a \(name) that is no base64") }
    return decoded
  }

  /// Who this client is there, for people: never a secret.
  var identity: String {
    if !token.isEmpty { return "token" }
    guard !certificate.isEmpty else { return "" }
    guard let leaf = try? Crypto.Certificate(pem: certificate) else { return "certificate" }
    return "\(leaf.subject), serial \(leaf.serialHex)"
  }

  /// When the client certificate ends, Unix seconds.
  var certificateEnd: Int64? {
    certificate.isEmpty ? nil : (try? Crypto.Certificate(pem: certificate))?.notAfter
  }
}
