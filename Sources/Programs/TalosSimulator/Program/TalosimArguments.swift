/// What stands on talosim's command line.
struct TalosimArguments: Equatable {
  /// A wrong command line; the text says what is wrong.
  struct Misuse: Error, Equatable { var message: String }

  var controlPlanes = 3
  var workers = 2
  var output = ""
  var addressBase = "127.0.10.0"
  var port = 50000
  var kubernetesPort = 6443
  var name = "demo"
  var talosVersion: String?
  var layout = ClusterOptions.Layout.legacy
  var seed: UInt64 = 1
  var control: String?
  var sharedAddress: String?
  var talosCALifetime: Int?
  var kubernetesCALifetime: Int?
  var noNetwork = false
  var withoutDiscovery = false
  var withoutKubernetes = false
  var pace = Timing.Pace.brisk
  var help = false

  /// Ten years, Talos' own lifetime of a CA.
  private static let mostSeconds = 87_600 * 3600

  static let usage = """
    Usage: talosim --out DIR [flags]

    Runs a simulated Talos cluster on loopback addresses until it gets SIGTERM or SIGINT. Writes
    talosconfig, kubeconfig, secrets.yaml and nodes.json into DIR, then prints "ready".

      --control-planes N      control planes (default 3)
      --workers N             workers (default 2)
      --out DIR               where the files go; made if it is not there
      --address-base ADDRESS  the machines take the loopback addresses after this one
                              (default 127.0.10.0)
      --port N                apid's port on every machine; 0 finds a free one (default 50000)
      --kubernetes-port N     the API server's port on every control plane (default 6443)
      --name NAME             the cluster's name (default demo)
      --talos-version V       the version that machines report (default: one that fits the layout)
      --layout legacy|multidoc  where configs keep the Kubernetes CA (default legacy)
      --seed N                repeats what happens by chance (default 1)
      --shared-address ADDRESS  one more loopback address, which one control plane holds and which
                              is the Kubernetes endpoint
      --talos-ca-lifetime SECONDS, --kubernetes-ca-lifetime SECONDS
                              how long that CA lives; 0 for one that has just expired
      --no-network            no network plugin: no Kubernetes node is Ready from the start
      --no-discovery          cluster discovery is off: no machine knows the others
      --without-kubernetes    a Talos 1.14 cluster without Kubernetes and etcd
      --control unix:PATH     serve a control interface there: machines can be stopped, started and
                              made to fail, and other actors played: other writers, foreign CAs,
                              members that lie, a shared address that moves, a hostile worker
                              (docs/talosim.md has the requests)
      --pace real|brisk|instant  how long machines take: as measured on real ones (ten seconds
                              for a control plane, a scheduler that crash-loops meanwhile), the
                              same within half a second, or nothing (default brisk)
      --fast                  the same as --pace instant
      --help                  show this
    """

  /// - Throws: `Misuse` for unknown flags, missing or malformed values.
  init(_ arguments: [String]) throws(Misuse) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let sides = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = String(sides[0])
      func value() throws(Misuse) -> String {
        if sides.count == 2 { return String(sides[1]) }
        guard let next = rest.popFirst() else { throw Misuse(message: "\(flag) needs a value") }
        return next
      }
      func number(_ range: ClosedRange<Int>) throws(Misuse) -> Int {
        let text = try value()
        guard let number = Int(text), range.contains(number) else {
          throw Misuse(
            message: "\(flag) takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
      }
      switch flag {
      case "--control-planes": controlPlanes = try number(1...9)
      case "--workers": workers = try number(0...2000)
      case "--out": output = try value()
      case "--address-base": addressBase = try value()
      case "--port": port = try number(0...65535)
      case "--kubernetes-port": kubernetesPort = try number(0...65535)
      case "--name": name = try value()
      case "--talos-version": talosVersion = try value()
      case "--layout":
        guard let chosen = ClusterOptions.Layout(rawValue: try value()) else {
          throw Misuse(message: "--layout is legacy or multidoc")
        }
        layout = chosen
      case "--seed": seed = UInt64(try number(0...Int.max))
      case "--control":
        let text = try value()
        guard text.hasPrefix("unix:"), text.count > 5 else {
          throw Misuse(message: "--control takes unix:PATH")
        }
        control = String(text.dropFirst(5))
      case "--shared-address": sharedAddress = try value()
      case "--talos-ca-lifetime": talosCALifetime = try number(0...Self.mostSeconds)
      case "--kubernetes-ca-lifetime": kubernetesCALifetime = try number(0...Self.mostSeconds)
      case "--no-network": noNetwork = true
      case "--no-discovery": withoutDiscovery = true
      case "--without-kubernetes": withoutKubernetes = true
      case "--fast": pace = .instant
      case "--pace":
        guard let chosen = Timing.Pace(rawValue: try value()) else {
          throw Misuse(message: "--pace is real, brisk or instant")
        }
        pace = chosen
      case "--help", "-h": help = true
      default: throw Misuse(message: "unknown flag \(argument)")
      }
    }
    if output.isEmpty && !help { throw Misuse(message: "--out DIR is needed") }
  }

  var options: ClusterOptions {
    var options = ClusterOptions()
    options.name = name
    options.controlPlanes = controlPlanes
    options.workers = workers
    options.addressBase = addressBase
    options.port = port
    options.kubernetesPort = kubernetesPort
    options.talosVersion = talosVersion
    options.layout = layout
    options.seed = seed
    options.sharedAddress = sharedAddress
    options.talosCALifetime = talosCALifetime.map { .seconds($0) }
    options.kubernetesCALifetime = kubernetesCALifetime.map { .seconds($0) }
    options.noNetwork = noNetwork
    options.withoutDiscovery = withoutDiscovery
    options.withoutKubernetes = withoutKubernetes
    options.timing = pace.timing
    return options
  }
}
