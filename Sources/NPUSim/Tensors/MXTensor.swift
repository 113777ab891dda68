/// An MXINT8 tensor: an I8 payload and one E8M0 scale for every 32 elements along one axis.
///
/// Element p under scale byte B has the value p · 2^(B − 133) (OCP MX v1.0). In a file the two are
/// tensors NAME and NAME.scale; blocks run along the last axis unless the metadata `NAME.axis` says
/// otherwise.
public struct MXTensor: Sendable, Hashable {
  /// Elements under one scale.
  public static let blockSize = 32

  /// The I8 elements.
  public let payload: Tensor
  /// The E8M0 scales; the payload's shape with ``axis`` divided by 32, rounded up.
  public let scale: Tensor
  /// The dimension the blocks run along, counted from 0.
  public let axis: Int

  /// Pairs a payload with its scales.
  ///
  /// - Parameter axis: the dimension the blocks run along; a negative one counts from the last, −1.
  /// - Throws: `.tensor` when the types are not I8 and F8_E8M0, the payload is a scalar, the axis is
  ///   not one of its dimensions, or the shape of the scales does not follow from it.
  public init(payload: Tensor, scale: Tensor, axis: Int = -1) throws(NPUError) {
    guard payload.dtype == .i8, scale.dtype == .e8m0 else {
      throw NPUError(
        .tensor,
        "an MXINT8 tensor is a pair of I8 and F8_E8M0, "
          + "not of \(payload.dtype.rawValue) and \(scale.dtype.rawValue)")
    }
    let axis = try Self.normalised(axis, rank: payload.rank)
    let needed = Self.scaleShape(payload.shape, axis: axis)
    guard scale.shape == needed else {
      throw NPUError(
        .tensor,
        "the scales have shape \(scale.shape); a payload of shape \(payload.shape) "
          + "with blocks along axis \(axis) needs \(needed)")
    }
    self.payload = payload
    self.scale = scale
    self.axis = axis
  }

  /// The payload's dimensions.
  public var shape: [Int] { payload.shape }

  /// The shape of the scales of a payload with blocks along `axis` (0 ..< rank).
  static func scaleShape(_ shape: [Int], axis: Int) -> [Int] {
    var scales = shape
    scales[axis] = shape[axis] / blockSize + (shape[axis] % blockSize == 0 ? 0 : 1)
    return scales
  }

  /// An axis counted from 0, from one that may count from the end.
  ///
  /// - Throws: `.tensor` when there is no such dimension.
  static func normalised(_ axis: Int, rank: Int) throws(NPUError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw NPUError(.tensor, "axis \(axis) is not a dimension of a tensor of rank \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// The value of every element, row-major in the payload's shape. Exact, but for the payload −128
  /// under the largest scale, −2^128, which FP32 does not hold and which gives −infinity. NaN
  /// throughout a block whose scale is NaN.
  public func floats() -> [Float] {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let length = shape[axis]
    let blocks = scale.shape[axis]
    let count = payload.elementCount
    return [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      payload.storage.withUnsafeBytes { payload in
        scale.storage.withUnsafeBytes { scale in
          var index = 0
          for outer in 0..<(count == 0 ? 0 : count / (length * inner)) {
            for position in 0..<length {
              let row = (outer * blocks + position / Self.blockSize) * inner
              for column in 0..<inner {
                let bits = scale[row + column]
                buffer[index] = MXINT8.decode(
                  Int8(bitPattern: payload[index]), scale: E8M0(bits: bits))
                index += 1
              }
            }
          }
        }
      }
      initializedCount = count
    }
  }
}
