/// gRPC's interoperability tests, `grpc.testing`.
public enum GRPCTesting {}

/// The Connect conformance suite, `connectrpc.conformance.v1`.
public enum Conformance {}
