/// The results of one micro-op between the reading of its sources and their becoming visible.
public struct StagedWrites {
  var pending: [StagedWrite] = []

  public init() {}

  /// The tiles that wait to be written.
  public var tiles: [TileRef] { pending.map(\.tile) }
}

/// One destination tile and a dense copy of it that the micro-op writes instead.
struct StagedWrite {
  let tile: TileRef
  /// The tile in memory.
  let target: TileView
  let zeroFill: Bool
  /// The copy.
  let view: TileView
  private let storage: Storage

  /// Owns the copy's bytes.
  private final class Storage {
    let bytes: UnsafeMutablePointer<UInt8>

    init(count: Int) {
      bytes = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
        .bindMemory(to: UInt8.self, capacity: count)
      bytes.initialize(repeating: 0, count: count)
    }

    deinit { bytes.deallocate() }
  }

  init(tile: TileRef, target: TileView, zeroFill: Bool) {
    self.tile = tile
    self.target = target
    self.zeroFill = zeroFill
    let paddedRows = roundUp(target.rows, to: 32)
    let pitch = roundUp(target.columns * target.format.bytes, to: 64)
    let scalePitch = roundUp(target.scaleColumns, to: 64)
    let payloadBytes = paddedRows * pitch
    storage = Storage(count: payloadBytes + target.scaleRows * scalePitch + 64)
    view = TileView(
      payload: storage.bytes, pitch: pitch, scales: storage.bytes + payloadBytes,
      scalePitch: scalePitch, rows: target.rows, columns: target.columns, format: target.format,
      axis: target.axis, rowList: nil)
  }

  private var payloadRows: Int {
    zeroFill && tile.format == .mxint8 && tile.axis == .alongRows
      ? roundUp(target.rows, to: 32) : target.rows
  }

  private var payloadBytes: Int {
    let columns =
      zeroFill && tile.format == .mxint8 && tile.axis == .alongColumns
      ? roundUp(target.columns, to: 32) : target.columns
    return columns * target.format.bytes
  }

  func copyIn() { copy(from: target, to: view) }

  func copyIn(from other: TileView) { copy(from: other, to: view) }

  func copyOut() { copy(from: view, to: target) }

  private func copy(from source: TileView, to destination: TileView) {
    for row in 0..<payloadRows {
      destination.row(row).update(from: source.row(row), count: payloadBytes)
    }
    guard tile.format == .mxint8 else { return }
    for row in 0..<source.scaleRows {
      destination.scaleRow(row).update(from: source.scaleRow(row), count: source.scaleColumns)
    }
  }
}
