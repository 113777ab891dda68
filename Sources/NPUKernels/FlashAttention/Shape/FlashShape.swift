import NPUSim

/// The shape and options of an attention, and which keys each query sees.
struct FlashShape: Sendable, Hashable {
  /// How K and V come.
  enum CacheFormat: String, Sendable, CaseIterable {
    case bf16, mxint8, e4m3fn, e5m2

    var element: ElementFormat {
      switch self {
      case .bf16: .bf16
      case .mxint8: .mxint8
      case .e4m3fn: .e4m3fn
      case .e5m2: .e5m2
      }
    }

    /// The FP8 format of the codes, or `nil`.
    var fp8: FP8Block.Format? {
      switch self {
      case .e4m3fn: .e4m3fn
      case .e5m2: .e5m2
      case .bf16, .mxint8: nil
      }
    }

    var isFP8: Bool { fp8 != nil }
  }

  var batch: Int
  var heads: Int
  var kvHeads: Int
  var queries: Int
  var kv: Int
  var headDim: Int
  var isCausal: Bool
  /// Keys that a query sees at most, its own position included; `nil` is all. It implies the causal
  /// bound.
  var window: Int?
  var kvFormat: CacheFormat
  var splits: Int
  /// Tokens of a page of the cache, or `nil` where K and V are dense.
  var page: Int?
  /// Pages of the cache, or `nil` for those that the sequences take.
  var pool: Int?

  /// Query heads that share one kv head.
  var headsPerGroup: Int { heads / kvHeads }

  /// Pairs of sequence and kv head.
  var groups: Int { batch * kvHeads }

  /// Query rows that share one kv head, contiguous in q and out: head by head, position by position.
  var rowsPerGroup: Int { headsPerGroup * queries }

  /// Query rows in all.
  var rows: Int { batch * heads * queries }

  /// 128-element blocks of a cache row, each with one scale.
  var scaleBlocks: Int { FP8Block.blocks(headDim) }

  /// Pages of one sequence.
  var pagesPerSequence: Int { page.map { (kv + $0 - 1) / $0 } ?? 1 }

  /// Pages of the cache.
  var pages: Int { pool ?? batch * pagesPerSequence }

  /// Whether queries do not see every key.
  var isMasked: Bool { isCausal || window != nil }

  /// The position of query `index` among the keys: the last query is aligned with the last key.
  func position(_ index: Int) -> Int { kv - queries + index }

  /// The keys that query `index` of a head sees: j ≤ p and j > p − window, p its position.
  func keys(_ index: Int) -> Range<Int> {
    guard isMasked else { return 0..<kv }
    let position = position(index)
    let end = max(0, min(kv, position + 1))
    let start = window.map { max(0, min(end, position - $0 + 1)) } ?? 0
    return start..<end
  }

  /// The kv tiles that the queries of a range take together: those in which one of them sees a key.
  /// Tiles are counted from key 0.
  func tiles(queries range: Range<Int>, tileKV: Int) -> Range<Int> {
    guard let last = range.last else { return 0..<0 }
    let start = keys(range.lowerBound).lowerBound
    let end = keys(last).upperBound
    guard start < end else { return 0..<0 }
    return start / tileKV..<(end + tileKV - 1) / tileKV
  }

  /// The keys of a kv tile that the products of a query tile touch: from the first key of the tile,
  /// whole 32-blocks up to the last one that some query of `range` sees. Empty where they see none.
  func touched(_ tile: Int, queries range: Range<Int>, tileKV: Int) -> Range<Int> {
    let start = tile * tileKV
    guard tiles(queries: range, tileKV: tileKV).contains(tile), let last = range.last else {
      return start..<start
    }
    let end = min(kv, start + tileKV)
    let blocks = MXINT8.blocks(min(end, keys(last).upperBound) - start)
    return start..<min(end, start + blocks * MXINT8.blockSize)
  }

  /// Queries of a head that see no key: the first ones, as the last one stands at the last key.
  var blindQueries: Int { isMasked ? max(0, queries - kv) : 0 }

  /// The kv tiles of split `split`: contiguous parts of all tiles, the remainder in the lowest.
  func tiles(split: Int, tileKV: Int) -> Range<Int> {
    WorkSplit.range((kv + tileKV - 1) / tileKV, core: split, of: splits)
  }

  /// The factor of the scores before exp2: log2(e) / √headDim, rounded once to FP32.
  var scoreFactor: Float {
    Float(1.4426950408889634 / Double(headDim).squareRoot())
  }

  /// Pairs of a query and a key that it sees, over all heads and sequences.
  var visiblePairs: Int64 {
    guard isMasked else { return Int64(rows) * Int64(kv) }
    // Σ over queries of min(kv, p + 1), less Σ of max(0, p + 1 − window), with p + 1 from `first`.
    let first = kv - queries + 1
    let seen = Self.positiveSum(first, queries)
    let passed = window.map { Self.positiveSum(first - $0, queries) } ?? 0
    return Int64(batch) * Int64(heads) * (seen - passed)
  }

  /// Σ max(0, first + i) for 0 ≤ i < count.
  private static func positiveSum(_ first: Int, _ count: Int) -> Int64 {
    let last = Int64(first) + Int64(count) - 1
    guard last > 0 else { return 0 }
    let low = Int64(max(1, first))
    return (low + last) * (last - low + 1) / 2
  }

  /// Keys of a head that any query sees.
  var visibleKeys: Int {
    guard queries > 0 else { return 0 }
    return max(0, keys(queries - 1).upperBound - keys(0).lowerBound)
  }
}
