// The binding of machine.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension Talos {
  public enum MachineServiceMethods {
    public static let service = "machine.MachineService"

    /// Replaces the machine's configuration.
    public static let applyConfiguration = Method<
      ApplyConfigurationRequest, ApplyConfigurationResponse
    >(
      service: service, name: "ApplyConfiguration", kind: .unary)

    /// The kernel's log.
    public static let dmesg = Method<DmesgRequest, Data>(
      service: service, name: "Dmesg", kind: .serverStreaming)

    /// The members of etcd, as this control plane sees them.
    public static let etcdMemberList = Method<EtcdMemberListRequest, EtcdMemberListResponse>(
      service: service, name: "EtcdMemberList", kind: .unary)

    /// The state of this control plane's etcd member.
    public static let etcdStatus = Method<Empty, EtcdStatusResponse>(
      service: service, name: "EtcdStatus", kind: .unary)

    /// A tar.gz that holds one file, `kubeconfig`. Control planes only.
    public static let kubeconfig = Method<Empty, Data>(
      service: service, name: "Kubeconfig", kind: .serverStreaming)

    /// The log of a service or container.
    public static let logs = Method<LogsRequest, Data>(
      service: service, name: "Logs", kind: .serverStreaming)

    /// The content of a file.
    public static let read = Method<ReadRequest, Data>(
      service: service, name: "Read", kind: .serverStreaming)

    /// Restarts a container.
    public static let restart = Method<RestartRequest, RestartResponse>(
      service: service, name: "Restart", kind: .unary)

    /// The state of every service.
    public static let serviceList = Method<Empty, ServiceListResponse>(
      service: service, name: "ServiceList", kind: .unary)

    /// Restarts a service.
    public static let serviceRestart = Method<ServiceRestartRequest, ServiceRestartResponse>(
      service: service, name: "ServiceRestart", kind: .unary)

    /// The version of Talos.
    public static let version = Method<Empty, VersionResponse>(
      service: service, name: "Version", kind: .unary)

    /// Issues a client certificate, wrapped in a talosconfig. Control planes only.
    public static let generateClientConfiguration = Method<
      GenerateClientConfigurationRequest, GenerateClientConfigurationResponse
    >(
      service: service, name: "GenerateClientConfiguration", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "MachineService",
      [
        SchemaMethod(applyConfiguration),
        SchemaMethod(dmesg),
        SchemaMethod(etcdMemberList),
        SchemaMethod(etcdStatus),
        SchemaMethod(kubeconfig),
        SchemaMethod(logs),
        SchemaMethod(read),
        SchemaMethod(restart),
        SchemaMethod(serviceList),
        SchemaMethod(serviceRestart),
        SchemaMethod(version),
        SchemaMethod(generateClientConfiguration),
      ])
  }
}

extension SchemaFile {
  public static let talosMachine = SchemaFile(
    "talos/machine/machine.proto", package: "machine",
    dependencies: [.duration, .empty, .timestamp, .talosCommon],
    messages: [
      Talos.ApplyConfigurationRequest.self, Talos.ApplyConfiguration.self,
      Talos.ApplyConfigurationResponse.self, Talos.ServiceList.self, Talos.ServiceListResponse.self,
      Talos.ServiceInfo.self, Talos.ServiceEvents.self, Talos.ServiceEvent.self,
      Talos.ServiceHealth.self, Talos.ServiceRestartRequest.self, Talos.ServiceRestart.self,
      Talos.ServiceRestartResponse.self, Talos.Version.self, Talos.VersionResponse.self,
      Talos.VersionInfo.self, Talos.PlatformInfo.self, Talos.FeaturesInfo.self,
      Talos.DmesgRequest.self, Talos.LogsRequest.self, Talos.ReadRequest.self,
      Talos.RestartRequest.self, Talos.Restart.self,
      Talos.RestartResponse.self, Talos.EtcdMemberListRequest.self, Talos.EtcdMember.self,
      Talos.EtcdMembers.self, Talos.EtcdMemberListResponse.self, Talos.EtcdStatusResponse.self,
      Talos.EtcdStatus.self, Talos.EtcdMemberStatus.self,
      Talos.GenerateClientConfigurationRequest.self, Talos.GenerateClientConfiguration.self,
      Talos.GenerateClientConfigurationResponse.self,
    ],
    enums: [
      Talos.ApplyConfigurationRequest.Mode.self
    ],
    services: [Talos.MachineServiceMethods.schema])
}
