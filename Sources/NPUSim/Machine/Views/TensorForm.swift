/// What a tensor in HBM is without its name and place: a format, a shape and the axis of its blocks.
/// Its elements lie without gaps, the last dimension fastest; so do its scales.
public struct TensorForm: Sendable, Hashable, CustomStringConvertible {
  public let format: ElementFormat
  /// The dimensions, outermost first, none of them 0.
  public let shape: [Int]
  /// The block axis of MXINT8: the last dimension, or the last but one.
  public let axis: BlockAxis
  /// How many elements there are.
  public let elements: Int

  /// Throws `.tensor` for a dimension below 1, for more elements than can be counted, and for blocks
  /// along a dimension that there is not.
  public init(
    _ format: ElementFormat, _ shape: [Int], axis: BlockAxis = .alongColumns
  ) throws(NPUError) {
    guard shape.allSatisfy({ $0 > 0 }) else {
      throw NPUError(.tensor, "found the shape \(shape), needed dimensions of at least 1")
    }
    guard format != .mxint8 || shape.count >= (axis == .alongColumns ? 1 : 2) else {
      throw NPUError(
        .tensor, "found the shape \(shape), which has no dimension for the blocks of MXINT8",
        hint: axis == .alongRows ? "blocks run along the last dimension of a vector" : nil)
    }
    elements = try Self.product(shape)
    self.format = format
    self.shape = shape
    self.axis = format == .mxint8 ? axis : .alongColumns
  }

  /// Products of it with the bytes of an element are still far from the largest integer.
  private static let mostElements = 1 << 48

  private static func product(_ shape: [Int]) throws(NPUError) -> Int {
    var elements = 1
    for dimension in shape {
      let (product, isOver) = elements.multipliedReportingOverflow(by: dimension)
      guard !isOver, product <= mostElements else {
        throw NPUError(
          .tensor, "found the shape \(shape), needed at most \(mostElements) elements")
      }
      elements = product
    }
    return elements
  }

  /// The last dimension, the last but one, and all others as one.
  public var columns: Int { shape.last ?? 1 }
  public var rows: Int { shape.count > 1 ? shape[shape.count - 2] : 1 }
  public var slots: Int { elements / (rows * columns) }

  public var payloadBytes: Int { elements * format.bytes }

  /// Bytes of the scales; 0 unless MXINT8.
  public var scaleBytes: Int {
    guard format == .mxint8 else { return 0 }
    let block = MXINT8.blockSize
    return switch axis {
    case .alongColumns: slots * rows * ((columns + block - 1) / block)
    case .alongRows: slots * ((rows + block - 1) / block) * columns
    }
  }

  /// Whether no row ends within a block, so that scales follow one another as the elements do.
  var hasWholeBlocks: Bool {
    format != .mxint8 || axis == .alongColumns && columns % MXINT8.blockSize == 0
  }

  /// Where the scale of an element is among the scales.
  func scale(of element: Int) -> Int {
    let block = MXINT8.blockSize
    let (row, column) = (element / columns, element % columns)
    switch axis {
    case .alongColumns: return row * ((columns + block - 1) / block) + column / block
    case .alongRows:
      let line = row / rows * ((rows + block - 1) / block) + row % rows / block
      return line * columns + column
    }
  }

  /// `bf16 [32, 4096]`.
  public var description: String {
    let blocks = format == .mxint8 ? " with blocks along dimension \(blockDimension)" : ""
    return "\(format.name) \(shape)\(blocks)"
  }

  private var blockDimension: Int { shape.count - (axis == .alongColumns ? 1 : 2) }
}
