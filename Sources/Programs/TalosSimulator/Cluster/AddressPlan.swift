internal import RPC
internal import RPCTransport

/// Which machine has which name and address, and which ports all of them use.
struct AddressPlan {
  struct Machine: Equatable {
    var name: String
    var address: String
    var type: MachineType
    var index: Int
  }

  var machines: [Machine]
  var port: Int
  var kubernetesPort: Int

  init(_ options: ClusterOptions) async throws {
    machines = try Self.machines(options)
    port = options.port
    kubernetesPort = options.kubernetesPort
    let addresses = machines.map(\.address) + [options.sharedAddress].compactMap { $0 }
    if port == 0 { port = try await Self.freePort(on: addresses) }
    while kubernetesPort == 0 {
      let found = try await Self.freePort(on: addresses)
      if found != port { kubernetesPort = found }
    }
  }

  static func machines(_ options: ClusterOptions) throws(SimulatorError) -> [Machine] {
    guard options.controlPlanes >= 1 else {
      throw .options("a cluster needs at least one control plane")
    }
    guard options.workers >= 0 else { throw .options("the number of workers is negative") }
    guard let base = parse(options.addressBase) else {
      throw .options("\(options.addressBase) is not an IPv4 address")
    }
    let count = options.controlPlanes + options.workers
    guard base >> 24 == 127, (base + UInt32(count)) >> 24 == 127 else {
      throw .options("addresses from \(options.addressBase) are not all loopback addresses")
    }
    if let shared = options.sharedAddress {
      guard let number = parse(shared), number >> 24 == 127,
        !(base + 1...base + UInt32(count)).contains(number)
      else { throw .options("\(shared) is not a loopback address that no machine has") }
    }
    var list: [Machine] = []
    for index in 0..<count {
      let isControlPlane = index < options.controlPlanes
      let number = isControlPlane ? index + 1 : index - options.controlPlanes + 1
      list.append(
        Machine(
          name: "\(options.name)-\(isControlPlane ? "controlplane" : "worker")-\(number)",
          address: format(base + UInt32(index) + 1),
          type: isControlPlane ? .controlPlane : .worker, index: index))
    }
    return list
  }

  private static func parse(_ text: String) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { UInt8($0) }
    guard parts.count == 4, bytes.count == 4 else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func format(_ address: UInt32) -> String {
    (0..<4).reversed().map { String(address >> (8 * UInt32($0)) & 0xFF) }.joined(separator: ".")
  }

  /// A port that nobody listens on, at any of the addresses.
  private static func freePort(on addresses: [String]) async throws -> Int {
    for _ in 0..<64 {
      let server = try RPCServer(ServiceRouter(), configuration: .simulator)
      do {
        let port = try await server.listen(plaintext: addresses[0], port: 0)
        for address in addresses.dropFirst() {
          _ = try await server.listen(plaintext: address, port: port)
        }
        await server.shutdown(grace: .zero)
        return port
      } catch {
        await server.shutdown(grace: .zero)
      }
    }
    throw SimulatorError.setup("no port is free on all of \(addresses.joined(separator: ", "))")
  }
}
