/// The flags of commands that reach a cluster's machines with a talosconfig.
enum TalosconfigAccess {
  static let context = Flag<String?>.text(
    "context", "CTX", key: "talosconfig-context",
    "the context in the talosconfig (default its current one)")

  static let endpoints = Flag<[String]>.list(
    "endpoints", "ADDRESS",
    "where the Talos API is reached, host or host:port, instead of what the context names; may be "
      + "repeated, or hold several with commas")

  static let controlPlanes = Flag<[String]>.list(
    "control-planes", "ADDRESS",
    "the control planes, where cluster discovery is off; may be repeated, or hold several with commas"
  )

  static let workers = Flag<[String]>.list(
    "workers", "ADDRESS", "the workers, where cluster discovery is off")

  static let leaveOut = Flag<[String]>.list(
    "leave-out", "MACHINE",
    "go on without a member that discovery names and that is gone for good, by name or node id, or an "
      + "endpoint, by address; one that is there is not left out")

  /// As the server has it.
  private static let sizeLimit = 1 << 20

  /// - Throws: when the file cannot be read.
  static func read(_ path: String) throws(CommandError) -> String {
    do throws(InputFile.Failure) {
      return try InputFile.text(path, limit: sizeLimit)
    } catch {
      throw CommandError(
        .wrongUsage, "the talosconfig '\(path)' cannot be read: \(error.reason)",
        hint: "--talosconfig names the file")
    }
  }
}
