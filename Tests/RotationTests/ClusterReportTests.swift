import Testing

@testable import Rotation

@Suite("What a look at the whole cluster has shown")
struct ClusterReportTests {
  @Test(
    "Of many open checks the first are shown, what is wrong before what is to come, and how many more"
  )
  func many() {
    var machines: [String: [CheckResult]] = [:]
    let order = (1...20).map { "w\($0)" }
    for id in order {
      machines[id] = [CheckResult(.reachable, id == "w20" ? .failed : .waiting, "\(id) is silent")]
    }
    let report = ClusterReport(
      machines: machines, cluster: [CheckResult(.kubeRootCA, .waiting, "later")])
    let results = report.results(order: order)
    #expect(results.count == ClusterReport.shownChecks + 2)
    #expect(results[0].detail == "w20: w20 is silent" && results[1].detail == "w1: w1 is silent")
    let rest = results[ClusterReport.shownChecks]
    #expect(rest.isNamed(.machines) && rest.detail.hasPrefix("and 4 more"))
    #expect(results.last?.isNamed(.kubeRootCA) == true)
    machines = machines.filter { Int($0.key.dropFirst()) ?? 0 <= ClusterReport.shownChecks }
    let few = ClusterReport(machines: machines, cluster: []).results(order: order)
    #expect(few.count == ClusterReport.shownChecks && !few.contains { $0.isNamed(.machines) })
  }
}
