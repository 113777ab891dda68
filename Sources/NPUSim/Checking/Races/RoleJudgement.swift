/// I002 and I003: outputs that are not written whole, and inputs that are written.
///
/// Both are a matter of what the tiles cover, whatever the order, and are found in one pass over the
/// tiles. Scale bytes need no look of their own: a tile starts on a whole block, so where all elements
/// are written all scales are.
struct RoleJudgement {
  private let program: Program
  private let layout: TileLayout
  private let use: TileUse
  private let writer: FindingWriter

  /// Gaps that a finding names.
  private static let named = 3

  init(_ program: Program, layout: TileLayout, use: TileUse, _ writer: FindingWriter) {
    self.program = program
    self.layout = layout
    self.use = use
    self.writer = writer
  }

  /// The findings, by buffer. Outputs are only judged where every tile is one: a write that lies
  /// outside of its buffer would be reported twice.
  func findings() -> [Finding] {
    var covers: [UInt32: RectCover] = [:]
    if use.unsound.isEmpty && program.defects.isEmpty {
      for (index, buffer) in program.buffers.enumerated() where buffer.role == .output {
        covers[UInt32(index)] = RectCover(Self.frame(buffer))
      }
    }
    let roles = program.buffers.map(\.role)
    var writtenInputs: Set<UInt32> = []
    for (index, tile) in program.tiles.enumerated()
    where use.flags[index] & (TileUse.written | TileUse.filled) != 0 {
      switch roles[Int(tile.buffer)] {
      case .input: writtenInputs.insert(tile.buffer)
      case .output: cover(tile, &covers)
      case .inputOutput, .scratch: break
      }
    }
    let gaps = covers.mapValues { $0.gaps(limit: Self.named) }.filter { $0.value.count > 0 }
    if gaps.isEmpty && writtenInputs.isEmpty { return [] }
    let writes = writes(to: writtenInputs.union(gaps.keys))
    return program.buffers.indices.map(UInt32.init).compactMap { buffer in
      if let gaps = gaps[buffer] { return unwritten(buffer, gaps, writes[buffer]) }
      return writtenInputs.contains(buffer) ? writes[buffer].map { overwritten(buffer, $0) } : nil
    }
  }

  // MARK: Coverage

  /// The elements of a buffer, the rows of one slot behind those of the other.
  private static func frame(_ buffer: Buffer) -> GridRect {
    GridRect(rows: 0..<buffer.slots * buffer.rows, columns: 0..<buffer.columns)
  }

  /// Nothing that writes to HBM fills up a last block.
  private func cover(_ tile: TileRef, _ covers: inout [UInt32: RectCover]) {
    let slot = Int(tile.slot) * program.buffers[Int(tile.buffer)].rows
    let columns = Int(tile.column)..<Int(tile.column + tile.columns)
    layout.forEachRun(of: tile) { run in
      covers[tile.buffer]?.add(
        GridRect(rows: slot + run.lowerBound..<slot + run.upperBound, columns: columns))
    }
  }

  // MARK: Sites

  /// The writes to a buffer.
  private struct Writes {
    var count = 0
    var first: (site: Finding.Site, tile: UInt32)
    var last: (site: Finding.Site, tile: UInt32)
  }

  /// The writes to some buffers.
  private func writes(to buffers: Set<UInt32>) -> [UInt32: Writes] {
    var result: [UInt32: Writes] = [:]
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.accessBits & 0x222222 != 0 {
        for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
          let tile = record.words[k]
          guard Int(tile) < program.tiles.count, use.flags[Int(tile)] != 0,
            buffers.contains(program.tiles[Int(tile)].buffer)
          else { continue }
          let here = (Finding.Site(core: core, op: op), tile)
          let buffer = program.tiles[Int(tile)].buffer
          result[buffer, default: Writes(first: here, last: here)].last = here
          result[buffer]?.count += 1
        }
      }
    }
    return result
  }

  // MARK: Findings

  private func unwritten(_ index: UInt32, _ gaps: RectCover.Gaps, _ writes: Writes?) -> Finding {
    let buffer = program.buffers[Int(index)]
    let places = gaps.rects.map { place($0, in: buffer) }
    let listed = places.joined(separator: "; ") + (gaps.areMore ? "; and more" : "")
    let last = writes.map {
      "; the last write, by \(writer.describe($0.last.site)), is that of "
        + program.describe(program.tiles[Int($0.last.tile)])
    }
    let first = gaps.rects.first ?? Self.frame(buffer)
    return Finding(
      .I002,
      "no micro-op writes \(listed) of the output \(buffer.name): \(gaps.count) of its "
        + "\(Self.frame(buffer).count) elements have no value\(last ?? "")",
      sites: writes.map { [$0.last.site] } ?? [], buffer: index, region: region(first, in: buffer),
      fix: "write them, or declare \(buffer.name) .update (in Swift, role: .inputOutput) where old "
        + "words are meant to stay")
  }

  private func overwritten(_ index: UInt32, _ writes: Writes) -> Finding {
    let name = program.buffers[Int(index)].name
    let tile = program.tiles[Int(writes.first.tile)]
    return Finding(
      .I003,
      "\(writer.describe(writes.first.site)) writes \(program.describe(tile)), but \(name) is an input: "
        + "a dump holds the words that were given",
      sites: [writes.first.site], buffer: index, region: layout.regions(tile).first,
      fix: "declare \(name) .update (in Swift, role: .inputOutput), or write to another tensor",
      folded: writes.count - 1)
  }

  /// Elements of a tensor as `slot 2, rows 16 to 31, columns 64 to 127`; the columns where they are not
  /// all.
  private func place(_ rect: GridRect, in buffer: Buffer) -> String {
    var parts: [String] = []
    let (first, last) = (rect.rows.lowerBound, rect.rows.upperBound - 1)
    if buffer.slots == 1 {
      parts.append(GridRect.range("row", first, last))
    } else if first % buffer.rows == 0 && (last + 1) % buffer.rows == 0 {
      parts.append(GridRect.range("slot", first / buffer.rows, last / buffer.rows))
    } else if first / buffer.rows == last / buffer.rows {
      parts.append("slot \(first / buffer.rows)")
      parts.append(GridRect.range("row", first % buffer.rows, last % buffer.rows))
    } else {
      parts.append(
        "slot \(first / buffer.rows), row \(first % buffer.rows) to slot \(last / buffer.rows), row "
          + "\(last % buffer.rows)")
    }
    if rect.columns.count < buffer.columns {
      parts.append(GridRect.range("column", rect.columns.lowerBound, rect.columns.upperBound - 1))
    }
    return parts.joined(separator: ", ")
  }

  /// The payload bytes of some elements: tensors in HBM are dense.
  private func region(_ rect: GridRect, in buffer: Buffer) -> Region {
    let size = buffer.format.bytes
    return Region(
      plane: .hbm,
      base: buffer.base + rect.rows.lowerBound * buffer.pitch
        + rect.columns.lowerBound * size,
      pitch: buffer.pitch, runBytes: rect.columns.count * size, rows: rect.rows.count)
  }
}
