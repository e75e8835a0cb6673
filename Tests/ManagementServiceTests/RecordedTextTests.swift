import Orchestrator
import ProtoCodec
import Schema
import Testing

@testable import ManagementService

@Suite("Texts that an earlier omnid has put on record")
struct RecordedTextTests {
  @Test("A version that a machine has made up is shown bounded and in printable characters")
  func shown() {
    var record = ClusterRecord(
      name: "prod", endpoints: [], kubernetesEndpoint: "https://10.0.0.1:6443", authorities: [:],
      machines: [], talosVersion: "v1.7.0-rc.1")
    #expect(Cluster(record).talosVersion == "v1.7.0-rc.1")
    #expect(Cluster(record).kubernetesEndpoint == "https://10.0.0.1:6443")
    record.talosVersion = "v1.7.0\u{1B}[2J\n" + String(repeating: "x", count: 6 << 20)
    record.kubernetesEndpoint = "https://" + String(repeating: "y", count: 6 << 20)
    let cluster = Cluster(record)
    #expect(cluster.talosVersion.hasPrefix("v1.7.0?[2J?xxx") && cluster.talosVersion.hasSuffix("…"))
    #expect(cluster.serialized().count < 4_000)
    // Of letters that take several bytes each, no more bytes are kept either.
    #expect(RecordedText.shown("vä", limit: 128) == "v??")
  }
}
