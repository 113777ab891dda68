/// The cost class of a vector micro-op: each class has a slope and a latency in the configuration.
///
/// Occupancy is `max(minimum, slope · ⌈elements / lanes⌉)` cycles, lanes counted in FP32 whatever
/// the storage type. The raw value indexes the tables of ``MachineConfiguration/VectorUnit``.
public enum VectorClass: UInt8, Sendable, CaseIterable, Hashable {
  case add, sub, mul, div, max, select
  case abs, addScalar, mulScalar, duplicate, cast, copy
  case exp, exp2, log, sqrt, reciprocal, rsqrt, sin, cos, sigmoid, silu
  case fusedMultiplyAdd, rowMax, rowSum
  /// A binary operation of a tile with a column vector, one value a row.
  case rowBroadcast
  case gather, transpose
  /// MXINT8 block encode.
  case encodeMX
  /// FP8 encode with 128-element blocks and their scales, as one micro-op.
  case encodeFP8
  /// `exp2(x · k − row)` as one micro-op.
  case exp2Fused
  /// FP8 cache rows to MXINT8 as one micro-op; elements are `⌈source bytes / 4⌉`.
  case requantise

  /// Number of classes.
  public static let count = keys.count

  @inlinable public var index: Int { Int(rawValue) }

  /// The key in a machine configuration.
  public var key: String { Self.keys[index] }

  private static let keys = [
    "add", "sub", "mul", "div", "max", "select",
    "abs", "add_scalar", "mul_scalar", "duplicate", "cast", "copy",
    "exp", "exp2", "log", "sqrt", "reciprocal", "rsqrt", "sin", "cos", "sigmoid", "silu",
    "fused_multiply_add", "row_max", "row_sum", "row_broadcast", "gather", "transpose",
    "encode_mx", "encode_fp8", "exp2_fused", "requantise",
  ]
}
