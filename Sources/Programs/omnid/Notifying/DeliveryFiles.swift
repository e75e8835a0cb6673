import Daemon
import Notifications
import Rotation

/// What each target has been told of, a file for each in the state directory: `notifications/NAME`, mode 0600. Identifiers
/// and times stand in it, and no secret. Every call blocks.
struct DeliveryFiles: Sendable {
  private let directory: String

  init(stateDirectory: String) { directory = stateDirectory + "/notifications" }

  /// What a target has been told of.
  enum Found: Equatable {
    case kept(DeliveryRecord)
    /// The target has not been told of anything yet: from now on it is.
    case new(DeliveryRecord)
    /// Nobody knows what the target was told of. What happened within a day is told again, because a double can be dropped
    /// by its identifier, and what is missing cannot be made up for.
    case damaged(DeliveryRecord, String)
  }

  func find(_ target: String, now: Instant) -> Found {
    let path = "\(directory)/\(target)"
    guard PrivateFiles.exists(path) else { return .new(DeliveryRecord(since: now)) }
    let since = now.advanced(by: .zero - DeliveryRecord.newsTime)
    do throws(DaemonError) {
      let bytes = try PrivateFiles.read(path, limit: DeliveryRecord.sizeLimit)
      guard let record = DeliveryRecord(file: bytes, readAt: now) else {
        return .damaged(DeliveryRecord(since: since), "\(path) is not what omnid has written")
      }
      return .kept(record)
    } catch {
      return .damaged(DeliveryRecord(since: since), error.message)
    }
  }

  func keep(_ record: DeliveryRecord, of target: String) throws(NotificationError) {
    do throws(DaemonError) {
      try PrivateFiles.makeDirectory(directory)
      try PrivateFiles.replace("\(directory)/\(target)", record.file)
    } catch {
      throw NotificationError(error.message)
    }
  }

  /// Forgets what other targets than these were told of.
  func sweep(keeping targets: [String]) {
    // What is just being written has another name until it is whole.
    let kept = Set(targets + targets.map { ".\($0).partial" })
    for name in (try? PrivateFiles.names(in: directory)) ?? [] where !kept.contains(name) {
      PrivateFiles.remove("\(directory)/\(name)")
    }
  }
}
