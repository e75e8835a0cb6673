public import ProtoCodec

extension SchemaFile {
  /// Every file of this folder.
  public static let testSchemas: [SchemaFile] = [
    .grpcTestingEmpty, .grpcTestingMessages, .grpcTesting,
    .conformanceConfig, .conformanceService, .conformanceServerCompat, .conformanceClientCompat,
  ]
}
