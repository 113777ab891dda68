import NPUSim

/// Query rows that are worked on together: the same queries of some heads, over some kv tiles.
struct FlashDecodeJob {
  /// Heads among batch · heads.
  var heads: Range<Int>
  var queries: Range<Int>
  var split: Int
  var tiles: Range<Int>

  var rows: Int { heads.count * queries.count }

  /// The heads of one kv head and their rows in the job.
  struct Segment {
    var group: Int
    var rows: Range<Int>
  }

  func segments(_ form: FlashShape) -> [Segment] {
    var result: [Segment] = []
    var head = heads.lowerBound
    while head < heads.upperBound {
      let group = head / form.headsPerGroup
      let end = min(heads.upperBound, (group + 1) * form.headsPerGroup)
      let rows = (head - heads.lowerBound)..<(end - heads.lowerBound)
      result.append(
        Segment(
          group: group,
          rows: rows.lowerBound * queries.count..<rows.upperBound * queries.count))
      head = end
    }
    return result
  }

  /// Rows of the job that lie together in q and out.
  struct Run {
    /// First row in the job.
    var row: Int
    /// First row of the tensor.
    var tensorRow: Int
    var count: Int

    /// Its rows in the job.
    var rows: Range<Int> { row..<row + count }
  }

  func runs(_ form: FlashShape) -> [Run] {
    if queries.count == form.queries {
      return [Run(row: 0, tensorRow: heads.lowerBound * form.queries, count: rows)]
    }
    return heads.map { head in
      Run(
        row: (head - heads.lowerBound) * queries.count,
        tensorRow: head * form.queries + queries.lowerBound, count: queries.count)
    }
  }

  /// The jobs of a core: splits, then query tiles, then heads are dealt out in contiguous parts, and
  /// neighbouring kv heads of a part are put together while they fit `tile.heads`.
  static func all(
    _ form: FlashShape, _ plan: FlashSchedule, core: Int, of cores: Int
  ) -> [FlashDecodeJob] {
    let perGroup = form.headsPerGroup
    // A kv head is one piece, or several where its heads are more than a tile takes.
    let pieces = (perGroup - 1) / plan.tileHeads + 1
    let width = pieces == 1 ? perGroup : plan.tileHeads
    let together = max(1, plan.tileHeads / perGroup)
    let units = form.groups * pieces
    let blocks = (form.queries - 1) / plan.tileQ + 1
    let range = WorkSplit.range(form.splits * blocks * units, core: core, of: cores)
    var jobs: [FlashDecodeJob] = []
    var first = range.lowerBound
    while first < range.upperBound {
      let line = first / units
      let end = min(range.upperBound, (line + 1) * units)
      let block = line % blocks * plan.tileQ
      let queries = block..<min(form.queries, block + plan.tileQ)
      let split = line / blocks
      let tiles = form.tiles(split: split, tileKV: plan.tileKV)
        .clamped(to: form.tiles(queries: queries, tileKV: plan.tileKV))
      let parts = pieces == 1 ? (end - first - 1) / together + 1 : end - first
      for part in 0..<parts {
        let units = WorkSplit.range(end - first, core: part, of: parts)
        let low = (first + units.lowerBound) - line * form.groups * pieces
        let high = (first + units.upperBound - 1) - line * form.groups * pieces
        let last = high / pieces * perGroup + min(perGroup, (high % pieces + 1) * width)
        jobs.append(
          FlashDecodeJob(
            heads: low / pieces * perGroup + low % pieces * width..<last, queries: queries,
            split: split, tiles: tiles))
      }
      first = end
    }
    return jobs
  }
}
