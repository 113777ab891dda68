/// The format of a buffer's elements.
public enum ElementFormat: UInt8, Sendable, CaseIterable, Hashable {
  case bf16, f16, f32, e4m3fn, e5m2, e8m0, i8, i32
  /// Int8 payload with one E8M0 scale byte for each 32 elements along the block axis.
  case mxint8

  /// Bytes of one element; the scale bytes of `mxint8` are counted apart.
  @inlinable public var bytes: Int {
    switch self {
    case .f32, .i32: 4
    case .bf16, .f16: 2
    case .e4m3fn, .e5m2, .e8m0, .i8, .mxint8: 1
    }
  }

  /// The name in text, JSON and reports.
  public var name: String {
    switch self {
    case .bf16: "bf16"
    case .f16: "f16"
    case .f32: "f32"
    case .e4m3fn: "e4m3fn"
    case .e5m2: "e5m2"
    case .e8m0: "e8m0"
    case .i8: "i8"
    case .i32: "i32"
    case .mxint8: "mxint8"
    }
  }

  /// The format of that name, or `nil`.
  public init?(name: String) {
    guard let match = ElementFormat.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}

/// The axis along which the 32-element MXINT8 blocks of a buffer run: the reduction axis of the
/// product that reads it.
public enum BlockAxis: UInt8, Sendable, CaseIterable, Hashable {
  /// Blocks run along a row (scale shape `[rows, ⌈columns / 32⌉]`).
  case alongColumns
  /// Blocks run down a column (scale shape `[⌈rows / 32⌉, columns]`).
  case alongRows
}

extension AccumulatorMode {
  /// What a tile of sums is kept and drained in.
  public var format: ElementFormat {
    switch self {
    case .bf16: .bf16
    case .fp32: .f32
    }
  }
}
