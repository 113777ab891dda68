/// Where a transfer goes: one conforming type for each way between two memories.
public protocol TransferRoute: Sendable {
  associatedtype Source: MemorySpace
  associatedtype Destination: MemorySpace
  static var mnemonic: String { get }
  static var path: TransferPath { get }
  /// Whether the HBM end takes its rows from an index list.
  static var isListed: Bool { get }
}

extension TransferRoute {
  public static var isListed: Bool { false }
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

/// HBM rows of an index list to `l1`.
public enum GatherL1Route: TransferRoute {
  public typealias Source = HBM
  public typealias Destination = L1
  public static let mnemonic = "load.gather_l1"
  public static let path = TransferPath.hbmToL1
  public static let isListed = true
}

/// HBM rows of an index list to `ub`.
public enum GatherUBRoute: TransferRoute {
  public typealias Source = HBM
  public typealias Destination = UB
  public static let mnemonic = "load.gather_ub"
  public static let path = TransferPath.hbmToUB
  public static let isListed = true
}

/// `ub` to HBM rows of an index list.
public enum ScatterHBMRoute: TransferRoute {
  public typealias Source = UB
  public typealias Destination = HBM
  public static let mnemonic = "store.scatter"
  public static let path = TransferPath.ubToHBM
  public static let isListed = true
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
/// `load.gather_l1`: HBM rows of an index list to `l1`.
public typealias GatherL1 = Transfer<GatherL1Route>
/// `load.gather_ub`: HBM rows of an index list to `ub`.
public typealias GatherUB = Transfer<GatherUBRoute>
/// `store.scatter`: `ub` to HBM rows of an index list.
public typealias StoreScatter = Transfer<ScatterHBMRoute>

/// Copies a tile: `destination = source`, same shape, format and block axis.
///
/// Load and feed of an MXINT8 tile zero-fill the last 32-block along the block axis; the filled
/// bytes pass the port. A gather or scatter takes the rows of its HBM end from an index list, which
/// a scatter may not repeat; each row is rounded out to bursts unless rows touch.
public struct Transfer<Route: TransferRoute>: MicroOp {
  public var destination: Tile<Route.Destination>
  public var source: Tile<Route.Source>

  public static var mnemonic: String { Route.mnemonic }
  public static var queue: Queue { Route.path.queue }
  public static var summary: String {
    let from = Route.Source.space == .hbm && Route.isListed ? "listed rows of " : ""
    let to = Route.Destination.space == .hbm && Route.isListed ? "listed rows of " : ""
    return "copies a tile from \(from)\(Route.Source.space.name) to "
      + "\(to)\(Route.Destination.space.name); same shape, format and block axis"
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

  public func legality(_ layout: TileLayout) -> OperandFault? {
    if let wrong = TileRules.copy(destination.ref, source.ref) { return wrong }
    guard Route.isListed else {
      return destination.ref.indexList == 0 && source.ref.indexList == 0
        ? nil : "found rows of an index list, needed a rectangle: use a gather or a scatter"
    }
    let isScatter = Route.Destination.space == .hbm
    let listed = isScatter ? destination.ref : source.ref
    let plain = isScatter ? source.ref : destination.ref
    if listed.indexList == 0 || plain.indexList != 0 {
      return "needed an index list on the hbm side and none on the other"
    }
    if listed.format == .mxint8 && listed.axis == .alongRows {
      return .tile(
        listed, found: "in blocks along rows", needed: "blocks along columns: rows are moved apart",
        remedy: .blocks(.alongColumns))
    }
    return isScatter ? TileRules.distinctRows(listed, layout) : nil
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
    if Route.isListed {
      for row in 0..<from.rows { to.row(row).update(from: from.row(row), count: bytes) }
    } else {
      Bulk.copyRows(
        to.payload, pitch: to.pitch, from: from.payload, pitch: from.pitch, bytes: bytes,
        rows: from.rows)
    }
    guard from.format == .mxint8 else { return }
    if Route.isListed {
      for row in 0..<from.scaleRows {
        to.scaleRow(row).update(from: from.scaleRow(row), count: from.scaleColumns)
      }
    } else {
      Bulk.copyRows(
        to.scales, pitch: to.scalePitch, from: from.scales, pitch: from.scalePitch,
        bytes: from.scaleColumns, rows: from.scaleRows)
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
