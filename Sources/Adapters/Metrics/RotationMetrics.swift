public import Orchestrator
public import Rotation

/// What metrics tell of one cluster.
public struct ClusterView: Sendable {
  public var record: ClusterRecord
  public var rotation: RotationSnapshot
  /// When each authority expires.
  public var expiries: [SecretComponent: Instant]
  /// Whether the machines no longer use what the record has.
  public var isOutdated: Bool

  public init(
    record: ClusterRecord, rotation: RotationSnapshot, expiries: [SecretComponent: Instant],
    isOutdated: Bool
  ) {
    self.record = record
    self.rotation = rotation
    self.expiries = expiries
    self.isOutdated = isOutdated
  }
}

/// The metrics of clusters and their rotations. Pure.
///
/// What a cluster adds is bounded: its machines are counted, and named only while a rotation waits for them.
public struct RotationMetrics {
  /// Clusters with samples of their own; of the others it is told how many there are.
  public static let clusterLimit = 500
  /// Machines of one cluster that are named as waited for.
  static let waitingLimit = 32

  private let clusters: [ClusterView]
  private let leftOut: Int
  private let now: Instant

  /// - Parameters:
  ///   - clusters: at most `clusterLimit`.
  ///   - leftOut: how many clusters there are beside these.
  public init(_ clusters: [ClusterView], leftOut: Int, now: Instant) {
    self.clusters = clusters
    self.leftOut = leftOut
    self.now = now
  }

  public var families: [MetricFamily] {
    [
      MetricFamily(
        "omnid_clusters", .gauge, "Clusters that the scraper may know of",
        [MetricFamily.Sample([:], .integer(clusters.count + leftOut))]),
      MetricFamily(
        "omnid_clusters_left_out", .gauge,
        "Clusters without samples of their own, because there are too many",
        [MetricFamily.Sample([:], .integer(leftOut))]),
      rotations, states, machines, done, waiting, held, checks, updated, authorities,
      credentials, returned, stale, outdated, marks,
    ]
  }

  /// Every state is there with every stage that it can be in, so that a rate or an alert finds it before it happens.
  private var rotations: MetricFamily {
    var counts: [String: Int] = [:]
    for cluster in clusters { counts[Self.key(cluster.rotation), default: 0] += 1 }
    var family = MetricFamily(
      "omnid_rotations", .gauge,
      "Clusters by the state of their newest rotation and the stage of one that is under way")
    for state in Self.states {
      let stages =
        Self.isUnderWay(state) ? RotationPhase.allCases.map(\.name) : [""]
      for stage in stages {
        family.samples.append(
          MetricFamily.Sample(
            ["state": state.rawValue, "stage": stage],
            .integer(counts["\(state.rawValue) \(stage)"] ?? 0)))
      }
    }
    return family
  }

  private static let states = RotationState.allCases

  private static func isUnderWay(_ state: RotationState) -> Bool {
    state == .running || state == .paused || state == .aborting
  }

  private static func stage(_ rotation: RotationSnapshot) -> String {
    isUnderWay(rotation.state) ? rotation.phase?.name ?? "" : ""
  }

  private static func key(_ rotation: RotationSnapshot) -> String {
    "\(rotation.state.rawValue) \(stage(rotation))"
  }

  private var states: MetricFamily {
    MetricFamily(
      "omnid_rotation_state", .gauge, "1 for the state and stage of a cluster's newest rotation",
      clusters.map {
        MetricFamily.Sample(
          [
            "cluster": $0.record.name, "component": $0.rotation.component?.rawValue ?? "",
            "state": $0.rotation.state.rawValue, "stage": Self.stage($0.rotation),
          ], .integer(1))
      })
  }

  private var running: [ClusterView] { clusters.filter { !$0.rotation.isIdle } }

  private var machines: MetricFamily {
    MetricFamily(
      "omnid_rotation_machines", .gauge, "Machines of a rotation that is under way",
      running.map {
        MetricFamily.Sample(["cluster": $0.record.name], .integer($0.rotation.machinesTotal))
      })
  }

  private var done: MetricFamily {
    MetricFamily(
      "omnid_rotation_machines_done", .gauge,
      "Machines that are verified in the present stage of a rotation that is under way",
      running.map {
        MetricFamily.Sample(["cluster": $0.record.name], .integer($0.rotation.machinesDone))
      })
  }

