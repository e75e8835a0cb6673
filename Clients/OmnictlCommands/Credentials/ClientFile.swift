internal import Encodings
internal import RPC
internal import YAML

/// The client certificate in a talosconfig, a kubeconfig or a PEM file. Its key stays where it is.
struct ClientFile {
  /// PEM.
  var certificate: String

  struct Failure: Error {
    var reason: String
  }

  /// - Parameters:
  ///   - text: the file.
  ///   - context: which context; nil: the current one, or the only one.
  init(_ text: String, context: String?) throws(Failure) {
    if text.contains("-----BEGIN CERTIFICATE-----"), !text.contains("contexts:") {
      certificate = try Self.certificates(in: text)
      return
    }
    let root: YAMLNode
    do throws(YAMLError) {
      guard let first = try YAMLParser.parse(text).first else {
        throw YAMLError(.unsupported, "the file is empty")
      }
      root = first
    } catch { throw Failure(reason: "it is no YAML: \(error.message)") }
    let encoded =
      root["contexts"]?.entries != nil
      ? try Self.talosconfig(root, context) : try Self.kubeconfig(root, context)
    // YAML may fold it.
    let rules = Base64.Rules(
      digits: .standardAndURL, padding: .upToTwo, whiteSpace: .skipped)
    guard let bytes = Base64.decode(encoded, rules) else {
      throw Failure(reason: "its client certificate is no base64")
    }
    certificate = try Self.certificates(in: String(decoding: bytes, as: UTF8.self))
  }

  private static func talosconfig(
    _ root: YAMLNode, _ context: String?
  ) throws(Failure) -> String {
    let contexts = root["contexts"]?.entries ?? []
    guard let name = context ?? root["context"]?.text ?? contexts.first?.key.text,
      let found = root["contexts"]?[name]
    else { throw Failure(reason: "the talosconfig has no context '\(context ?? "")'") }
    guard let crt = found["crt"]?.text, !crt.isEmpty else {
      throw Failure(reason: "context '\(name)' of the talosconfig has no client certificate (crt)")
    }
    return crt
  }

  private static func kubeconfig(_ root: YAMLNode, _ context: String?) throws(Failure) -> String {
    func named(_ key: String, _ name: String) -> YAMLNode? {
      root[key]?.items?.first { $0["name"]?.text == name }
    }
    guard let name = context ?? root["current-context"]?.text,
      let found = named("contexts", name)?["context"]
    else {
      throw Failure(
        reason:
          "it is neither a talosconfig nor a kubeconfig with a current context: --context names one"
      )
    }
    guard let user = found["user"]?.text, let entry = named("users", user)?["user"] else {
      throw Failure(reason: "context '\(name)' of the kubeconfig names no user")
    }
    guard let data = entry["client-certificate-data"]?.text, !data.isEmpty else {
      throw Failure(
        reason:
          "user '\(user)' of the kubeconfig has no client-certificate-data: tokens and plugins are not "
          + "issued by a CA")
    }
    return data
  }

  /// The certificates of a text, and nothing else: a key that stands beside them is not sent.
  private static func certificates(in text: String) throws(Failure) -> String {
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    var rest = text[...]
    var blocks: [Substring] = []
    while let start = rest.range(of: begin), let stop = rest[start.upperBound...].range(of: end) {
      let block = rest[start.lowerBound..<stop.upperBound]
      // Of a block that is cut off something else may stand before the next end.
      guard block.ranges(of: "-----BEGIN").count == 1 else {
        throw Failure(reason: "a certificate in it is cut off")
      }
      blocks.append(block)
      rest = rest[stop.upperBound...]
    }
    guard !blocks.isEmpty else { throw Failure(reason: "it holds no certificate") }
    return blocks.map { $0 + "\n" }.joined()
  }
}

extension Substring {
  fileprivate func range(of text: String) -> Range<Index>? { ranges(of: text).first }
}
