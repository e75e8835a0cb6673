/// Machines of which a person has said that they are gone for good, or were never the cluster's, although discovery
/// names them or nothing proves that they have left.
///
/// That word counts only of a machine that lets nobody in whom an authority of the cluster has signed: nothing is
/// known of it then that speaks against the word. Nothing is proved of such a machine either, and the rotation's report says so.
public struct LeftOutMachines: Sendable, Hashable {
  /// The most that a rotation may be told of.
  public static let limit = 64

  /// By what the person has said, a name or a node identity: the identity of the machine that was meant. Empty where no
  /// machine was known by that; it is whichever bears it then.
  public private(set) var identities: [String: String]

  public init(_ names: Set<String> = []) {
    identities = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
  }

  public init(identities: [String: String]) { self.identities = identities }

  /// What the person has said.
  public var names: Set<String> { Set(identities.keys) }

  public var isEmpty: Bool { identities.isEmpty }

  public func contains(_ machine: Machine) -> Bool {
    identities.contains { Self.means(machine, $0.key, $0.value) }
  }

  private static func means(_ machine: Machine, _ name: String, _ identity: String) -> Bool {
    guard identity.isEmpty else { return identity == machine.identity }
    return name == machine.id || (!machine.identity.isEmpty && name == machine.identity)
  }

  /// The same, each name bound to the machine that bears it now: a machine that takes the name later is not meant.
  public func bound(to machines: [Machine]) -> LeftOutMachines {
    LeftOutMachines(
      identities: identities.reduce(into: [:]) { bound, entry in
        let machine = machines.first { Self.means($0, entry.key, entry.value) }
        bound[entry.key] = machine?.identity ?? entry.value
      })
  }

  /// Adds what somebody says beside it. What was said before stays as it was meant: where the name means another machine
  /// by now, that one is added by its identity.
  public mutating func add(_ more: LeftOutMachines) {
    for (name, identity) in more.identities {
      let known = identities[name] ?? ""
      if known.isEmpty || identity.isEmpty || known == identity {
        identities[name] = known.isEmpty ? identity : known
      } else {
        identities[identity] = identity
      }
    }
  }

  /// Takes back what was said of machines that are there after all.
  ///
  /// - Returns: by which names.
  public mutating func withdraw(_ machines: [Machine]) -> [String] {
    let names = identities.filter { entry in
      machines.contains { Self.means($0, entry.key, entry.value) }
    }.keys.sorted()
    for name in names { identities[name] = nil }
    return names
  }

  /// What was said of none of the machines, in order.
  public func beyond(_ machines: [Machine]) -> [String] {
    identities.filter { entry in
      !machines.contains { Self.means($0, entry.key, entry.value) }
    }.keys.sorted()
  }

  /// What to tell of names by which nothing was found, a line each.
  ///
  /// - Parameter found: what something was found by.
  public func unknown(besides found: Set<String>) -> [String] {
    names.subtracting(found).sorted().map {
      "\($0): no machine is known by that name or node id that could be left out"
    }
  }
}
