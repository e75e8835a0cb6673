import Crypto
import Encodings
import Orchestrator
import YAML

/// One context of a talosconfig: where to dial, whom to trust, who we are.
struct TalosContext {
  var name: String
  var endpoints: [TalosEndpoint]
  /// Machines to ask through the endpoints; a hint of the file's author, not needed here.
  var nodes: [String]
  var roots: [Certificate]
  var identity: Identity
}

/// The client configuration file of the Talos API: read, and written for others to use.
enum Talosconfig {
  private static func short(_ name: String) -> String {
    let most = 64
    return name.count > most ? name.prefix(most) + "…" : name
  }

  /// The most endpoints that are dialled.
  static let endpointLimit = 16

  /// What an import is made of, read away from the event loops: a talosconfig may be large.
  ///
  /// - Throws: `.invalidInput`, saying which field of the file, or which endpoint, is wrong.
  @concurrent
  static func read(_ request: DiscoveryRequest) async throws(DriverError) -> TalosContext {
    var instead: [TalosEndpoint] = []
    for text in request.endpoints {
      guard let endpoint = TalosEndpoint(text) else {
        throw DriverError(
          .invalidInput, "the endpoint \(PeerText.clean(text)) is no host or host:port")
      }
      if !instead.contains(endpoint) { instead.append(endpoint) }
    }
    return try context(request.context, in: request.talosconfig, instead: instead)
  }

  /// Takes one context out of a talosconfig.
  ///
  /// - Parameters:
  ///   - context: its name; nil means the file's current one, or the only one.
  ///   - endpoints: to dial instead of the context's own; empty: those.
  /// - Throws: `.invalidInput`, saying which field of the file is wrong.
  static func context(
    _ name: String?, in text: String, instead endpoints: [TalosEndpoint] = []
  ) throws(DriverError) -> TalosContext {
    let root = try document(text)
    guard let contexts = root["contexts"]?.entries, !contexts.isEmpty else {
      throw invalid("it has no contexts")
    }
    let wanted: String
    if let name, !name.isEmpty {
      wanted = name
    } else if let current = root["context"]?.text, !current.isEmpty {
      wanted = current
    } else if contexts.count == 1 {
      wanted = contexts[0].name
    } else {
      throw invalid("it has \(contexts.count) contexts and no current one: name one")
    }
    guard let entry = contexts.first(where: { $0.name == wanted }) else {
      // A status has to stay small enough to arrive.
      let few = 5
      var names = contexts.prefix(few).map { Self.short($0.name) }.joined(separator: ", ")
      if contexts.count > few { names += " and \(contexts.count - few) more" }
      throw invalid("it has no context \(Self.short(wanted)), only \(names)")
    }
    return try read(entry.value, name: wanted, instead: endpoints)
  }

  private static func document(_ text: String) throws(DriverError) -> YAMLNode {
    let limits = YAMLLimits(maximumBytes: 1 << 20, maximumDepth: 16, maximumNodes: 50_000)
    do {
      guard let root = try YAMLParser.parse(text, limits: limits).first, root.entries != nil else {
        throw YAMLError(.syntax, "no mapping")
      }
      return root
    } catch {
      throw invalid("it cannot be read: \(error)")
    }
  }

  private static func read(
    _ node: YAMLNode, name: String, instead: [TalosEndpoint]
  ) throws(DriverError) -> TalosContext {
    if let auth = node["auth"], auth.entries?.contains(where: { !$0.value.isNull }) == true {
      throw invalid(
        "context \(name) logs in by \(auth.entries?.first?.name ?? "auth"); a talosconfig with a "
          + "client certificate of role os:admin is needed, as the cluster itself issues it")
    }
    if let proxy = node["proxy-url"]?.text, !proxy.isEmpty {
      throw invalid("context \(name) goes through a proxy, which is not supported")
    }
    let endpoints = instead.isEmpty ? try self.endpoints(node, name) : instead
    let authorityPEM = try pem("ca", node, name)
    let certificatePEM = try pem("crt", node, name)
    let keyPEM = try pem("key", node, name)
    let roots = (try? Certificate.bundle(pem: authorityPEM)) ?? []
    guard !roots.isEmpty else { throw invalid("ca of context \(name) holds no certificate") }
    guard let chain = try? Certificate.bundle(pem: certificatePEM), !chain.isEmpty else {
      throw invalid("crt of context \(name) holds no certificate")
    }
    guard let key = try? PrivateKey(pem: keyPEM) else {
      throw invalid("key of context \(name) holds no private key")
    }
    guard let identity = try? Identity(certificates: chain, key: key) else {
      throw invalid("crt and key of context \(name) do not belong together")
    }
    return TalosContext(
      name: name, endpoints: endpoints, nodes: node["nodes"]?.items?.compactMap(\.text) ?? [],
      roots: roots, identity: identity)
  }

  private static func endpoints(
    _ node: YAMLNode, _ name: String
  ) throws(DriverError) -> [TalosEndpoint] {
    var texts = node["endpoints"]?.items?.compactMap(\.text) ?? []
    // What files of the first versions had instead.
    if let target = node["target"]?.text, !target.isEmpty { texts.append(target) }
    guard !texts.isEmpty else {
      throw invalid(
        "context \(name) has no endpoints: give them with --endpoints, or set them with talosctl config "
          + "endpoint IP…")
    }
    var endpoints: [TalosEndpoint] = []
    var seen: Set<TalosEndpoint> = []
    for text in texts {
      guard let endpoint = TalosEndpoint(text) else {
        throw invalid("endpoint \(endpoints.count + 1) of context \(name) is no host or host:port")
      }
      guard seen.insert(endpoint).inserted else { continue }
      endpoints.append(endpoint)
      guard endpoints.count <= endpointLimit else {
        throw invalid(
          "context \(name) has more than \(endpointLimit) endpoints: name the control planes alone")
      }
    }
    return endpoints
  }

  private static func pem(
    _ field: String, _ node: YAMLNode, _ name: String
  ) throws(DriverError) -> String {
    guard let text = node[field]?.text, !text.isEmpty else {
      throw invalid("context \(name) has no \(field)")
    }
    guard let bytes = Base64.decode(text, .folded) else {
      throw invalid("\(field) of context \(name) is not base64")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func invalid(_ message: String) -> DriverError {
    DriverError(.invalidInput, "this talosconfig cannot be used: \(message)")
  }

  /// Writes a talosconfig with one context, in the form that talosctl reads.
  static func text(
    context: String, endpoints: [TalosEndpoint], roots: [Certificate], identity: Identity
  ) -> String {
    let value: YAMLValue = [
      "context": .string(context),
      "contexts": .mapping([
        .init(
          context,
          [
            "endpoints": .sequence(endpoints.map { .string($0.description) }),
            "ca": .string(Base64.encode(roots.map(\.pem).joined())),
            "crt": .string(Base64.encode(identity.chainPEM)),
            "key": .string(Base64.encode(identity.keyPEM)),
          ])
      ]),
    ]
    return value.document(step: 4)
  }
}
