/// Where a drain goes: one conforming type for each destination.
public protocol DrainRoute: Sendable {
  associatedtype Destination: MemorySpace
  static var mnemonic: String { get }
  static var path: TransferPath { get }
}

/// `acc` to `ub`.
public enum DrainUBRoute: DrainRoute {
  public typealias Destination = UB
  public static let mnemonic = "drain.ub"
  public static let path = TransferPath.accToUB
}

/// `acc` to HBM.
public enum DrainHBMRoute: DrainRoute {
  public typealias Destination = HBM
  public static let mnemonic = "drain.hbm"
  public static let path = TransferPath.accToHBM
}

/// `acc` to `l1`: the result of one product on its way to the next.
public enum DrainL1Route: DrainRoute {
  public typealias Destination = L1
  public static let mnemonic = "drain.l1"
  public static let path = TransferPath.accToL1
}

/// `drain.ub`: `acc` to `ub`.
public typealias DrainUB = Drain<DrainUBRoute>
/// `drain.hbm`: `acc` to HBM.
public typealias DrainHBM = Drain<DrainHBMRoute>
/// `drain.l1`: `acc` to `l1`, on a machine with that path.
public typealias DrainL1 = Drain<DrainL1Route>

/// Takes accumulators out: `destination = round(source)`, one rounding to the destination's format.
///
/// Bytes are counted in the destination's format: what leaves the unit.
public struct Drain<Route: DrainRoute>: MicroOp {
  public var destination: Tile<Route.Destination>
  public var source: Tile<Acc>
  /// Whether it waits for the matmul that releases `source`, and empties it for the next chain.
  public var unit: Bool

  public static var mnemonic: String { Route.mnemonic }
  public static var queue: Queue { .drain }
  public static var summary: String {
    "moves accumulators to \(Route.Destination.space.name) as bf16 or f32, rounded once"
  }

  public init() { self.init(.placeholder, from: .placeholder) }

  public init(
    _ destination: Tile<Route.Destination>, from source: Tile<Acc>, unit: Bool = false
  ) {
    self.destination = destination
    self.source = source
    self.unit = unit
  }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("destination", &destination, .write)
    visitor.tile("source", &source, .read)
    visitor.unitFlag("unit", &unit)
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    TileRules.first(
      TileRules.path(Route.path, to: destination.ref, layout),
      TileRules.sameShape(destination.ref, source.ref),
      TileRules.format(destination.ref, in: [.bf16, .f32]),
      TileRules.format(source.ref, in: [.bf16, .f32]))
  }

  public func work(_ layout: TileLayout) -> Work {
    TransferWork.of(
      Route.path, source: source.ref, destination: destination.ref, fills: false, layout: layout)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(source)
    let to = datapath.destination(destination)
    datapath.mapRows(to, from) { result, value, count in
      result.update(from: value, count: count)
    }
  }
}
