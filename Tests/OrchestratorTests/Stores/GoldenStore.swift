import Crypto
import Foundation
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

/// What the golden stores hold: a store that a release left, which every later omnid must open.
///
/// `OMNID_GOLDEN_STORE=PATH` lets the test below write one; a release checks it in under `Fixtures`.
enum GoldenStore {
  static let schemas = ["schema-2", "schema-3", "schema-4", "schema-5"]

  /// Every state of a rotation in the history of `gamma`, whose last one is under way; `delta` has no Kubernetes and no
  /// history.
  static func commits(sealer: Sealer) throws -> [[StoreChange]] {
    var gamma = Sample.cluster("gamma")
    gamma.clusterID = "id-of-gamma"
    gamma.authorities = [
      .talosCA: try authority(.talosCA, "gamma", sealer),
      .kubernetesCA: try authority(.kubernetesCA, "gamma", sealer),
    ]
    var delta = Sample.cluster("delta")
    delta.authorities = [.talosCA: try authority(.talosCA, "delta", sealer)]
    var commits: [[StoreChange]] = []
    let states = Sample.states.filter(\.isFinal) + [Sample.states.last { !$0.isFinal }!]
    for (index, state) in states.enumerated() {
      let ordinal = UInt64(index + 1)
      let id = "golden-\(ordinal)"
      var rotation = Sample.rotation(id, cluster: "gamma", ordinal: ordinal, state: state)
      rotation.old = gamma.authorities[.kubernetesCA]!
      rotation.new = try authority(.kubernetesCA, "gamma", sealer, rotation: id)
      if state.isFinal { rotation.finishedAt = Sample.instant }
      var request = Sample.request("request-\(ordinal)", cluster: "gamma", ordinal: ordinal)
      request.rotation = id
      commits.append([.putRotation(rotation, expected: 0), .putRequest(request)])
    }
    gamma.rotationCount = UInt64(states.count)
    gamma.activeRotation = "golden-\(states.count)"
    commits.append([.putCluster(gamma, expected: 0)])
    commits.append([.putCluster(delta, expected: 0)])
    return commits
  }

  private static func authority(
    _ component: SecretComponent, _ cluster: String, _ sealer: Sealer, rotation: String = ""
  ) throws -> SealedAuthority {
    let binding = AuthorityBinding(cluster: cluster, component: component, rotation: rotation)
    let name = "\(cluster)/\(component.rawValue)/\(rotation)"
    var authority = Sample.authority(name, binding)
    authority.sealedKey = try sealer.seal(
      Array("key of \(name)".utf8), context: binding.sealingContext(fingerprint: name))
    return authority
  }

  /// The authority with its key in clear, since a key is sealed differently each time.
  static func opened(_ authority: SealedAuthority) throws -> SealedAuthority {
    var authority = authority
    authority.sealedKey = try Sample.sealer.open(
      authority.sealedKey,
      context: authority.binding.sealingContext(fingerprint: authority.fingerprint)
    ).copy()
    return authority
  }

  static func opened(_ cluster: ClusterRecord) throws -> ClusterRecord {
    var cluster = cluster
    cluster.authorities = try cluster.authorities.mapValues(opened)
    return cluster
  }

  static func opened(_ rotation: RotationRecord) throws -> RotationRecord {
    var rotation = rotation
    rotation.old = try opened(rotation.old)
    rotation.new = try opened(rotation.new)
    return rotation
  }
}

@Suite("Golden stores")
struct GoldenStoreTests {
  static let path = ProcessInfo.processInfo.environment["OMNID_GOLDEN_STORE"]

  @Test("Writes the golden store of a release", .enabled(if: path != nil))
  func write() async throws {
    let store = try SQLiteStore(path: Self.path!, sealer: Sample.sealer)
    for changes in try GoldenStore.commits(sealer: Sample.sealer) {
      _ = try await store.commit(changes)
    }
    await store.close()
  }

  @Test(
    "A store of an earlier schema is opened with everything in it, as often as it is opened",
    arguments: GoldenStore.schemas)
  func opens(schema: String) async throws {
    let disk = try StoreOnDisk(fixture: schema + ".db")
    for _ in 0..<2 {
      let store = try disk.open()
      let contents = try await store.load()
      let expected = try GoldenStore.commits(sealer: Sample.sealer)
      #expect(contents.revision == Revision(expected.count))
      for (index, changes) in expected.enumerated() {
        let revision = Revision(index + 1)
        for change in changes {
          switch change {
          case .putCluster(var cluster, _):
            cluster.revision = revision
            let found = try #require(try await store.cluster(cluster.name))
            #expect(try GoldenStore.opened(found) == GoldenStore.opened(cluster))
            #expect(contents.clusters.contains(found))
          case .putRotation(var rotation, _, _):
            rotation.revision = revision
            let found = try #require(try await store.rotation(rotation.id))
            #expect(try GoldenStore.opened(found) == GoldenStore.opened(rotation))
          case .putRequest(let request):
            #expect(try await store.request(request.id, cluster: request.cluster) == request)
          case .removeCluster, .pruneRotations:
            break
          }
        }
      }
      #expect(contents.rotations.map(\.id) == contents.clusters.compactMap(\.activeRotation))
      await store.close()
    }
  }

  @Test(
    "A rotation that an earlier omnid left under way goes on, machine by machine, and comes to its end",
    arguments: GoldenStore.schemas)
  func goesOn(schema: String) async throws {
    let disk = try StoreOnDisk(fixture: schema + ".db")
    var rotation = try #require(try await disk.contents().rotations.first)
    var stage = try #require(rotation.state.stage)
    for index in stage.machines.indices {
      stage.machines[index].state = .verified(Sample.effort)
      rotation.state = .rolling(stage)
      let store = try disk.open()
      rotation.revision = try await store.commit([
        .putRotation(
          rotation, expected: rotation.revision, machines: [stage.machines[index].machine.id])
      ])
      await store.close()
      #expect(try await disk.contents().rotations == [rotation])
    }
    rotation.state = .succeeded(stage)
    let store = try disk.open()
    rotation.revision = try await store.commit([
      .putRotation(rotation, expected: rotation.revision, machines: [])
    ])
    await store.close()
    #expect(try await disk.contents().rotations == [rotation])
    #expect(try disk.names("SELECT id FROM progress") == [])
  }
}
