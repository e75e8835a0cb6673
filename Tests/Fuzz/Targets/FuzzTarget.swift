/// A claim about all inputs that one input breaks.
package struct Violation: Error, CustomStringConvertible {
  package var description: String

  init(_ description: String) { self.description = description }
}

/// Fails the input unless the claim holds.
func require(_ claim: Bool, _ text: @autoclosure () -> String) throws(Violation) {
  if !claim { throw Violation(text()) }
}

/// Something that reads bytes which nobody vouches for.
///
/// A crash, a hang, endless memory or a `Violation` is a bug; every other outcome, refusal above all,
/// is fine. What a target does depends on the input alone.
package struct FuzzTarget: Sendable {
  package enum Body: Sendable {
    case synchronous(@Sendable ([UInt8]) throws -> Void)
    case asynchronous(@Sendable ([UInt8]) async throws -> Void)
  }

  package let name: String
  package let body: Body

  init(_ name: String, _ body: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.body = .synchronous(body)
  }

  init(asynchronous name: String, _ body: @escaping @Sendable ([UInt8]) async throws -> Void) {
    self.name = name
    self.body = .asynchronous(body)
  }

  package func run(_ bytes: [UInt8]) async throws {
    switch body {
    case .synchronous(let body): try body(bytes)
    case .asynchronous(let body): try await body(bytes)
    }
  }

  package static let all: [FuzzTarget] = [
    ProtoTargets.binary, ProtoTargets.json, ProtoTargets.value, EnvelopeTarget.target,
    HTTP2Targets.server, HTTP2Targets.client, RequestTarget.target, TextTargets.target,
    YAMLTargets.target, ConfigTargets.machine, ConfigTargets.talosconfig, CryptoTargets.pem,
    CryptoTargets.age, CryptoTargets.compression,
  ]
}
