import Rotation
import Testing

@Suite("What a person says of machines that are gone")
struct LeftOutMachinesTests {
  private func machine(_ id: String, _ identity: String) -> Machine {
    Machine(id: id, address: "10.0.0.1", role: .worker, identity: identity)
  }

  @Test("A name that is bound means the machine that bore it then, and no other of that name")
  func bound() {
    let said = LeftOutMachines(["w1", "B", "w9"])
    let (first, second) = (machine("w1", "A"), machine("w2", "B"))
    #expect(said.contains(first) && said.contains(second) && !said.contains(machine("w3", "C")))
    let bound = said.bound(to: [first, second])
    #expect(bound.identities == ["w1": "A", "B": "B", "w9": ""])
    #expect(bound.contains(machine("renamed", "A")) && !bound.contains(machine("w1", "D")))
    #expect(bound.contains(machine("w9", "E")), "nobody was known by that name")
    #expect(bound.beyond([first, second]) == ["w9"])
    // A record of release 0.1.0 knows a machine by its name alone.
    #expect(LeftOutMachines(["w1"]).bound(to: [machine("w1", "")]).contains(machine("w1", "")))
  }

  @Test("The same name a second time means the machine that bears it now, beside the first")
  func again() {
    var said = LeftOutMachines(["w1"]).bound(to: [machine("w1", "A")])
    said.add(LeftOutMachines(["w1"]))
    #expect(said.identities == ["w1": "A"])
    said.add(LeftOutMachines(["w1"]).bound(to: [machine("w1", "B")]))
    #expect(said.contains(machine("w1", "A")) && said.contains(machine("w1", "B")))
    var open = LeftOutMachines(["w2"])
    open.add(LeftOutMachines(["w2"]).bound(to: [machine("w2", "C")]))
    #expect(open.identities == ["w2": "C"])
  }

  @Test("What was said of a machine that is there is taken back, and of no other")
  func withdrawn() {
    var said = LeftOutMachines(["w1", "w2"]).bound(to: [machine("w1", "A"), machine("w2", "B")])
    #expect(said.withdraw([machine("w1", "D"), machine("w2", "B")]) == ["w2"])
    #expect(said.names == ["w1"])
    #expect(said.withdraw([machine("w1", "D")]) == [])
  }
}
