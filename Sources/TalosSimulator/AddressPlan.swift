internal import Glibc

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

  init(_ options: ClusterOptions) throws(SimulatorError) {
    machines = try Self.machines(options)
    let addresses = machines.map(\.address)
    port =
      options.port != 0 ? options.port : try Self.freePort(on: addresses, otherThan: nil)
    kubernetesPort =
      options.kubernetesPort != 0
      ? options.kubernetesPort : try Self.freePort(on: addresses, otherThan: port)
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
  private static func freePort(
    on addresses: [String], otherThan taken: Int?
  ) throws(SimulatorError) -> Int {
    for _ in 0..<64 {
      guard let candidate = LoopbackPort.bind(addresses[0], port: 0), candidate != taken,
        addresses.dropFirst().allSatisfy({ LoopbackPort.bind($0, port: candidate) != nil })
      else { continue }
      return candidate
    }
    throw .setup("no port is free on all of \(addresses.joined(separator: ", "))")
  }
}

/// Tries whether a port can be had.
enum LoopbackPort {
  /// Binds for a moment and returns the port, or nil when it is taken.
  static func bind(_ address: String, port: Int) -> Int? {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return nil }
    defer { close(socket) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
    guard inet_pton(AF_INET, address, &name.sin_addr) == 1 else { return nil }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        guard Glibc.bind(socket, $0, length) == 0 else { return false }
        return getsockname(socket, $0, &length) == 0
      }
    }
    return bound ? Int(in_port_t(bigEndian: name.sin_port)) : nil
  }
}
