import RPC
import Reactor
import Testing

@testable import RPCTransport

/// The life of a connection below its streams.
@Suite struct ConnectionLifeTests {
  private let end = ConnectionEnd.cut("gone")

  @Test(
    "A connection without TLS is open from the start, one with TLS when its handshake is through")
  func beginning() {
    #expect(ConnectionLife(isHandshaking: false).state == .open)
    var life = ConnectionLife(isHandshaking: true)
    #expect(life.isHandshaking && life.takesOutput && !life.isClosed)
    life.handshakeCompleted()
    #expect(life.state == .open)
    _ = life.close(end)
    life.handshakeCompleted()
    #expect(life.state == .released)
  }

  @Test("Where nothing can be written, the peer's last words are waited for")
  func deaf() {
    var life = ConnectionLife(isHandshaking: false)
    let broken = ConnectionEnd.cut("write: Broken pipe")
    #expect(life.writeFailed(broken) == .waitForLastWords)
    #expect(life.state == .deaf(broken) && !life.takesOutput && !life.isClosed)
    #expect(life.writeFailed(end) == .none)
    // Silence: the connection ends by what went wrong first.
    var silent = life
    #expect(silent.inputEnded(end) == .close(broken, lingers: false))
    #expect(silent.state == .released)
    // An alert says more.
    let alert = ConnectionEnd.tls(.certificateRefused(alert: 48), "no")
    #expect(life.close(alert, lingers: true) == .close(alert, lingers: true))
  }

  @Test("A last word is waited on until the peer closes, or goes on for too long")
  func lingering() {
    var life = ConnectionLife(isHandshaking: false)
    #expect(life.close(end, lingers: true) == .close(end, lingers: true))
    #expect(life.isClosed && life.state == .lingering(dropped: 0))
    #expect(life.dropped(100) == .none && life.state == .lingering(dropped: 100))
    var chatty = life
    #expect(chatty.dropped(ConnectionLife.lingerBytes) == .release && chatty.state == .released)
    #expect(life.inputEnded(end) == .release && life.state == .released)
  }

  @Test("A connection is closed once and let go of once, whatever comes after")
  func once() {
    var life = ConnectionLife(isHandshaking: false)
    #expect(life.close(end) == .close(end, lingers: false))
    #expect(life.state == .released)
    #expect(life.close(end, lingers: true) == .none)
    #expect(life.writeFailed(end) == .none && life.inputEnded(end) == .none)
    #expect(life.dropped(1) == .none && life.release() == .none)
    #expect(life.state == .released)
    var lingering = ConnectionLife(isHandshaking: false)
    _ = lingering.close(end, lingers: true)
    #expect(lingering.release() == .release && lingering.release() == .none)
  }

  @Test("An open connection is not let go of before it is closed")
  func release() {
    var life = ConnectionLife(isHandshaking: false)
    #expect(life.release() == .none && life.state == .open)
    #expect(life.inputEnded(end) == .close(end, lingers: false))
  }
}

/// The life of a server's connection above HTTP/2.
@Suite struct ServerLifeTests {
  private func serving() -> ServerLife {
    var life = ServerLife()
    _ = life.settingsReceived()
    return life
  }

  @Test("A connection serves from the peer's first SETTINGS on")
  func greeting() {
    var life = ServerLife()
    #expect(life.isGreeting && life.streamsEnded() == .none)
    #expect(life.settingsReceived() == .begin && life.state == .serving)
    #expect(life.settingsReceived() == .none)
    #expect(life.streamsEnded() == .watchIdle)
  }

  @Test("Draining says GOAWAY twice, the second time when the peer knows or is silent")
  func draining() {
    var life = serving()
    #expect(life.announced() == .none, "a PING that is answered is no end")
    #expect(life.drain(patience: .seconds(1)) == .announce(patience: .seconds(1)))
    #expect(life.state == .draining && life.drain(patience: .seconds(9)) == .none)
    #expect(life.streamsEnded() == .finish)
    #expect(life.announced() == .sendLastGoAway && life.state == .leaving)
    #expect(life.announced() == .none && life.streamsEnded() == .finish)
    #expect(life.closed() == false && life.state == .over)
    #expect(life.drain(patience: .zero) == .none && life.streamsEnded() == .none)
  }

