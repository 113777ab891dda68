/// Where a transposing feed goes: one conforming type for each operand memory.
public protocol TransposedRoute: Sendable {
  associatedtype Destination: MemorySpace
  static var mnemonic: String { get }
  static var path: TransferPath { get }
}

/// `l1` to `left`, transposed.
public enum FeedLeftTransposedRoute: TransposedRoute {
  public typealias Destination = Left
  public static let mnemonic = "feed.left_transposed"
  public static let path = TransferPath.l1ToLeft
}

/// `l1` to `right`, transposed.
public enum FeedRightTransposedRoute: TransposedRoute {
  public typealias Destination = Right
  public static let mnemonic = "feed.right_transposed"
  public static let path = TransferPath.l1ToRight
}

/// `feed.left_transposed`: `l1` to `left`, transposed.
public typealias FeedLeftTransposed = FeedTransposed<FeedLeftTransposedRoute>
/// `feed.right_transposed`: `l1` to `right`, transposed.
public typealias FeedRightTransposed = FeedTransposed<FeedRightTransposedRoute>

/// Copies an MXINT8 tile transposed: `destination[c, r] = source[r, c]`, scales too.
///
/// Blocks that ran along a row run down a column afterwards; no value changes. The last 32-block
/// along the block axis is zero-filled, and the filled bytes pass the port.
public struct FeedTransposed<Route: TransposedRoute>: MicroOp {
  public var destination: Tile<Route.Destination>
  public var source: Tile<L1>

  public static var mnemonic: String { Route.mnemonic }
  public static var queue: Queue { .feed }
  public static var summary: String {
    "copies an mxint8 tile from l1 to \(Route.Destination.space.name) transposed, "
      + "block axis included"
  }

  public init() { self.init(.placeholder, from: .placeholder) }

  public init(_ destination: Tile<Route.Destination>, from source: Tile<L1>) {
    self.destination = destination
    self.source = source
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("destination", &destination, [.write, .zeroFill])
    visitor.tile("source", &source, .read)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    let a = destination.ref
    let b = source.ref
    if a.rows != b.columns || a.columns != b.rows {
      return TileRules.shape(
        a, rows: Int(b.columns), Int(b.rows), "as the source is transposed")
    }
    if a.format == .mxint8 && b.format == .mxint8 && a.axis == b.axis {
      return .tile(
        a, found: "in blocks along \(TileRules.axis(a)) as the source",
        needed: "the other axis, as it is transposed",
        remedy: .blocks(b.axis == .alongRows ? .alongColumns : .alongRows))
    }
    return TileRules.first(
      TileRules.format(a, in: [.mxint8]), TileRules.format(b, in: [.mxint8]))
  }

  public func work(_ layout: TileLayout) -> Work {
    TransferWork.of(
      Route.path, source: source.ref, destination: destination.ref, fills: true, layout: layout)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(source)
    let to = datapath.destination(destination, zeroFill: true)
    guard from.rowsAreEven && to.rowsAreEven else {
      for row in 0..<to.rows {
        for column in 0..<to.columns { to.row(row)[column] = from.row(column)[row] }
      }
      for row in 0..<to.scaleRows {
        for column in 0..<to.scaleColumns { to.scaleRow(row)[column] = from.scaleRow(column)[row] }
      }
      return
    }
    Bulk.transpose(
      to.payload, pitch: to.pitch, from: from.payload, pitch: from.pitch, rows: to.rows,
      columns: to.columns)
    Bulk.transpose(
      to.scales, pitch: to.scalePitch, from: from.scales, pitch: from.scalePitch,
      rows: to.scaleRows, columns: to.scaleColumns)
  }
}
