import ProtoCodec
import Schema
import Testing

@testable import OmnictlCommands

@Suite("Credentials of the CA that goes")
struct RetiringCredentialsTests {
  private func held(_ holder: String, _ roles: [String], ends: Int64) -> HeldCredential {
    var held = HeldCredential()
    held.holder = holder
    held.roles = roles
    held.expiresAt = Samples.later(ends)
    return held
  }

  @Test("The view says how many there are and who needs fresh ones")
  func line() {
    var status = Samples.rotation(.rotate, done: 5)
    #expect(RetiringCredentialsText.line(status) == nil)
    status.retiringCredentials = [held("alice", ["os:admin"], ends: 600)]
    #expect(
      RetiringCredentialsText.line(status)
        == "omnid has issued 1 talosconfig from the CA that goes: fresh ones for alice")
    status.retiringCredentials = ["alice", "alice", "bob", "carol", "dave", "erin"].map {
      held($0, ["os:reader"], ends: 600)
    }
    status.retiringCredentialsUnlisted = 4
    #expect(
      RetiringCredentialsText.line(status)
        == "omnid has issued 10 talosconfigs from the CA that goes: fresh ones for alice, bob, carol and 2 more"
    )
  }

  @Test(
    "Below a status each holder has a line, one that has ended has none, and nothing of theirs moves the cursor"
  )
  func lines() {
    var status = Samples.succeeded()
    status.updatedAt = Samples.later(60)
    #expect(RetiringCredentialsText.text(status, columns: nil).isEmpty)
    status.retiringCredentials = [
      held("alice", ["os:admin"], ends: 120), held("al\u{1B}[2Jex", ["os:reader"], ends: 180),
      held("alice", ["os:admin"], ends: 3660), held("gone", ["os:admin"], ends: 60),
    ]
    let text = RetiringCredentialsText.text(status, columns: nil)
    #expect(text.hasPrefix("credentials of the retired CA, refused now:\n"))
    #expect(text.contains("2 × alice (os:admin), the last ends 2026-03-01T11:01:00Z\n"))
    #expect(text.contains("(os:reader), ends 2026-03-01T10:03:00Z\n"))
    #expect(!text.contains("gone") && !text.contains("\u{1B}"))
    status.retiringCredentials = (0..<20).map { held("holder-\($0)", [], ends: 120) }
    status.retiringCredentialsUnlisted = 3
    let many = RetiringCredentialsText.text(status, columns: 80)
    #expect(many.contains("and 8 more holders (-o json has them)"))
    #expect(many.contains("and 3 more that end earlier (omnictl audit has them)"))
  }

  @Test("An update of changes alone leaves them as they were")
  func changes() {
    var status = Samples.rotation(.rotate, done: 3)
    status.retiringCredentials = [held("alice", ["os:admin"], ends: 600)]
    status.retiringCredentialsUnlisted = 2
    let next = status.changed(by: Samples.rotation(.rotate, done: 4))
    #expect(next.retiringCredentials == status.retiringCredentials)
    #expect(next.retiringCredentialsUnlisted == 2)
  }
}