  private var waiting: MetricFamily {
    MetricFamily(
      "omnid_rotation_waiting_since_timestamp_seconds", .gauge,
      "Since when a rotation waits for a machine, in Unix time; at most 32 machines of a cluster",
      running.flatMap { cluster in
        cluster.rotation.machines.lazy.filter { $0.state == .waiting }.prefix(Self.waitingLimit)
          .compactMap { machine in
            machine.waitingSince.map {
              MetricFamily.Sample(
                ["cluster": cluster.record.name, "machine": machine.machine],
                .integer(Int($0.secondsSince1970)))
            }
          }
      })
  }

  private var held: MetricFamily {
    MetricFamily(
      "omnid_rotation_held_since_timestamp_seconds", .gauge,
      "Since when a hook keeps a stage from beginning, in Unix time",
      running.compactMap { cluster in
        guard let hold = cluster.rotation.hold, let since = hold.effort.waitingSince else {
          return nil
        }
        return MetricFamily.Sample(
          ["cluster": cluster.record.name, "stage": hold.phase.name],
          .integer(Int(since.secondsSince1970)))
      })
  }

  /// Of a rotation that is under way: by the check, on how many machines it fails.
  private var checks: MetricFamily {
    MetricFamily(
      "omnid_rotation_failed_checks", .gauge,
      "Machines of a rotation that is under way, and the cluster as a whole, of which a check fails",
      running.flatMap { cluster in
        var counts: [String: Int] = [:]
        let records = cluster.rotation.machines.flatMap(\.checks) + cluster.rotation.clusterChecks
        for record in records where record.result.state == .failed {
          counts[record.result.name, default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map {
          MetricFamily.Sample(
            ["cluster": cluster.record.name, "check": $0.key], .integer($0.value))
        }
      })
  }

  private var updated: MetricFamily {
    MetricFamily(
      "omnid_rotation_updated_timestamp_seconds", .gauge,
      "When a rotation that is under way was last written down, in Unix time",
      running.compactMap { cluster in
        cluster.rotation.updatedAt.map {
          MetricFamily.Sample(["cluster": cluster.record.name], .integer(Int($0.secondsSince1970)))
        }
      })
  }

  private var authorities: MetricFamily {
    MetricFamily(
      "omnid_ca_expiry_timestamp_seconds", .gauge,
      "When the CA that a cluster's credentials are issued from expires, in Unix time",
      clusters.flatMap { cluster in
        SecretComponent.allCases.compactMap { component in
          cluster.expiries[component].map {
            MetricFamily.Sample(
              ["cluster": cluster.record.name, "component": component.rawValue],
              .integer(Int($0.secondsSince1970)))
          }
        }
      })
  }

  private var credentials: MetricFamily {
    MetricFamily(
      "omnid_credential_next_expiry_timestamp_seconds", .gauge,
      "When the first of the credentials expires that a cluster's CA on record has issued for longer than 7 days, in Unix time",
      clusters.flatMap { cluster in
        let credentials = cluster.record.lastingCredentials(at: now)
        return SecretComponent.allCases.compactMap { component in
          credentials.first { $0.component == component }.map {
            MetricFamily.Sample(
              ["cluster": cluster.record.name, "component": component.rawValue],
              .integer(Int($0.expiresAt.secondsSince1970)))
          }
        }
      })
  }

  private var stale: MetricFamily {
    MetricFamily(
      "omnid_stale_trust", .gauge,
      "Pods and Secrets that go on with what the last rotation has retired, once they are counted",
      clusters.flatMap { cluster in
        cluster.rotation.staleTrust.compactMap { stale in
          stale.count.map {
            MetricFamily.Sample(
              ["cluster": cluster.record.name, "component": stale.component.rawValue],
              .integer($0.total))
          }
        }
      })
  }

  private var returned: MetricFamily {
    MetricFamily(
      "omnid_retired_ca_machines", .gauge, "Machines that accept a retired CA again",
      clusters.flatMap { cluster in
        SecretComponent.allCases.map { component in
          let machines = Set(
            cluster.rotation.returned.filter { $0.component == component }.map(\.machine))
          return MetricFamily.Sample(
            ["cluster": cluster.record.name, "component": component.rawValue],
            .integer(machines.count))
        }
      })
  }

  private var outdated: MetricFamily {
    MetricFamily(
      "omnid_record_outdated", .gauge,
      "1 for a cluster whose machines no longer use the CAs on record",
      clusters.map {
        MetricFamily.Sample(["cluster": $0.record.name], .integer($0.isOutdated ? 1 : 0))
      })
  }

  private var marks: MetricFamily {
    MetricFamily(
      "omnid_cluster_marks", .gauge, "1 for a mark that a cluster has until it is dealt with",
      clusters.flatMap { cluster in
        cluster.record.marks.map {
          MetricFamily.Sample(
            ["cluster": cluster.record.name, "mark": $0.kind.rawValue], .integer(1))
        }
      })
  }
}
