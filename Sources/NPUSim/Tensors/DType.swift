/// The element types of tensors that enter and leave the simulator.
///
/// The raw value is the name used by safetensors files and manifests.
public enum DType: String, Sendable, CaseIterable {
  /// BF16, two bytes.
  case bf16 = "BF16"
  /// IEEE half precision, two bytes.
  case f16 = "F16"
  /// IEEE single precision, four bytes.
  case f32 = "F32"
  /// IEEE double precision, eight bytes; in files only, no datapath holds it.
  case f64 = "F64"
  /// Two's complement, one byte; the payload of MXINT8 blocks.
  case i8 = "I8"
  /// Two's complement, four bytes; index tensors.
  case i32 = "I32"
  /// Two's complement, eight bytes; index tensors as other tools write them, in files only.
  case i64 = "I64"
  /// FP8 E4M3FN, one byte.
  case e4m3fn = "F8_E4M3"
  /// FP8 E5M2, one byte.
  case e5m2 = "F8_E5M2"
  /// A power-of-two scale, one byte.
  case e8m0 = "F8_E8M0"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64: 8
    case .f32, .i32: 4
    case .bf16, .f16: 2
    case .i8, .e4m3fn, .e5m2, .e8m0: 1
    }
  }

  /// Whether the words stand for real numbers rather than integers.
  public var isFloat: Bool {
    switch self {
    case .i8, .i32, .i64: false
    default: true
    }
  }

  /// Every name, for hints.
  static var names: [String] { allCases.map(\.rawValue) }
}
