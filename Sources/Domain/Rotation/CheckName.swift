/// Every question that is asked of a machine, or of the cluster as a whole. The raw value is the name that
/// records, watchers and people know the check by.
///
/// `docs/talos-driver.md` says what each looks at; a test compares its table with this list.
public enum CheckName: String, Sendable, Hashable, CaseIterable {
  // MARK: Of a machine, for both components

  /// The machine answers at all, and it is the one that is meant.
  case reachable
  /// Its configuration holds what the stage asks for. When this one has *failed* (not merely waits), the
  /// change is made again: somebody else has overwritten it.
  case configApplied = "config-applied"
  /// The stage's edit of its configuration can be made.
  case configEditable = "config-editable"
  /// What is in force is on the machine's disk, and nothing else is. Where this one alone waits, the change is being tried
  /// (Talos' try mode), and is made permanent.
  case configPersisted = "config-persisted"
  /// Its configuration lists no third authority.
  case listed
  /// It issues from the authority of the stage.
  case issuing
  /// What it accepts now is what the stage asks for, and nothing else.
  case accepted
  /// A client of an authority that was dropped is turned away.
  case oldRefused = "old-refused"

  // MARK: Of a machine, for the Talos CA

  /// What a control plane's root secrets accept, which trustd hands on.
  case rootAccepted = "root-accepted"
  case trustdAccepted = "trustd-accepted"
  case trustdLeaf = "trustd-leaf"
  case serverLeaf = "server-leaf"
  case newClientAccepted = "new-client-accepted"
  case clientAccepted = "client-accepted"
  case oldClientAccepted = "old-client-accepted"
  /// A worker acts on the trust of the stage. Where it waits, the worker may still get it by itself; where it
  /// has failed, it has to be made to ask trustd again.
  case trustRefresh = "trust-refresh"

  // MARK: Of a machine, for the Kubernetes CA

  case apiServerAccepted = "api-server-accepted"
  case apiServerLeaf = "api-server-leaf"
  case apiServerReady = "api-server-ready"
  case apiServerAcceptsNew = "api-server-accepts-new"
  case apiServerAcceptsOld = "api-server-accepts-old"
  case staticPods = "static-pods"
  case controlPlanePods = "control-plane-pods"
  case kubelet
  case kubeletClient = "kubelet-client"
  case kubeletOldRefused = "kubelet-old-refused"
  case nodeReady = "node-ready"

  // MARK: Of the cluster

  /// Every machine once more.
  case machines
  /// The machines are as many as they seem.
  case distinctMachines = "distinct-machines"
  /// What pods are given as the cluster's root.
  case kubeRootCA = "kube-root-ca"
  /// What aggregated API servers are told of clients. Where it alone waits, it has to be written anew.
  case extensionAuthentication = "extension-authentication"
  /// No machine and no node has been left out.
  case coverage
  /// A client of an authority that was dropped is turned away at the machines' other addresses too.
  case furtherAddresses = "further-addresses"

  // MARK: Of the driver

  /// The question could not be asked.
  case driver
}
