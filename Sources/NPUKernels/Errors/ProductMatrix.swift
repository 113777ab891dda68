import NPUSim

/// The right operand of a product as references need it: MXINT8 blocks along the depth, in one or more
/// slabs (heads), with the values before an encode on chip.
struct ProductMatrix: Sendable {
  /// How elements lie: each line along the depth is contiguous, or each row of all lines is.
  enum Layout: Sendable { case lines, columns }

  let layout: Layout
  let lines: Int
  let depth: Int
  let payload: ReferencePayload
  let scales: [UInt8]
  /// The values before the encode; empty where the operand came as MXINT8.
  let values: [Float]
  /// What the encode moves an element of each block by at most; empty likewise.
  let moved: [Float]
  /// Σ payload² of each block, by the scales' order; empty where no row is encoded.
  private(set) var energies: [Int32] = []

  var blocks: Int { MXINT8.blocks(depth) }

  /// An operand that was given as MXINT8.
  init(
    payload: ReferencePayload, scales: [UInt8], lines: Int, depth: Int, layout: Layout,
    hasEnergies: Bool
  ) {
    self.layout = layout
    self.lines = lines
    self.depth = depth
    self.payload = payload
    self.scales = scales
    values = []
    moved = []
    if hasEnergies { measure() }
  }

  /// The encode of values, as part of each stage that takes the operand.
  init(encoding values: [Float], slabs: Int = 1, lines: Int, depth: Int, layout: Layout) {
    let blocks = ReferenceBlocks.encode(
      values, slabs: slabs, lines: lines, depth: depth, lineStride: layout == .lines ? depth : 1,
      stride: layout == .lines ? 1 : lines)
    self.layout = layout
    self.lines = lines
    self.depth = depth
    payload = ReferencePayload(blocks.payload)
    scales = blocks.scales
    self.values = values
    moved = blocks.moved.map { Float($0) }
    measure()
  }

  private mutating func measure() {
    energies = [Int32](repeating: 0, count: scales.count)
    let (depth, blocks, lines) = (depth, blocks, lines)
    let isContiguous = layout == .lines
    payload.withUnsafeBufferPointer { payload in
      energies.withUnsafeMutableBufferPointer { energies in
        // A row is a line, or what one place of all lines holds.
        let width = isContiguous ? depth : lines
        let rows = width == 0 ? 0 : payload.count / width
        for row in 0..<rows {
          for place in 0..<width {
            let factor = Int32(payload[row &* width &+ place])
            let block =
              isContiguous
              ? row &* blocks &+ place / 32
              : (row / depth &* blocks &+ row % depth / 32) &* lines &+ place
            energies[block] &+= factor &* factor
          }
        }
      }
    }
  }

  /// The first element and scale of a line of a slab, and how far the next of each is along the depth.
  @inline(__always)
  func place(slab: Int, line: Int) -> (element: Int, scale: Int, stride: Int) {
    layout == .lines
      ? ((slab * lines + line) * depth, (slab * lines + line) * blocks, 1)
      : (slab * depth * lines + line, slab * blocks * lines + line, lines)
  }
}
