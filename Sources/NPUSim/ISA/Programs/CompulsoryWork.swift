/// What an algorithm must move and compute at least, whatever its schedule: the work behind the
/// roofline.
///
/// Each tensor byte counts once, operands without padding, each pass of the algorithm over its
/// elements once.
public struct CompulsoryWork: Sendable, Hashable {
  /// Useful bytes, indexed by ``TransferPath/index``.
  public private(set) var bytes: [Int64]
  /// Elements, indexed by ``VectorClass/index``.
  public private(set) var elements: [Int64]
  /// Multiply-accumulates.
  public var macs: Int64

  /// Nothing yet.
  public init() {
    bytes = Array(repeating: 0, count: TransferPath.count)
    elements = Array(repeating: 0, count: VectorClass.count)
    macs = 0
  }

  /// The work that a program itself asks for, summed over its micro-ops.
  public init(of program: Program) {
    self.init()
    var uses = [Int64](repeating: 0, count: program.works.count)
    for core in program.cores {
      for record in core where record.kind == .data { uses[Int(record.work)] += 1 }
    }
    for (work, count) in zip(program.works, uses) where count > 0 {
      if let path = work.path { move(work.usefulBytes.multipliedClamped(by: count), path) }
      if let vectorClass = work.vectorClass {
        pass(work.elements.multipliedClamped(by: count), vectorClass)
      }
      macs = macs.addedClamped(to: work.macs.multipliedClamped(by: count))
    }
  }

  /// Adds `count` bytes on a path.
  public mutating func move(_ count: Int64, _ path: TransferPath) {
    bytes[path.index] = bytes[path.index].addedClamped(to: count)
  }

  /// Adds a pass of a vector class over `count` elements.
  public mutating func pass(_ count: Int64, _ vectorClass: VectorClass) {
    elements[vectorClass.index] = elements[vectorClass.index].addedClamped(to: count)
  }
}

extension Int64 {
  /// The sum, or the largest value where it does not fit; both operands non-negative.
  public func addedClamped(to other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product, or the largest value where it does not fit; both operands non-negative.
  func multipliedClamped(by other: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
