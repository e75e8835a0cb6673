import RPC
import Testing

@testable import RPCTransport

/// The life of a channel, without sockets: numbers wait in the place of calls.
@Suite struct ChannelMachineTests {
  private final class Connection {}
  private typealias Machine = ChannelMachine<Connection, Int>

  private let closed = RPCError(.unavailable, "closed")
  private let down = RPCError(.unavailable, "down")
  private let now = ContinuousClock.now

  private func ask(
    _ machine: inout Machine, _ id: Int, waitsForReady: Bool = false, after: Duration = .zero
  ) -> String {
    let effect = machine.asked(
      UInt64(id), id, waitsForReady: waitsForReady, now: now + after, closedError: closed)
    switch effect {
    case .use: return "use"
    case .fail(let error): return error.message
    case .wait(let connects): return connects ? "connect" : "wait"
    }
  }

  @Test("The first call connects, others wait with it, and all go on together")
  func connects() {
    var machine = Machine()
    #expect(ask(&machine, 1) == "connect")
    #expect(ask(&machine, 2) == "wait")
    #expect(machine.connected(Connection(), isProbed: false)?.sorted() == [1, 2])
    #expect(ask(&machine, 3) == "use")
  }

  @Test("A failure fails those who wait, and calls until the pause is over; failures are counted")
  func backsOff() {
    var machine = Machine()
    #expect(ask(&machine, 1) == "connect")
    #expect(machine.failed(down, until: now + .seconds(1)) == [1])
    #expect(ask(&machine, 2) == "down")
    #expect(ask(&machine, 3, waitsForReady: true) == "down")
    #expect(ask(&machine, 4, after: .seconds(1)) == "connect")
    #expect(machine.failures == 2)
    #expect(machine.failed(down, until: now + .seconds(3)) == [4])
    #expect(ask(&machine, 5, after: .seconds(3)) == "connect")
    #expect(machine.failures == 3)
  }

  @Test("A channel of one connection makes no second one, whether that was lost or never made")
  func single() {
    var machine = Machine()
    machine.reconnects = false
    #expect(ask(&machine, 1) == "connect")
    let connection = Connection()
    #expect(machine.connected(connection, isProbed: false) == [1])
    #expect(ask(&machine, 2) == "use")
    #expect(machine.lost(connection, hasServed: true, down, until: now) == [])
    #expect(ask(&machine, 3, after: .seconds(2)) == "down")
    #expect(ask(&machine, 4, waitsForReady: true, after: .seconds(2)) == "down")
    var refused = Machine()
    refused.reconnects = false
    #expect(ask(&refused, 1) == "connect")
    #expect(refused.failed(down, until: now) == [1])
    #expect(ask(&refused, 2, after: .seconds(2)) == "down")
  }

  @Test("A connection that ends before it has answered anything is a failure like others")
  func neverServed() {
    var machine = Machine()
    #expect(ask(&machine, 1) == "connect")
    #expect(machine.failed(down, until: now) == [1])
    for failures in 2..<5 {
      #expect(ask(&machine, failures, after: .seconds(2)) == "connect")
      let connection = Connection()
      #expect(machine.connected(connection, isProbed: false) == [failures])
      #expect(machine.failures == failures)
      #expect(
        machine.lost(connection, hasServed: false, down, until: now + .seconds(1)) == [])
      #expect(ask(&machine, 10) == "down")
    }
    // One that has served ends the count.
    let connection = Connection()
    #expect(ask(&machine, 11, after: .seconds(2)) == "connect")
    #expect(machine.connected(connection, isProbed: false) == [11])
    #expect(machine.lost(connection, hasServed: true, down, until: now + .seconds(1)) == [])
    #expect(ask(&machine, 12) == "connect")
    #expect(machine.failures == 1)
  }

  @Test("One connection that ends before it has answered anything is followed by another at once")
  func replaced() {
    var machine = Machine()
    for expected in [1, 2] {
      #expect(ask(&machine, expected) == "connect")
      let connection = Connection()
      #expect(machine.connected(connection, isProbed: false) == [expected])
      #expect(machine.failures == expected)
      #expect(machine.lost(connection, hasServed: false, down, until: now + .seconds(1)) == [])
    }
    #expect(ask(&machine, 3) == "down")
  }

  @Test("A connection that is probed is used from when it is ready until it is not")
  func probed() {
    var machine = Machine()
    let connection = Connection()
    #expect(ask(&machine, 1) == "connect")
    #expect(machine.connected(connection, isProbed: true) == [])
    #expect(ask(&machine, 2, waitsForReady: true) == "wait")
    #expect(machine.reported(connection, down) == [1])
    #expect(ask(&machine, 3) == "down")
    #expect(machine.reported(connection, nil) == [2])
    #expect(ask(&machine, 4) == "use")
    #expect(machine.reported(connection, down) == [])
    #expect(ask(&machine, 5, waitsForReady: true) == "wait")
    #expect(machine.reported(Connection(), nil) == [])
    #expect(machine.lost(connection, hasServed: true, down, until: now) == [5])
    #expect(ask(&machine, 6) == "connect")
  }

  @Test("A probe that ends without a word leaves the connection ready, one with a word as it said")
  func silentProbe() {
    for report in [nil, down] {
      var machine = Machine()
      let connection = Connection()
      #expect(ask(&machine, 1, waitsForReady: true) == "connect")
      #expect(machine.connected(connection, isProbed: true) == [])
      if let report { #expect(machine.reported(connection, report) == []) }
      #expect(machine.probeEnded(connection) == (report == nil ? [1] : []))
    }
  }

  @Test("Who has left is not told; a closed channel tells all who wait, and takes no one any more")
  func ends() {
    var machine = Machine()
    #expect(ask(&machine, 1) == "connect")
    #expect(ask(&machine, 2) == "wait")
    #expect(machine.left(1) == 1)
    #expect(machine.left(1) == nil)
    let (connection, waiters) = machine.closed()
    #expect(connection == nil && waiters == [2])
    #expect(machine.connected(Connection(), isProbed: false) == nil)
    #expect(ask(&machine, 3) == "closed")
  }
}
