internal import Glibc
internal import Platform
internal import YAML

/// The file with the servers that this user knows: `~/.config/omni/config.yaml`, mode 0600.
struct ContextFile {
  struct Failure: Error, Equatable {
    var reason: String
  }

  static let variable = "OMNICTL_CONFIG"
  private static let sizeLimit = CredentialFile.sizeLimit

  let path: String

  /// - Throws: when no variable says where the user's files are.
  init(_ surroundings: Surroundings) throws(CommandError) {
    let variable = surroundings.variable
    if let path = variable(Self.variable), !path.isEmpty {
      self.path = path
    } else if let directory = Self.directory(variable("XDG_CONFIG_HOME")) {
      path = directory + "/omni/config.yaml"
    } else if let home = Self.directory(variable("HOME")) {
      path = home + "/.config/omni/config.yaml"
    } else {
      throw CommandError(
        .wrongUsage, "neither XDG_CONFIG_HOME nor HOME is set, so there is no place for contexts",
        hint: "\(Self.variable) names the file")
    }
  }

  /// A directory that a variable names; one that is relative counts for nothing.
  private static func directory(_ text: String?) -> String? {
    text.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// What the file holds.
  struct Contents {
    var text: String?
    var standing: PrivateFile.Standing?
    var current: String?
    /// In the file's order.
    var contexts: [(name: String, node: YAMLNode)] = []

    /// - Throws: when there is none of the name, or it cannot be used.
    func context(_ name: String, _ file: ContextFile) throws(CommandError) -> ServerContext {
      guard let node = contexts.first(where: { $0.name == name })?.node else {
        let known = contexts.map(\.name).joined(separator: ", ")
        throw CommandError(
          .notFound, "there is no context '\(name)' in \(file.path)",
          hint: known.isEmpty ? "'omnictl context add' makes one" : "there are: \(known)")
      }
      do throws(ContextFile.Failure) { return try ServerContext(node) } catch {
        throw CommandError(.failed, "the context '\(name)' in \(file.path) \(error.reason)")
      }
    }
  }

  /// Reads the file; one that is not there holds nothing.
  ///
  /// - Throws: when it cannot be read, is no such file, or others may read the keys in it.
  func read() throws(CommandError) -> Contents {
    var contents = Contents()
    do throws(PrivateFile.Failure) {
      guard let standing = try PrivateFile.standing(path) else { return contents }
      if let mode = standing.modeForOthers {
        throw PrivateFile.Failure(
          reason:
            "it has the mode \(mode), so that others can use the keys in it; chmod 600 '\(path)'",
          isRefusal: true)
      }
      contents.standing = standing
      contents.text = try PrivateFile.text(path, standing, limit: Self.sizeLimit)
    } catch {
      throw CommandError(
        error.isRefusal ? .refused : .failed, "\(path) cannot be read: \(error.reason)")
    }
    do throws(YAMLError) {
      guard let root = try YAMLParser.parse(contents.text ?? "", limits: .default).first,
        !root.isNull
      else { return contents }
      do throws(MergedConfig.Failure) { try OmniConfigMerge.check(root) } catch {
        throw YAMLError(.unsupported, error.reason)
      }
      contents.current = OmniConfigMerge.current(root)
      contents.contexts = root["contexts"]?.entries?.map { ($0.name, $0.value) } ?? []
    } catch {
      throw CommandError(.failed, "\(path) cannot be understood: \(error)")
    }
    return contents
  }

  /// Puts a context in beside what is there.
  ///
  /// - Parameter makesCurrent: whether it becomes the current one; else that stays which it was, or none.
  func put(
    _ document: String, _ contents: Contents, makesCurrent: Bool
  ) throws(CommandError) {
    let merged: MergedConfig
    do throws(MergedConfig.Failure) {
      merged = try OmniConfigMerge.merge(document, into: contents.text ?? "")
    } catch {
      throw CommandError(.refused, "\(path) is as it was: \(error.reason)")
    }
    if makesCurrent { return try write(merged.text, contents) }
    var now = contents
    now.text = merged.text
    try edit(now) { (editor) throws(YAMLError) in
      if let current = contents.current {
        try editor.set(.string(current), at: ["context"])
      } else {
        try editor.remove(at: ["context"])
      }
    }
  }

  func edit(
    _ contents: Contents, _ change: (inout YAMLEditor) throws(YAMLError) -> Void
  ) throws(CommandError) {
    do throws(YAMLError) {
      var editor = try YAMLEditor(contents.text ?? "")
      try change(&editor)
      do throws(CommandError) { try write(editor.text, contents) } catch {
        throw YAMLError(.unsupported, error.message)
      }
    } catch {
      throw CommandError(.refused, "\(path) is as it was: \(error)")
    }
  }

  private func write(_ text: String, _ contents: Contents) throws(CommandError) {
    do throws(PrivateFile.Failure) {
      try makeDirectory()
      try PrivateFile.write(text, to: path, replacing: contents.standing)
    } catch {
      throw CommandError(
        error.isRefusal ? .refused : .failed, "\(path) cannot be written: \(error.reason)")
    }
  }

  /// The directories that are missing, each for the user alone.
  private func makeDirectory() throws(PrivateFile.Failure) {
    var made = ""
    for part in path.split(separator: "/", omittingEmptySubsequences: false).dropLast() {
      made += made.isEmpty && part.isEmpty ? "/" : part + "/"
      if made == "/" || made.isEmpty { continue }
      if mkdir(made, 0o700) != 0, errno != EEXIST {
        // One above may be of another user, and is there all the same.
        if errno == EACCES || errno == EROFS, access(made, F_OK) == 0 { continue }
        throw PrivateFile.Failure(reason: "\(made): \(Descriptor.message(errno))")
      }
    }
  }
}
