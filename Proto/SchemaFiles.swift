public import ProtoCodec

extension SchemaFile {
  /// Every file of the schema folder, and the well-known types.
  public static let all: [SchemaFile] = [
    .management, .journal,
    .health, .reflection, .reflectionV1Alpha,
    .rpcStatus, .rpcCode, .rpcErrorDetails,
    .any, .duration, .empty, .fieldMask, .structure, .timestamp, .wrappers,
    .cosiResource, .cosiState, .cosiMeta,
    .talosCommon, .talosMachine, .talosTime, .talosSecurity, .talosHealth,
    .talosConfig, .talosEnums, .talosSecrets, .talosKubernetes, .talosCluster, .talosRuntime,
    .talosTimeStatus, .talosSideroLink, .talosServices,
  ]
}
