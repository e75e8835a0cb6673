import Access
import JournalCoding
import Orchestrator

extension Connection {
  /// Makes one change of who may call.
  func make(
    _ change: AccessChange, _ head: inout JournalHead, _ seal: JournalSeal
  ) throws(StoreError) {
    switch change {
    case .putAuthority(let authority):
      try put(
        JournalRow(
          name: RowName(access: AccessContents.authorityID), revision: head.newest,
          record: authority.journalBytes()), &head, seal)
    case .putGrant(let grant):
      try put(
        JournalRow(
          name: RowName(access: grant.id), revision: head.newest, record: grant.journalBytes()),
        &head, seal)
    case .removeGrant(let id):
      let name = RowName(access: id)
      try remove(.access, "cluster = ?1 AND id = ?2", head: &head, seal) {
        statement throws(StoreError) in
        try statement.bind(1, name.cluster)
        try statement.bind(2, name.id)
      }
    }
  }
}
