import Orchestrator
import ProtoCodec
import Rotation
import Schema

extension Journal.HeldCredential {
  init(_ credential: Orchestrator.HeldCredential) {
    self.init()
    component = Journal.Component(credential.component)
    authority = credential.authority
    holder = credential.holder
    roles = credential.roles
    serial = credential.serial
    issuedAt = Timestamp(credential.issuedAt)
    expiresAt = Timestamp(credential.expiresAt)
  }

  func credential() throws(StoreError) -> Orchestrator.HeldCredential {
    Orchestrator.HeldCredential(
      component: try component.component(), authority: authority, holder: holder, roles: roles,
      serial: serial, issuedAt: try issuedAt.required("issued_at").instant,
      expiresAt: try expiresAt.required("expires_at").instant)
  }
}

extension Journal.UnlistedCredentials {
  init(_ unlisted: HeldCredentials.Unlisted) {
    self.init()
    authority = unlisted.authority
    count = UInt64(clamping: unlisted.count)
    endBy = Timestamp(unlisted.endBy)
  }

  func unlisted() throws(StoreError) -> HeldCredentials.Unlisted {
    HeldCredentials.Unlisted(
      authority: authority, count: Int(clamping: count),
      endBy: try endBy.required("end_by").instant)
  }
}
