/// A file that keys are written to.
enum KeyFile {
  /// What stands at the path, if it may be replaced.
  ///
  /// - Parameter isSecret: whether only the caller may read what is written.
  /// - Throws: when something stands there and may not.
  static func standing(
    _ path: String, _ kind: String, replacing: Bool, isSecret: Bool = true
  ) throws(CommandError) -> PrivateFile.Standing? {
    do throws(PrivateFile.Failure) {
      guard let standing = try PrivateFile.standing(path) else {
        try PrivateFile.findDirectory(of: path)
        return nil
      }
      guard replacing else {
        throw PrivateFile.Failure(
          reason: "it exists already; --force replaces it", isRefusal: true)
      }
      if isSecret { try PrivateFile.requireOwn(standing) }
      return standing
    } catch { throw CredentialFile.failure(kind, path, error) }
  }
}
