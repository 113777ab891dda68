/// Which bytes of a tile that is read nobody wrote, and who should have: the words of I001.
///
/// It looks at what micro-ops write, whatever their order; a tile whose every byte is written somewhere
/// is read too early.
struct UnwrittenBytes {
  /// What is known of a read.
  struct Account {
    /// The part that is missing, with what is written.
    var message: String
    /// What to write.
    var part: String
    /// The micro-op that wrote the rest, or the next best.
    var writer: Finding.Site?
    var region: Region?
  }

  /// Reads that are explained: each is compared with every tile that its memory is written through.
  static let most = 32

  private let program: Program
  private let layout: TileLayout
  private let writer: FindingWriter
  /// Writes to buffers that share bytes with those of the reads, by footprint.
  private var writes: [Int: Write] = [:]

  /// A footprint that is written, with its first and its last writer of each core.
  private struct Write {
    var tile: UInt32
    var isFilled: Bool
    var sites: [(first: Finding.Site, last: Finding.Site)]
  }

  init(
    _ program: Program, layout: TileLayout, _ writer: FindingWriter,
    reads: some Collection<UninitialisedRead>
  ) {
    self.program = program
    self.layout = layout
    self.writer = writer
    guard !reads.isEmpty else { return }
    let buffers = program.buffers
    let own = Set(reads.map { program.tiles[Int($0.tile)].buffer })
    let isWanted = buffers.map { other in
      own.contains { Self.shareBytes(buffers[Int($0)], other) }
    }
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.accessBits & 0x222222 != 0 {
        for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
          let tile = record.words[k]
          guard isWanted[Int(program.tiles[Int(tile)].buffer)],
            layout.contains(program.tiles[Int(tile)])
          else { continue }
          let isFilled = record.access(k).contains(.zeroFill)
          note(tile, isFilled: isFilled, Finding.Site(core: core, op: op))
        }
      }
    }
  }

  private mutating func note(_ tile: UInt32, isFilled: Bool, _ site: Finding.Site) {
    let key = AtomTable.footprint(tile: tile, filled: isFilled)
    var write = writes[key] ?? Write(tile: tile, isFilled: isFilled, sites: [])
    if let last = write.sites.last, last.last.core == site.core {
      write.sites[write.sites.count - 1].last = site
    } else {
      write.sites.append((site, site))
    }
    writes[key] = write
  }

  private static func shareBytes(_ a: Buffer, _ b: Buffer) -> Bool {
    guard a.space == b.space, a.core == b.core else { return false }
    func meet(_ start: Int, _ count: Int, _ other: Int, _ otherCount: Int) -> Bool {
      start < other + otherCount && other < start + count
    }
    return meet(a.base, a.payloadExtent, b.base, b.payloadExtent)
      || meet(a.scaleBase, a.scaleExtent, b.scaleBase, b.scaleExtent)
  }

  // MARK: Account

  /// Rows of a tile as they lie in its buffer, payload or scales.
  private struct Frame {
    var plane: Plane
    var base: Int
    var pitch: Int
    var rows: Int
    var runBytes: Int
    /// Row of the buffer that the first one is.
    var firstRow: Int
    var isScale: Bool

    var grid: GridRect { GridRect(rows: 0..<rows, columns: 0..<runBytes) }

    func region(_ part: GridRect) -> Region {
      Region(
        plane: plane, base: base + part.rows.lowerBound * pitch + part.columns.lowerBound,
        pitch: pitch, runBytes: part.columns.count, rows: part.rows.count)
    }
  }

  /// What a read finds unwritten; `nil` where all of it is written before it in program order, but not
  /// ordered before it.
  func account(of read: UninitialisedRead) -> Account? {
    let tile = program.tiles[Int(read.tile)]
    let candidates = writes.sorted { $0.key < $1.key }.map(\.value).filter { write in
      write.sites.contains { isCandidate($0.first, read) }
    }
    // What nobody writes, else what is written only later.
    for isLate in [false, true] {
      let earlier =
        isLate
        ? candidates.filter { $0.sites.contains { isBefore($0.first, read) } } : candidates
      for frame in frames(of: tile) {
        guard let gap = gap(of: frame, left: earlier) else { continue }
        return account(read, tile, gap, of: frame, isLate: isLate, candidates)
      }
    }
    return nil
  }

  /// Only the read itself is none: what shares bytes on chip is the core's own.
  private func isCandidate(_ site: Finding.Site, _ read: UninitialisedRead) -> Bool {
    site != Finding.Site(core: read.core, op: read.op)
  }

  /// Other cores are not compared: barriers order them, not places in a list.
  private func isBefore(_ site: Finding.Site, _ read: UninitialisedRead) -> Bool {
    site.core != read.core || site.op < read.op
  }

  private func frames(of tile: TileRef) -> [Frame] {
    let buffer = program.buffers[Int(tile.buffer)]
    let (slot, column) = (Int(tile.slot), Int(tile.column))
    let base = buffer.base + slot * buffer.slotStride + column * buffer.format.bytes
    let scales = buffer.scaleBase + slot * buffer.scaleSlotStride
    let isAcross = tile.axis == .alongColumns
    var result: [Frame] = []
    layout.forEachRun(of: tile) { run in
      result.append(
        Frame(
          plane: Plane(payloadOf: tile.space), base: base + run.lowerBound * buffer.pitch,
          pitch: buffer.pitch, rows: run.count, runBytes: Int(tile.columns) * buffer.format.bytes,
          firstRow: run.lowerBound, isScale: false))
    }
    guard tile.format == .mxint8 else { return result }
    layout.forEachRun(of: tile) { run in
      let row = isAcross ? run.lowerBound : run.lowerBound / 32
      result.append(
        Frame(
          plane: Plane(scalesOf: tile.space),
          base: scales + row * buffer.scalePitch + (isAcross ? column / 32 : column),
          pitch: buffer.scalePitch, rows: isAcross ? run.count : (run.count + 31) / 32,
          runBytes: isAcross ? (Int(tile.columns) + 31) / 32 : Int(tile.columns), firstRow: row,
          isScale: true))
    }
    return result
  }

  /// The first part of a frame that none of some writes covers.
  private func gap(of frame: Frame, left writes: [Write]) -> GridRect? {
    let whole = frame.region(frame.grid)
    var cover = RectCover(frame.grid)
    for write in writes {
      for other in layout.regions(program.tiles[Int(write.tile)], padded: write.isFilled)
      where other.overlaps(whole) { Self.cover(other, in: frame, &cover) }
    }
    return cover.gaps(limit: 1).rects.first
  }

  private static func cover(_ other: Region, in frame: Frame, _ cover: inout RectCover) {
    for row in 0..<other.rows {
      let start = other.base + row * other.pitch - frame.base
      let end = start + other.runBytes
      let first = max(0, start / frame.pitch)
      let last = min(frame.rows - 1, (end - 1) / frame.pitch)
      for line in first..<max(first, last + 1) {
        let columns = max(0, start - line * frame.pitch)..<max(0, end - line * frame.pitch)
        cover.add(GridRect(rows: line..<line + 1, columns: columns))
      }
    }
  }

  // MARK: Words

  private func account(
    _ read: UninitialisedRead, _ tile: TileRef, _ gap: GridRect, of frame: Frame, isLate: Bool,
    _ candidates: [Write]
  ) -> Account {
    let name = program.buffers[Int(tile.buffer)].name
    let part = part(gap, of: frame, tile)
    let nearest = nearest(candidates, read, tile)
    var message = "nothing writes \(part) of it" + (isLate ? " before" : "")
    if let nearest {
      message +=
        "; \(writer.describe(nearest.site)) writes \(isLate ? "" : "only ")"
        + program.describe(program.tiles[Int(nearest.tile)]) + (isLate ? " later" : "")
    } else {
      message += ", nor anything of \(name)"
    }
    return Account(
      message: message, part: "\(part) of \(name)", writer: nearest?.site,
      region: frame.region(gap))
  }

  /// The write that should have been larger, or earlier: the last before the read that wrote some of it,
  /// else of its slot, else of its buffer; else the first one of all.
  private func nearest(
    _ candidates: [Write], _ read: UninitialisedRead, _ tile: TileRef
  ) -> (site: Finding.Site, tile: UInt32)? {
    var best: (rank: Int, site: Finding.Site, tile: UInt32)?
    for write in candidates {
      let ref = program.tiles[Int(write.tile)]
      var rank = ref.buffer == tile.buffer ? (ref.slot == tile.slot ? 3 : 2) : 1
      if layout.overlap(ref, padded: write.isFilled, tile) { rank = 4 }
      for pair in write.sites where isCandidate(pair.first, read) {
        let isBefore = isBefore(pair.first, read)
        let site = isBefore && self.isBefore(pair.last, read) ? pair.last : pair.first
        let own = isBefore ? rank + 4 : rank
        let isBetter =
          best.map {
            own > $0.rank
              || own == $0.rank
                && (isBefore ? $0.site.op < site.op : site.op < $0.site.op)
          } ?? true
        if isBetter { best = (own, site, write.tile) }
      }
    }
    return best.map { ($0.site, $0.tile) }
  }

  /// `columns 64 to 127`, `rows 8 to 15, columns 0 to 31`; what all rows or columns of the tile have in
  /// common goes without saying.
  private func part(_ gap: GridRect, of frame: Frame, _ tile: TileRef) -> String {
    let row = frame.firstRow + gap.rows.lowerBound
    let (first, last) = (gap.columns.lowerBound, gap.columns.upperBound - 1)
    var parts: [String] = []
    if frame.isScale {
      let isAcross = tile.axis == .alongColumns
      let unit = isAcross ? ("row", "block") : ("block", "column")
      let column = isAcross ? Int(tile.column) / 32 : Int(tile.column)
      parts.append(GridRect.range(unit.0, row, row + gap.rows.count - 1))
      parts.append(GridRect.range(unit.1, column + first, column + last))
      return "the scales of " + parts.joined(separator: ", ")
    }
    let size = tile.format.bytes
    if gap.rows.count < Int(tile.rows) || gap.columns.count == frame.runBytes {
      parts.append(GridRect.range("row", row, row + gap.rows.count - 1))
    }
    if gap.columns.count < frame.runBytes {
      let column = Int(tile.column)
      parts.append(GridRect.range("column", column + first / size, column + last / size))
    }
    return parts.joined(separator: ", ")
  }
}
