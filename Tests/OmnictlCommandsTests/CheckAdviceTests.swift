import Foundation
import Rotation
import Schema
import Testing

@testable import OmnictlCommands

@Suite("What a person can do about a check that stays open")
struct CheckAdviceTests {
  @Test("Every check has an action, and nothing else has one")
  func complete() {
    #expect(
      CheckAdvice.actions.keys.sorted() == CheckName.allCases.map(\.rawValue).sorted())
    for (check, action) in CheckAdvice.actions {
      #expect(action.count <= 100 && action.count > 15 && !action.hasSuffix("."), "\(check)")
    }
  }

  @Test("The troubleshooting table says the same")
  func documented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appendingPathComponent("docs/troubleshooting.md"), encoding: .utf8)
    for (check, action) in CheckAdvice.actions {
      let row = text.split(separator: "\n").first { $0.hasPrefix("| `\(check)` | ") }
      let cells = try #require(row).split(separator: " | ", maxSplits: 2)
      #expect(cells[2].replacing("`", with: "").hasPrefix(action), "\(check)")
    }
  }

  @Test(
    "It is shown once a check has been open for a minute, with the machine's name where there is one"
  )
  func shown() {
    let status = WaitingTextTests.several()
    func advice(_ after: Int64) -> [String] {
      WaitingTextTests.body(status, columns: 100, after: after).filter {
        $0.contains("what to do")
      }
    }
    #expect(advice(12) == [])
    #expect(
      advice(40) == [
        "    what to do: see why: kubectl describe node MACHINE",
        "    what to do: see why: kubectl describe node worker-3",
      ])
    let gate = WaitingTextTests.body(WaitingTextTests.gate(), columns: 120, after: 60)
    #expect(gate.contains { $0.contains("what to do: wait until it takes the change up") })
  }

  @Test("Reasons at a gate that name the machine are shown together")
  func grouped() {
    var status = WaitingTextTests.gate()
    for index in status.clusterChecks.indices {
      let name = ["cp-1", "cp-2", "worker-2"][index]
      status.clusterChecks[index].detail =
        "\(name): \(name) does not answer through any of 3 control planes: connection refused"
    }
    let groups = ClusterObstacle.all(status)
    #expect(groups.count == 1 && groups.first?.names == ["cp-1", "cp-2", "worker-2"])
    #expect(
      groups.first?.reason
        == "NAME does not answer through any of 3 control planes: connection refused")
    status.clusterChecks.removeLast(2)
    #expect(ClusterObstacle.all(status).first?.reason.hasPrefix("cp-1 does not answer") == true)
  }
}
