import Daemon
import Notifications
import Platform

extension NotificationSettings {
  /// Reads the file of targets and the secrets and CAs that it names.
  ///
  /// - Throws: what is wrong, with file and line.
  static func read(_ path: String) throws(NotificationError) -> NotificationSettings {
    let bytes: [UInt8]
    do throws(DaemonError) {
      bytes = try PrivateFiles.read(path, limit: NotificationFile.sizeLimit)
    } catch {
      throw NotificationError("the file of targets cannot be read: \(error.message)")
    }
    let reading = NotificationFile.Reading(
      secret: { path in
        do throws(DaemonError) { return try PrivateFiles.readSecret(path) } catch {
          throw NotificationError(error.message)
        }
      },
      file: { path in
        do throws(DaemonError) { return try PrivateFiles.read(path) } catch {
          throw NotificationError(error.message)
        }
      }, duration: { try? GoDuration.parse($0) })
    return try NotificationFile(path: path, reading: reading).settings(bytes)
  }
}
