import Crypto
import Orchestrator
import Schema

/// The configurations of a machine. They hold keys.
struct MachineConfigs {
  /// The one in force, byte for byte.
  var active: [UInt8]
  /// The one on disk, which becomes active with the next boot; nil where Talos does not show it.
  var persistent: [UInt8]? = nil

  /// Overwrites both.
  mutating func wipe() {
    active.wipe()
    persistent?.wipe()
  }
}

extension TalosClient {
  /// The configuration that is in force, byte for byte.
  func machineConfig() async throws(TalosFailure) -> [UInt8] {
    try Self.usable(await get(.activeConfig)?.yamlMarshalled)
  }

  /// That one, and the one on disk: both at one moment.
  func machineConfigs() async throws(TalosFailure) -> MachineConfigs {
    typealias Resource = TalosResource<Talos.MachineConfigSpec>
    let all = try await list(Resource.activeConfig)
    func config(_ id: String) -> [UInt8]? { all.first { $0.id == id }?.spec.yamlMarshalled }
    return MachineConfigs(
      active: try Self.usable(config(Resource.activeConfig.id)),
      persistent: config(Resource.persistentConfig.id))
  }

  private static func usable(_ config: [UInt8]?) throws(TalosFailure) -> [UInt8] {
    guard let config, !config.isEmpty else {
      throw .unusable(DriverError(.invalidConfig, "the machine has no configuration"))
    }
    return config
  }
}
