/// Machines of which a person has said that they are gone for good, or were never the cluster's, although discovery
/// names them or nothing proves that they have left.
///
/// That word counts only of a machine that lets nobody in whom an authority of the cluster has signed: nothing is
/// known of it then that speaks against the word. Nothing is proved of such a machine either, and the rotation's report says so.
public struct LeftOutMachines: Sendable, Hashable {
  /// The most that a rotation may be told of.
  public static let limit = 64

  /// Names of machines, or node identities.
  public var names: Set<String>

  public init(_ names: Set<String> = []) { self.names = names }

  public var isEmpty: Bool { names.isEmpty }

  public func contains(_ machine: Machine) -> Bool {
    names.contains(machine.id)
      || (!machine.identity.isEmpty && names.contains(machine.identity))
  }

  /// Those that are none of the machines, in order.
  public func beyond(_ machines: [Machine]) -> [String] {
    names.subtracting(machines.flatMap { [$0.id, $0.identity] }).sorted()
  }
}
