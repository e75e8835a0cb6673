internal import Schema

/// What a person can do about a check that stays open: an action for each.
///
/// `docs/troubleshooting.md` begins with these words what it says to do; a test compares both with the checks that
/// there are.
enum CheckAdvice {
  /// By the check's name. `MACHINE` stands for the machine.
  static let actions: [String: String] = [
    "reachable":
      "bring it up, and let this host reach port 50000 of the control planes",
    "config-persisted":
      "apply or reboot into the staged configuration; omnid itself makes a trial of --try permanent",
    "config-applied":
      "stop whoever else writes this machine's configuration",
    "config-editable":
      "mend what the reason names",
    "listed":
      "find out whose CA it is; --remove-foreign takes it out",
    "issuing":
      "wait some seconds; if somebody else is rotating, stop that tool",
    "accepted":
      "if a CA is named, find out whose it is and take it out (--remove-foreign); else wait",
    "root-accepted":
      "if a CA is named, find out whose it is and take it out (--remove-foreign); else wait",
    "trustd-accepted":
      "if a CA is named, take it out on the control plane (--remove-foreign); else wait",
    "trustd-leaf":
      "wait some seconds; if it stays: talosctl -n MACHINE logs trustd",
    "server-leaf":
      "let the worker reach port 50001 of the control planes; omnid makes it ask again",
    "new-client-accepted":
      "wait until it takes the change up; if it stays, compare its clock with this host's",
    "client-accepted":
      "wait until it takes the change up; if it stays, compare its clock with this host's",
    "old-client-accepted":
      "find out who has taken the old CA out of the configuration, and stop that",
    "trust-refresh":
      "nothing: omnid makes it ask again; if it stays: talosctl -n MACHINE logs controller-runtime",
    "old-refused":
      "see whether the machine's configuration still lists the old CA; an API server has to restart",
    "api-server-accepted":
      "if a CA is named, find out whose it is and take it out (--remove-foreign); else wait",
    "api-server-leaf":
      "see whether the kubelet restarts it: talosctl -n MACHINE service kubelet",
    "api-server-ready":
      "see what fails: kubectl get --raw '/readyz?verbose'",
    "api-server-accepts-new":
      "wait for its restart; look for admission webhooks that refuse",
    "api-server-accepts-old":
      "find out who else writes the configuration, and stop that",
    "static-pods":
      "wait some seconds for the kubelet; if it stays: talosctl -n MACHINE logs kubelet",
    "control-plane-pods":
      "wait for their back-off of up to 40 seconds; then: kubectl -n kube-system get pods",
    "kubelet":
      "see why: talosctl -n MACHINE logs kubelet",
    "kubelet-client":
      "see whether the controller-manager signs its request: kubectl get csr",
    "kubelet-old-refused":
      "restart it: talosctl -n MACHINE service kubelet restart",
    "node-ready":
      "see why: kubectl describe node MACHINE",
    "machines":
      "mend what the reason names",
    "distinct-machines":
      "correct discovery, or reset the machine whose node identity was cloned",
    "kube-root-ca":
      "see whether the controller-manager, which writes it, runs: kubectl -n kube-system get pods",
    "extension-authentication":
      "nothing: omnid renews it when it alone is open; if it stays, find out who else writes it",
    "coverage":
      "let discovery see every machine, and delete what is gone",
    "further-addresses":
      "find out what answers at the address that the reason names, and rotate it or switch it off",
    "driver":
      "mend what the reason names; the log of the server has it too",
  ]

  /// Seconds for which a check may be open before something is said: most come by themselves within that time.
  static let patience: Int64 = 60

  /// The action for a check that has been open for longer than usual; nil before, and for a check that is not known.
  static func text(
    _ check: RotationCheck, names: [String], _ reading: RotationAges.Reading
  ) -> String? {
    guard let since = check.since, reading.since(since) >= patience,
      let action = actions[check.name]
    else { return nil }
    return names.count == 1 ? action.replacing("MACHINE", with: names[0]) : action
  }
}
