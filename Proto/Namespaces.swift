/// The Talos API, `siderolabs/talos`: services, what they share, and the specs of its resources.
public enum Talos {}

/// Reading the state of a machine, `cosi.resource`.
public enum Cosi {}

/// The store's own records, `omni.journal.v1`. Never sent to a client.
public enum Journal {}

/// Errors with details, `google.rpc`.
public enum GoogleRPC {}

/// The standard health service, `grpc.health.v1`.
public enum GRPCHealth {}

/// Server reflection, `grpc.reflection.v1`.
public enum GRPCReflection {}

/// Server reflection as older clients ask for it, `grpc.reflection.v1alpha`.
public enum GRPCReflectionV1Alpha {}
