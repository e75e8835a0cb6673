public import Rotation

/// What an import is made of.
public struct DiscoveryRequest: Sendable, Hashable {
  public var name: String
  public var talosconfig: String
  /// The talosconfig's context to use; nil means its current one.
  public var context: String?
  /// Addresses to dial instead of those that the context names; empty: those.
  public var endpoints: [String]
  /// The machines; nil: those that cluster discovery knows.
  public var listing: MachineListing?
  /// Members that need not answer.
  public var leftOut: LeftOutMachines

  public init(
    name: String, talosconfig: String, context: String? = nil, endpoints: [String] = [],
    listing: MachineListing? = nil, leftOut: LeftOutMachines = LeftOutMachines()
  ) {
    self.leftOut = leftOut
    self.listing = listing
    self.name = name
    self.talosconfig = talosconfig
    self.context = context
    self.endpoints = endpoints
  }
}

/// A cluster as an import has found it.
public struct DiscoveredCluster: Sendable, Hashable {
  public var record: ClusterRecord
  /// What a person has to know of it, a line each.
  public var warnings: [String]

  public init(_ record: ClusterRecord, warnings: [String] = []) {
    self.record = record
    self.warnings = warnings
  }
}
