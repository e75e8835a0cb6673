/// Where omnid and its client look for each other when they are told nothing else: the XDG base directory
/// specification's runtime directory, and for root the file-system hierarchy's.
public struct StandardPlaces: Sendable {
  private let userID: UInt32
  private let variable: @Sendable (String) -> String?

  /// - Parameters:
  ///   - userID: the effective user.
  ///   - variable: an environment variable.
  public init(userID: UInt32, variable: @escaping @Sendable (String) -> String?) {
    self.userID = userID
    self.variable = variable
  }

  /// A directory that a variable names. One that is empty or relative counts for nothing, as the XDG
  /// specification has it.
  public func directory(_ name: String) -> String? {
    variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// The Unix socket on which omnid listens.
  public var socket: String {
    if userID == 0 { return "/run/omnid/omnid.sock" }
    return (directory("XDG_RUNTIME_DIR") ?? "/run/user/\(userID)") + "/omnid/omnid.sock"
  }
}
