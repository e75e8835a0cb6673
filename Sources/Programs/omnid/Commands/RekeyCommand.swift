import Daemon
import Orchestrator
import Platform
import RPC
import RPCTransport
import SQLiteStore
import Schema

/// `omnid rekey`: another master key for the store, while omnid serves or while none does.
enum RekeyCommand {
  static let usage = """
    Usage: omnid rekey [--new-master-key-file FILE] [flags of serve]

    Changes the master key, which encrypts the stored CA keys: every key in the store is sealed anew, all at
    once. An omnid that serves does it itself, and goes on with whatever it does; it is found at its
    Unix socket, for which --listen, --config and the environment count as with 'omnid serve'. Where none
    serves the store is opened here.

      --new-master-key-file FILE  32 bytes, mode 0600. Without it omnid makes a random key, which takes
                                  the place of the old one's file; needed where systemd hands the key over

    Exit status: 0 done; 1 failed, and the old key holds; 2 wrong usage.

    """

  private static let flag = "--new-master-key-file"

  /// - Returns: the exit status.
  static func run(_ arguments: [String], _ facts: ProcessFacts) async -> Int32 {
    var rest: [String] = []
    var file = ""
    var words = arguments[...]
    while let word = words.popFirst() {
      if word == flag, let value = words.popFirst() {
        file = value
      } else if word.hasPrefix(flag + "=") {
        file = String(word.dropFirst(flag.utf8.count + 1))
      } else {
        rest.append(word)
      }
    }
    guard file.isEmpty || file.hasPrefix("/") else {
      return refuse("\(flag) takes an absolute path", 2)
    }
    do throws(UsageError) {
      let options = try ServeOptions(rest, facts, readFile: Program.readConfiguration)
      return await change(file, options)
    } catch {
      return refuse(error.message, 2)
    }
  }

  private static func change(_ file: String, _ options: ServeOptions) async -> Int32 {
    for endpoint in options.listen {
      guard case .unix(let path) = endpoint, PrivateFiles.exists(path) else { continue }
      do throws(RPCError) {
        let answer = try await ask(endpoint, file)
        return show(answer.keyID, answer.notes)
      } catch {
        // Nobody listens at a socket that was left behind.
        guard error.code == .unavailable else { return refuse(error.message, 1) }
      }
    }
    guard PrivateFiles.exists(options.storePath) else {
      return refuse(
        "there is no store at \(options.storePath): give the --state-dir, --store or --config that 'omnid serve' is "
          + "given", 1)
    }
    do {
      try ProcessPrivacy.begin()
      let state = try PersistentState(
        options, Logger(level: .warning, format: options.logFormat))
      defer { withExtendedLifetime(state) {} }
      let new = try await state.changeMasterKey(to: file)
      await state.store.close()
      return show(new.keyID, new.notes)
    } catch let error as StoreError where error.code == .inUse {
      return refuse(
        "\(error.message), and the omnid that serves is at none of \(sockets(options)): give the --listen that it "
          + "has, and it changes the key itself", 1)
    } catch {
      return refuse(explanation(of: error), 1)
    }
  }

  private static func sockets(_ options: ServeOptions) -> String {
    options.listen.compactMap { if case .unix(let path) = $0 { "unix:\(path)" } else { nil } }
      .joined(separator: ", ")
  }

  private static func ask(
    _ endpoint: Endpoint, _ file: String
  ) async throws(RPCError) -> ChangeMasterKeyResponse {
    let channel = try SocketChannel(endpoint)
    defer { channel.close() }
    var request = ChangeMasterKeyRequest()
    request.newMasterKeyFile = file
    return try await RPCClient(channel).unary(ManagementServiceMethods.changeMasterKey, request)
  }

  private static func show(_ keyID: String, _ notes: [String]) -> Int32 {
    let text =
      "the store is under the master key \(keyID) now\n" + notes.map { "- \($0)\n" }.joined()
    return StandardStream.output.write(text) ? 0 : 1
  }

  private static func refuse(_ problem: String, _ status: Int32) -> Int32 {
    StandardStream.error.write("omnid: \(problem)\n")
    return status
  }
}
