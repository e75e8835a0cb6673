import Foundation
import RPC
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("The control interface plays other actors")
  struct ControlTests {
    private func send(
      _ method: String, _ path: String, _ body: String = "", to cluster: SimulatedCluster
    ) async -> (status: Int, text: String) {
      let answer = await ControlEndpoint(cluster: cluster).respond(
        to: HTTPRequest(method: method, path: path, body: Array(body.utf8)),
        peer: Peer(address: "test"))
      return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    @Test("Each request has its effect, and a wrong one none")
    func requests() async throws {
      try await TestCluster.run(
        controlPlanes: 2, workers: 1, change: { $0.sharedAddress = "127.0.20.251" }
      ) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        let (worker, cluster) = (test.workers[0], test.cluster)
        func send(_ method: String, _ path: String, _ body: String = "") async -> Int {
          await self.send(method, path, body, to: cluster).status
        }
        let made = await self.send(
          "POST", "/nodes/\(first.name)/foreign-ca?component=kubernetes&organization=x",
          to: cluster)
        let json = try JSONSerialization.jsonObject(with: Data(made.text.utf8)) as? [String: String]
        let fingerprint = try #require(json?["fingerprint"])
        #expect(await first.state.kubeletTrust.accepted.count == 2)
        #expect(
          await send(
            "DELETE",
            "/nodes/\(first.name)/foreign-ca?component=kubernetes&fingerprint=\(fingerprint)")
            == 200)
        #expect(await first.state.kubeletTrust.accepted.count == 1)

        #expect(await send("POST", "/nodes/\(first.name)/hand-on") == 200)
        #expect(await first.handedOn.count == 1)
        #expect(await send("DELETE", "/nodes/\(first.name)/hand-on") == 200)

        #expect(await send("POST", "/nodes/\(second.name)/write?mode=staged") == 200)
        #expect(await second.state.persisted != (await second.state.active))
        #expect(await send("POST", "/nodes/\(second.name)/write", "machine: [") == 400)
        #expect(await send("PUT", "/nodes/\(second.name)/standing", #"{"times": 2}"#) == 200)
        #expect(await second.standing?.times == 2)

        let lie =
          #"{"hide": ["\#(second.name)"], "change": {"\#(worker.name)": "#
          + #"{"role": "controlplane"}}, "add": [{"name": "x", "addresses": ["127.0.0.9"]}]}"#
        #expect(await send("PUT", "/nodes/\(first.name)/members", lie) == 200)
        #expect(await first.shownMembers.map(\.name) == [first.name, worker.name, "x"])
        #expect(await first.shownMembers[1].type == .controlPlane)
        #expect(await second.shownMembers.count == 3)
        #expect(await send("PUT", "/members", "{}") == 200)
        #expect(await first.shownMembers.count == 3)

        #expect(await send("POST", "/shared-address?to=\(second.name)") == 200)
        #expect(cluster.sharedAddressHolder === second)
        #expect(await send("POST", "/shared-address?to=\(worker.name)") == 400)

        #expect(
          await send(
            "PUT", "/kubernetes/nodes", #"[{"name": "stray", "address": "192.0.2.7"}]"#) == 200)
        #expect(await cluster.readyNodes().contains("stray"))
        #expect(await send("POST", "/nodes/\(worker.name)/claim?key=wrong") == 200)
        #expect(await worker.claim != nil)
        #expect(await send("DELETE", "/nodes/\(worker.name)/claim") == 200)
        #expect(
          await send("PUT", "/nodes/\(first.name)/faults", #"{"timeServerDown": true}"#) == 200)
        #expect(await first.faults.timeServerDown)
        for (name, fault) in [
          ("refused", Faults.WatchFault.refused), ("silent", .silent), ("endless", .endless),
        ] {
          #expect(
            await send("PUT", "/nodes/\(first.name)/faults", #"{"watches": "\#(name)"}"#) == 200)
          #expect(await first.faults.watches == fault)
        }
        #expect(
          await send("PUT", "/nodes/\(first.name)/faults", #"{"watches": "late"}"#) == 400)
        #expect(await first.faults.watches == .endless)
        #expect(await send("POST", "/nodes/\(worker.name)/reset") == 200)
        #expect(await worker.isInMaintenance)
        #expect(await send("POST", "/nodes/nobody/reset") == 404)
        #expect(await send("GET", "/elsewhere") == 404)
      }
    }
  }
}
