import ProtoCodec
import Schema
import Testing

@testable import OmnictlCommands

@Suite struct RotationAgesTests {
  @Test("The server's monotonic time counts, and this process' from then on")
  func monotonic() {
    var status = Samples.rotation()
    status.elapsed = ProtoDuration(seconds: 10)
    // The wall clock has jumped by five minutes since the rotation began.
    status.updatedAt = Samples.later(310)
    var ages = RotationAges()
    ages.take(status, at: .seconds(1000))
    #expect(ages.reading(at: .seconds(1000)).total == 10)
    #expect(ages.reading(at: .seconds(1007)).total == 17)
    #expect(ages.reading(at: .seconds(999)).total == 10)
  }

  @Test("Nothing is waited for longer than the rotation has lasted, whatever the wall clock says")
  func jump() {
    var status = Samples.waiting()
    status.elapsed = ProtoDuration(seconds: 10)
    status.machines[3].waitingSince = Samples.later(5)
    status.updatedAt = Samples.later(310)
    var ages = RotationAges()
    ages.take(status, at: .zero)
    #expect(ages.reading(at: .seconds(2)).since(Samples.later(5)) == 12)
  }

  @Test("A clock that jumps while something is waited for changes nothing of what was known")
  func jumpLater() {
    var status = Samples.waiting()
    var ages = RotationAges()
    ages.take(status, at: .zero)
    status.updatedAt = Samples.later(3660)
    status.machines[3].attempts += 1
    ages.take(status, at: .seconds(5))
    #expect(ages.reading(at: .seconds(6)).since(Samples.later(30)) == 36)
  }

  @Test("A since in the future is now, and a next try in the past is due")
  func future() {
    var status = Samples.waiting()
    status.machines[3].waitingSince = Samples.later(500)
    status.machines[3].nextAttemptAt = Samples.later(1)
    var ages = RotationAges()
    ages.take(status, at: .zero)
    #expect(ages.reading(at: .zero).since(Samples.later(500)) == 0)
    #expect(ages.reading(at: .seconds(3)).since(Samples.later(500)) == 3)
    #expect(ages.reading(at: .zero).until(Samples.later(1)) == 0)
  }

  @Test("A rotation that is over has lasted what it has lasted")
  func over() {
    var status = Samples.succeeded()
    status.elapsed = ProtoDuration(seconds: 61)
    var ages = RotationAges()
    ages.take(status, at: .zero)
    #expect(ages.reading(at: .seconds(500)).total == 61)
    #expect(status.lasted == 61)
    status.elapsed = nil
    #expect(status.lasted == 72)
    status.finishedAt = Samples.later(-50)
    #expect(status.lasted == 0)
  }
}
