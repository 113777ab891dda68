/// Where a transfer goes: one conforming type for each way between two memories.
public protocol TransferRoute: Sendable {
  associatedtype Source: MemorySpace
  associatedtype Destination: MemorySpace
  static var mnemonic: String { get }
  static var path: TransferPath { get }
}

/// HBM to `l1`.
public enum LoadL1Route: TransferRoute {
  public typealias Source = HBM
  public typealias Destination = L1
  public static let mnemonic = "load.l1"
  public static let path = TransferPath.hbmToL1
}

/// HBM to `ub`.
public enum LoadUBRoute: TransferRoute {
  public typealias Source = HBM
  public typealias Destination = UB
  public static let mnemonic = "load.ub"
  public static let path = TransferPath.hbmToUB
}

/// `ub` to HBM.
public enum StoreHBMRoute: TransferRoute {
  public typealias Source = UB
  public typealias Destination = HBM
  public static let mnemonic = "store.hbm"
  public static let path = TransferPath.ubToHBM
}

/// `ub` to `l1`.
public enum StoreL1Route: TransferRoute {
  public typealias Source = UB
  public typealias Destination = L1
  public static let mnemonic = "store.l1"
  public static let path = TransferPath.ubToL1
}

/// `l1` to `left`.
public enum FeedLeftRoute: TransferRoute {
  public typealias Source = L1
  public typealias Destination = Left
  public static let mnemonic = "feed.left"
  public static let path = TransferPath.l1ToLeft
}

/// `l1` to `right`.
public enum FeedRightRoute: TransferRoute {
  public typealias Source = L1
  public typealias Destination = Right
  public static let mnemonic = "feed.right"
  public static let path = TransferPath.l1ToRight
}

/// `load.l1`: HBM to `l1`.
public typealias LoadL1 = Transfer<LoadL1Route>
/// `load.ub`: HBM to `ub`.
public typealias LoadUB = Transfer<LoadUBRoute>
/// `store.hbm`: `ub` to HBM.
public typealias StoreHBM = Transfer<StoreHBMRoute>
/// `store.l1`: `ub` to `l1`.
public typealias StoreL1 = Transfer<StoreL1Route>
/// `feed.left`: `l1` to `left`.
public typealias FeedLeft = Transfer<FeedLeftRoute>
/// `feed.right`: `l1` to `right`.
public typealias FeedRight = Transfer<FeedRightRoute>

/// Copies a tile: `destination = source`, same shape, format and block axis.
///
/// Load and feed of an MXINT8 tile zero-fill the last 32-block along the block axis; the filled
/// bytes pass the port.
public struct Transfer<Route: TransferRoute>: MicroOp {
  public var destination: Tile<Route.Destination>
  public var source: Tile<Route.Source>

  public static var mnemonic: String { Route.mnemonic }
  public static var queue: Queue { Route.path.queue }
  public static var summary: String {
    "copies a tile from \(Route.Source.space.name) to \(Route.Destination.space.name); "
      + "same shape, format and block axis"
  }

  public init() { self.init(.placeholder, from: .placeholder) }

  public init(_ destination: Tile<Route.Destination>, from source: Tile<Route.Source>) {
    self.destination = destination
    self.source = source
  }

  /// A store moves what the encode wrote; load and feed fill the block up.
  private static var fills: Bool { queue != .store }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    visitor.tile("destination", &destination, Self.fills ? [.write, .zeroFill] : .write)
    visitor.tile("source", &source, .read)
  }

  public func legality(_ layout: TileLayout) -> String? {
    TileRules.copy(destination.ref, source.ref)
  }

  public func work(_ layout: TileLayout) -> Work {
    TransferWork.of(
      Route.path, source: source.ref, destination: destination.ref, fills: Self.fills,
      layout: layout)
  }

  public func execute(_ datapath: inout Datapath) {
    let from = datapath.source(source)
    let to = datapath.destination(destination, zeroFill: Self.fills)
    let bytes = from.columns * from.format.bytes
    for row in 0..<from.rows { to.row(row).update(from: from.row(row), count: bytes) }
    if from.format == .mxint8 {
      for row in 0..<from.scaleRows {
        to.scaleRow(row).update(from: from.scaleRow(row), count: from.scaleColumns)
      }
    }
  }
}

/// The bytes that transfers ask for.
enum TransferWork {
  /// Useful bytes are the source's; with an end in HBM the port moves whole bursts, otherwise the
  /// useful bytes; zero-filled bytes pass the port too.
  static func of(
    _ path: TransferPath, source: TileRef, destination: TileRef, fills: Bool, layout: TileLayout
  ) -> Work {
    let useful = path.queue == .drain ? destination.usefulBytes : source.usefulBytes
    let filled = fills ? destination.paddedBytes - destination.usefulBytes : 0
    var hbm = 0
    if path.readsHBM { hbm = layout.burstBytes(source) }
    if path.writesHBM { hbm = layout.burstBytes(destination) }
    let touchesHBM = path.readsHBM || path.writesHBM
    return .transfer(path, useful: useful, port: (touchesHBM ? hbm : useful) + filled, hbm: hbm)
  }
}
