// The binding of management.proto, which says what each field means.

public import ProtoCodec

/// A certificate authority that can be rotated.
public struct SecretComponent: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let talosCA = Self(rawValue: 1)
  public static let kubernetesCA = Self(rawValue: 2)

  public static let type = EnumType(
    "omni.management.v1.SecretComponent",
    [
      (0, "SECRET_COMPONENT_UNSPECIFIED"),
      (1, "SECRET_COMPONENT_TALOS_CA"),
      (2, "SECRET_COMPONENT_KUBERNETES_CA"),
    ])
}

/// Why a rotation is started, as far as that decides what has to be rotated.
public struct RotationCause: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let leakedTalosconfig = Self(rawValue: 1)
  public static let leakedKubeconfig = Self(rawValue: 2)
  public static let leakedSecrets = Self(rawValue: 3)
  public static let imported = Self(rawValue: 4)
  public static let expiring = Self(rawValue: 5)
  public static let routine = Self(rawValue: 6)

  public static let type = EnumType(
    "omni.management.v1.RotationCause",
    [
      (0, "ROTATION_CAUSE_UNSPECIFIED"),
      (1, "ROTATION_CAUSE_LEAKED_TALOSCONFIG"),
      (2, "ROTATION_CAUSE_LEAKED_KUBECONFIG"),
      (3, "ROTATION_CAUSE_LEAKED_SECRETS"),
      (4, "ROTATION_CAUSE_IMPORTED"),
      (5, "ROTATION_CAUSE_EXPIRING"),
      (6, "ROTATION_CAUSE_ROUTINE"),
    ])
}

/// A phase of a rotation; every machine of the cluster goes through each of them in this order.
public struct RotationPhase: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let preRotate = Self(rawValue: 1)
  public static let rotate = Self(rawValue: 2)
  public static let postRotate = Self(rawValue: 3)

  public static let type = EnumType(
    "omni.management.v1.RotationPhase",
    [
      (0, "ROTATION_PHASE_UNSPECIFIED"),
      (1, "ROTATION_PHASE_PRE_ROTATE"),
      (2, "ROTATION_PHASE_ROTATE"),
      (3, "ROTATION_PHASE_POST_ROTATE"),
    ])
}

/// What a cluster's rotation is doing.
public struct RotationState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let idle = Self(rawValue: 1)
  public static let running = Self(rawValue: 2)
  public static let paused = Self(rawValue: 3)
  public static let aborting = Self(rawValue: 4)
  public static let succeeded = Self(rawValue: 5)
  public static let aborted = Self(rawValue: 6)
  public static let failed = Self(rawValue: 7)

  public static let type = EnumType(
    "omni.management.v1.RotationState",
    [
      (0, "ROTATION_STATE_UNSPECIFIED"),
      (1, "ROTATION_STATE_IDLE"),
      (2, "ROTATION_STATE_RUNNING"),
      (3, "ROTATION_STATE_PAUSED"),
      (4, "ROTATION_STATE_ABORTING"),
      (5, "ROTATION_STATE_SUCCEEDED"),
      (6, "ROTATION_STATE_ABORTED"),
      (7, "ROTATION_STATE_FAILED"),
    ])
}

/// What one machine is doing in the current phase.
public struct MachineRotationState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let pending = Self(rawValue: 1)
  public static let applying = Self(rawValue: 2)
  public static let verifying = Self(rawValue: 3)
  public static let waiting = Self(rawValue: 4)
  public static let done = Self(rawValue: 5)

  public static let type = EnumType(
    "omni.management.v1.MachineRotationState",
    [
      (0, "MACHINE_ROTATION_STATE_UNSPECIFIED"),
      (1, "MACHINE_ROTATION_STATE_PENDING"),
      (2, "MACHINE_ROTATION_STATE_APPLYING"),
      (3, "MACHINE_ROTATION_STATE_VERIFYING"),
      (4, "MACHINE_ROTATION_STATE_WAITING"),
      (5, "MACHINE_ROTATION_STATE_DONE"),
    ])
}

/// The result of a check.
public struct RotationCheckState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let passed = Self(rawValue: 1)
  public static let failed = Self(rawValue: 2)
  public static let waiting = Self(rawValue: 3)
  public static let notApplicable = Self(rawValue: 4)

  public static let type = EnumType(
    "omni.management.v1.RotationCheckState",
    [
      (0, "ROTATION_CHECK_STATE_UNSPECIFIED"),
      (1, "ROTATION_CHECK_STATE_PASSED"),
      (2, "ROTATION_CHECK_STATE_FAILED"),
      (3, "ROTATION_CHECK_STATE_WAITING"),
      (4, "ROTATION_CHECK_STATE_NOT_APPLICABLE"),
    ])
}

/// Which of the two CAs of a rotation.
public struct CertificateAuthorityGeneration: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let old = Self(rawValue: 1)
  public static let new = Self(rawValue: 2)

  public static let type = EnumType(
    "omni.management.v1.CertificateAuthorityGeneration",
    [
      (0, "CERTIFICATE_AUTHORITY_GENERATION_UNSPECIFIED"),
      (1, "CERTIFICATE_AUTHORITY_GENERATION_OLD"),
      (2, "CERTIFICATE_AUTHORITY_GENERATION_NEW"),
    ])
}
