public import ProtoCodec
import Schema

extension SchemaFile {
  /// Every file of this folder.
  public static let testSchemas: [SchemaFile] = [
    .grpcTestingEmpty, .grpcTestingMessages, .grpcTesting,
    .conformanceConfig, .conformanceService, .conformanceServerCompat, .conformanceClientCompat,
  ]
}

extension TypeRegistry {
  /// Every message of this folder and of `Proto/`.
  public static let testSchemas = TypeRegistry(files: SchemaFile.all + SchemaFile.testSchemas)
}
