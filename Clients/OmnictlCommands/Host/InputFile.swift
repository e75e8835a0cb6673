internal import Glibc
internal import Platform

/// Files that a command is given.
enum InputFile {
  struct Failure: Error, Equatable {
    var reason: String
  }

  /// The text of a file; of standard input for `-`.
  static func text(_ path: String, limit: Int) throws(Failure) -> String {
    var file = STDIN_FILENO
    if path != "-" {
      file = open(path, O_RDONLY | O_CLOEXEC)
      if file < 0 { throw Failure(reason: Descriptor.message(errno)) }
    }
    defer { if path != "-" { close(file) } }
    let bytes: [UInt8]
    do throws(Descriptor.ReadFailure) { bytes = try Descriptor.read(file, limit: limit) } catch {
      switch error {
      case .errorNumber(let number): throw Failure(reason: Descriptor.message(number))
      case .tooLong: throw Failure(reason: "it is longer than \(limit) bytes")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(reason: "it is no UTF-8 text")
    }
    return text
  }
}
