import Crypto
import Encodings
import Orchestrator
import ProtoCodec
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Pods that have read something before it changed")
struct StalePodsTests {
  private static let changed =
    Instant(rfc3339: "2026-03-01T10:00:00Z") ?? Instant(secondsSince1970: 0)
  private static let root = StalePods.Source(
    kind: .configMap, namespace: "kube-system", name: "kube-root-ca.crt")

  private func pod(
    _ name: String = "p", started: String? = "2026-03-01T09:00:00Z", volumes: String? = nil,
    metadata: String = "", spec: String = ""
  ) throws -> JSONValue {
    let volumes =
      volumes ?? #"[{"projected":{"sources":[{"configMap":{"name":"kube-root-ca.crt"}}]}}]"#
    let state = started.map { #"{"running":{"startedAt":"\#($0)"}}"# } ?? #"{"waiting":{}}"#
    return try JSONValue(
      parsing: Array(
        #"""
        {"metadata":{"namespace":"kube-system","name":"\#(name)"\#(metadata)},
        "spec":{"volumes":\#(volumes)\#(spec)},"status":{"containerStatuses":[{"state":\#(state)}]}}
        """#.utf8))
  }

  private func owners(_ pods: [JSONValue]) -> [String] {
    var stale = StalePods(.rootCertificate, changes: [Self.root: Self.changed])
    stale.add(pods)
    return stale.holders.map { "\($0.count) \($0.owner)" }
  }

  @Test("A pod is stale whose container runs since before the change, or since that second")
  func age() throws {
    #expect(owners([try pod()]) == ["1 pod/p"])
    #expect(owners([try pod(started: "2026-03-01T10:00:00Z")]) == ["1 pod/p"])
    #expect(owners([try pod(started: "2026-03-01T10:00:01Z")]) == [])
    #expect(owners([try pod(started: nil)]) == [])
    let leaving = #","deletionTimestamp":"2026-03-01T10:00:00Z""#
    #expect(owners([try pod(metadata: leaving)]) == [])
  }

  @Test("A pod that reads something else, or from another namespace, is not")
  func others() throws {
    #expect(owners([try pod(volumes: #"[{"configMap":{"name":"other"}}]"#)]) == [])
    var stale = StalePods(
      .rootCertificate,
      changes: [
        StalePods.Source(kind: .configMap, namespace: "default", name: "kube-root-ca.crt"):
          Self.changed
      ])
    stale.add([try pod()])
    #expect(stale.holders == [])
  }

  @Test("Files of ConfigMaps and Secrets count, projected or not, and so do variables")
  func sources() throws {
    let pod = try pod(
      volumes: #"""
        [{"configMap":{"name":"a"}},{"secret":{"secretName":"b"}},{"projected":{"sources":
        [{"secret":{"name":"c"}},{"serviceAccountToken":{"path":"token"}}]}},{"emptyDir":{}}]
        """#,
      spec: #"""
        ,"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"d"}}},{"value":"x"},
        {"valueFrom":{"configMapKeyRef":{"name":"e"}}}],"envFrom":[{"secretRef":{"name":"f"}},
        {"configMapRef":{"name":"g"}}]},{}]
        """#)
    #expect(
      StalePods.sources(of: pod).map(\.name).sorted() == ["a", "b", "c", "d", "e", "f", "g"])
  }

  @Test("What is restarted is the Deployment, DaemonSet or StatefulSet; else the pod is deleted")
  func owner() throws {
    func owner(_ kind: String, _ name: String, hash: String = "") throws -> String {
      let labels = #","labels":{"pod-template-hash":"\#(hash)"}"#
      let owner = #"{"controller":true,"kind":"\#(kind)","name":"\#(name)"}"#
      return StalePods.owner(of: try pod(metadata: labels + #","ownerReferences":[\#(owner)]"#))
    }
    #expect(try owner("ReplicaSet", "coredns-5d7", hash: "5d7") == "deployment/coredns")
    #expect(try owner("ReplicaSet", "own", hash: "5d7") == "replicaset/own")
    #expect(try owner("DaemonSet", "cilium") == "daemonset/cilium")
    #expect(try owner("StatefulSet", "db") == "statefulset/db")
    #expect(try owner("Job", "once") == "pod/p")
    #expect(try owner("Node", "cp-1") == "pod/p")
    #expect(StalePods.owner(of: try pod()) == "pod/p")
  }

  @Test("Pods of one owner are counted together, those of the system come first")
  func together() throws {
    let owner = #","ownerReferences":[{"controller":true,"kind":"DaemonSet","name":"cni"}]"#
    let pods = try (1...3).map { try pod("p-\($0)", metadata: owner) } + [try pod("alone")]
    #expect(owners(pods) == ["3 daemonset/cni", "1 pod/alone"])
    let count = StaleTrustCount([
      StaleHolder(.rootCertificate, namespace: "app", owner: "deployment/a", count: 5),
      StaleHolder(.rootCertificate, namespace: "kube-system", owner: "daemonset/z"),
    ])
    #expect(count.total == 6 && count.holders.map(\.owner) == ["daemonset/z", "deployment/a"])
    let many = (0..<100).map {
      StaleHolder(.rootCertificate, namespace: "n", owner: "pod/\($0)", count: 2)
    }
    let limited = StaleTrustCount(many)
    #expect(limited.total == 200 && limited.holders.count == StaleTrustCount.limit)
    #expect(StaleTrustCount(limited.holders, beyond: limited).total == 200)
  }

  @Test("The time of a change is that of the last writing of the data, and none after the rotation")
  func times() throws {
    func map(_ entries: String) throws -> JSONValue {
      try JSONValue(parsing: Array(#"{"metadata":{"managedFields":[\#(entries)]}}"#.utf8))
    }
    func entry(_ time: String, _ field: String = "f:data") -> String {
      #"{"time":"\#(time)","fieldsV1":{"\#(field)":{}}}"#
    }
    let late = Self.changed.advanced(by: .seconds(3600))
    let (first, second) = ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")
    #expect(
      StalePods.changed(try map(entry(first) + "," + entry(second)), latest: late) == Self.changed)
    #expect(
      StalePods.changed(
        try map(entry(first, "f:metadata") + "," + entry(second)), latest: late) == Self.changed)
    #expect(
      StalePods.changed(try map(entry("2026-03-02T00:00:00Z")), latest: Self.changed)
        == Self.changed)
    #expect(StalePods.changed(try map(entry(second, "f:metadata")), latest: late) == nil)
    #expect(StalePods.changed(try JSONValue(parsing: Array("{}".utf8)), latest: late) == nil)
  }

  @Test(
    "A Secret of Talos API access is up to date when its talosconfig trusts the present CA alone")
  func talosSecrets() async throws {
    let harness = try await DriverHarness.start("127.1.100.0", controlPlanes: 1, workers: 0)
    await harness.cluster.stop()
    let text = harness.cluster.talosconfig
    let context = try Talosconfig.context(nil, in: text)
    let secret = try JSONValue(
      parsing: Array(#"{"data":{"config":"\#(Base64.encode(text))"}}"#.utf8))
    #expect(TalosAccessSecret.isOf(context.roots[0], secret))
    #expect(!TalosAccessSecret.isOf(context.identity.certificate, secret))
    for broken in [#"{}"#, #"{"data":{"config":"AAAA"}}"#, #"{"data":{"config":"%"}}"#] {
      #expect(
        !TalosAccessSecret.isOf(context.roots[0], try JSONValue(parsing: Array(broken.utf8))))
    }
  }
}