  @Test("A peer that has not begun is sent away at once, and that is not reported as its failure")
  func drainedEarly() {
    var life = ServerLife()
    #expect(
      life.drain(patience: .seconds(1)) == .close(.closed("the server takes no new calls")))
    #expect(life.closed() == false)
  }

  @Test("A peer that never came as far as HTTP/2 has failed, unless the server ended it")
  func failed() {
    var silent = ServerLife()
    #expect(silent.closed() == true && silent.state == .over)
    var ended = ServerLife()
    ended.ended()
    #expect(ended.closed() == false)
    var served = serving()
    #expect(served.closed() == false)
  }

  @Test("A connection whose client's certificate has expired serves nothing more, and is drained")
  func expired() {
    var life = serving()
    #expect(life.expired(grace: .seconds(5)) == .announce(patience: .seconds(5)))
    #expect(life.hasExpired && life.state == .draining)
  }
}

@Suite struct KeepaliveTests {
  private func keepalive(whenIdle: Bool = true) -> Keepalive {
    Keepalive(interval: .seconds(10), timeout: .seconds(3), whenIdle: whenIdle)
  }

  @Test("A peer that was heard is not asked")
  func heard() {
    var keepalive = keepalive()
    #expect(keepalive.due(hasReceived: true, isIdle: false) == .wait(.seconds(10)))
    #expect(keepalive.state == .listening)
  }

  @Test("A silent peer is asked, and lost when it does not answer")
  func silent() {
    var keepalive = keepalive()
    #expect(keepalive.due(hasReceived: false, isIdle: false) == .ping(timeout: .seconds(3)))
    #expect(keepalive.state == .asked)
    var answered = keepalive
    #expect(answered.due(hasReceived: true, isIdle: false) == .wait(.seconds(10)))
    #expect(answered.state == .listening)
    #expect(keepalive.due(hasReceived: false, isIdle: false) == .lost(after: .seconds(13)))
  }

  @Test("Without streams the peer is asked only where that is wanted")
  func idle() {
    var client = keepalive(whenIdle: false)
    #expect(client.due(hasReceived: false, isIdle: true) == .wait(.seconds(10)))
    #expect(client.due(hasReceived: false, isIdle: false) == .ping(timeout: .seconds(3)))
    var server = keepalive()
    #expect(server.due(hasReceived: false, isIdle: true) == .ping(timeout: .seconds(3)))
  }
}

@Suite struct OutputQueueTests {
  /// A socket that takes so many bytes a write, and then what it says.
  private final class Sink {
    var room: [Socket.Transfer]
    var taken: [UInt8] = []

    init(_ room: Socket.Transfer...) { self.room = room }

    func write(_ bytes: UnsafeRawBufferPointer) -> Socket.Transfer {
      let answer = room.isEmpty ? .bytes(bytes.count) : room.removeFirst()
      guard case .bytes(let count) = answer else { return answer }
      let taken = min(count, bytes.count)
      self.taken += bytes[..<taken]
      return .bytes(taken)
    }
  }

  @Test("What the socket does not take waits, and leaves in order")
  func order() {
    var queue = OutputQueue()
    let sink = Sink(.bytes(2), .bytes(1), .wouldBlock)
    #expect(queue.send([1, 2, 3, 4, 5]) { sink.write($0) } == .waits)
    #expect(!queue.isEmpty)
    #expect(queue.flush { sink.write($0) } == .waits)
    queue.append { $0 += [6, 7] }
    #expect(queue.flush { sink.write($0) } == .written)
    #expect(queue.isEmpty && sink.taken == [1, 2, 3, 4, 5, 6, 7])
  }

  @Test("A full socket keeps everything waiting, an open one nothing")
  func extremes() {
    var queue = OutputQueue()
    #expect(queue.send([1, 2]) { _ in .wouldBlock } == .waits)
    let sink = Sink()
    #expect(queue.flush { sink.write($0) } == .written && sink.taken == [1, 2])
    #expect(queue.send([3]) { sink.write($0) } == .written && queue.isEmpty)
    #expect(queue.flush { _ in .wouldBlock } == .written, "nothing is asked of the socket")
  }

  @Test("A socket that is gone says how")
  func failures() {
    let ends: [(Socket.Transfer, ConnectionEnd)] = [
      (.ended, .closedByPeer), (.failed(32), .cut("write: Broken pipe")),
      (.failed(104), .cut("write: Connection reset by peer")),
      (.failed(110), .timedOut("write: Connection timed out")),
    ]
    for (answer, end) in ends {
      var queue = OutputQueue()
      #expect(queue.send([1]) { _ in answer } == .failed(end))
      queue.append { $0 += [1] }
      #expect(queue.flush { _ in answer } == .failed(end))
      queue.drop()
      #expect(queue.isEmpty)
    }
  }
}
