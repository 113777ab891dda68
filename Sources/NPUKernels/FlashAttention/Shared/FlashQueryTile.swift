import NPUSim

/// Some queries of one head that a prefill program works on together.
struct FlashQueryTile: Sendable, Hashable {
  /// Sequence and head: the index in q and out.
  var head: Int
  /// The sequence and kv head that it reads.
  var group: Int
  /// Positions among the queries of the head.
  var queries: Range<Int>
  /// First row in q, out and lse.
  var firstRow: Int

  var rows: Int { queries.count }

  /// All tiles of a kernel: group by group, in a group position by position, and at one position head
  /// by head, so that neighbours see nearly the same keys.
  static func all(_ form: FlashShape, tileQ: Int) -> [FlashQueryTile] {
    var result: [FlashQueryTile] = []
    for group in 0..<form.groups {
      let heads = group / form.kvHeads * form.heads + group % form.kvHeads * form.headsPerGroup
      for first in stride(from: 0, to: form.queries, by: tileQ) {
        for head in heads..<heads + form.headsPerGroup {
          result.append(
            FlashQueryTile(
              head: head, group: group, queries: first..<min(first + tileQ, form.queries),
              firstRow: head * form.queries + first))
        }
      }
    }
    return result
  }

  /// The tiles of one core: whole groups while there are enough of them, else contiguous tiles.
  static func share(
    _ form: FlashShape, tileQ: Int, core: Int, of cores: Int
  ) -> ArraySlice<FlashQueryTile> {
    let tiles = all(form, tileQ: tileQ)
    guard form.groups >= cores else {
      return tiles[WorkSplit.range(tiles.count, core: core, of: cores)]
    }
    let perGroup = tiles.count / form.groups
    let groups = WorkSplit.range(form.groups, core: core, of: cores)
    return tiles[groups.lowerBound * perGroup..<groups.upperBound * perGroup]
  }

  /// The keys that a query of the tile sees.
  func keys(_ form: FlashShape) -> Range<Int> {
    let last = form.keys(queries.upperBound - 1)
    return last.isEmpty ? 0..<0 : form.keys(queries.lowerBound).lowerBound..<last.upperBound
  }

  /// Rows of the tile whose query sees no key: the first ones.
  func blindRows(_ form: FlashShape) -> Int {
    max(0, min(form.blindQueries, queries.upperBound) - queries.lowerBound)
  }

  /// The parts of a range of keys in which some query of the tile does not see every key, widened to
  /// `granule` columns from the start of the range; one part where they meet.
  func masked(_ keys: Range<Int>, _ form: FlashShape, granule: Int) -> [Range<Int>] {
    guard form.isMasked else { return [] }
    // What all queries see: from where the last one begins to where the first one ends.
    let start = form.keys(queries.upperBound - 1).lowerBound
    let end = form.keys(queries.lowerBound).upperBound
    let left = max(0, min(keys.count, start - keys.lowerBound))
    let right = max(0, min(keys.count, end - keys.lowerBound))
    let leftEnd = min(keys.count, (left + granule - 1) / granule * granule)
    let rightStart = right / granule * granule
    if leftEnd >= rightStart {
      return left == 0 && right == keys.count ? [] : [keys]
    }
    var parts: [Range<Int>] = []
    if leftEnd > 0 { parts.append(keys.lowerBound..<keys.lowerBound + leftEnd) }
    if right < keys.count { parts.append(keys.lowerBound + rightStart..<keys.upperBound) }
    return parts
  }

  /// The mask of rows `rows` × keys `keys` of the tile, in place on `scores`.
  func mask(_ scores: Tile<UB>, keys: Range<Int>, _ form: FlashShape) -> Mask {
    Mask(
      scores, scores, row: form.position(queries.lowerBound), column: keys.lowerBound,
      causal: true, window: form.window)
  }
}
