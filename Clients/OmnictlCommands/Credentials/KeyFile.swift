/// A file that keys are written to.
enum KeyFile {
  /// What stands at the path, if it may be replaced.
  ///
  /// - Throws: when something stands there and may not.
  static func standing(
    _ path: String, _ kind: String, replacing: Bool
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
      return standing
    } catch { throw CredentialFile.failure(kind, path, error) }
  }
}
