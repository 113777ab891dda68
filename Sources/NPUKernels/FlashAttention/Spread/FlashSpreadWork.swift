import NPUSim

/// How the spread rung deals kv tiles out: a *unit* is one kv tile of the kv heads that are brought
/// together, and a core takes units that follow one another, so that all have about as many keys.
struct FlashSpreadWork: Sendable {
  /// What a core works on at a time.
  struct Unit: Sendable {
    /// Among batch · kv heads.
    var groups: Range<Int>
    /// Among those of ``FlashSpreadWork/tiles``.
    var tile: Int
    var keys: Range<Int>
    /// The query rows of the groups, one for each head.
    var rows: Range<Int>
  }

  private let form: FlashShape
  private let tileKV: Int
  /// kv heads of a unit.
  let together: Int
  /// The kv tiles that the query sees.
  let tiles: Range<Int>

  init(_ plan: FlashSchedule, _ form: FlashShape) {
    self.form = form
    tileKV = plan.tileKV
    let most = FlashSpread.canJoin(form) ? plan.tileHeads / form.headsPerGroup : 1
    together = (1...max(1, min(most, form.kvHeads))).last { form.kvHeads % $0 == 0 } ?? 1
    tiles = form.tiles(queries: 0..<1, tileKV: plan.tileKV)
  }

  /// Query rows of a unit.
  var rows: Int { together * form.headsPerGroup }

  /// Units in all: tile after tile, for one part of the kv heads after the other.
  var count: Int { form.groups / together * tiles.count }

  func unit(_ index: Int) -> Unit {
    let first = index / tiles.count * together
    let tile = index % tiles.count
    return Unit(
      groups: first..<first + together, tile: tile,
      keys: form.touched(tiles.lowerBound + tile, queries: 0..<1, tileKV: tileKV),
      rows: first * form.headsPerGroup..<(first + together) * form.headsPerGroup)
  }

  /// The units of a core: those of which the middle lies in its share of all keys.
  func share(_ core: Int, of cores: Int) -> Range<Int> {
    bound(core, of: cores)..<bound(core + 1, of: cores)
  }

  /// The first unit that belongs to a core or a later one.
  private func bound(_ core: Int, of cores: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if owner(middle, of: cores) < core { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func owner(_ index: Int, of cores: Int) -> Int {
    let start = tiles.lowerBound * tileKV
    let keys = form.kv - start
    let unit = unit(index)
    let middle =
      2 * (index / tiles.count) * keys
      + (unit.keys.lowerBound - start) + (unit.keys.upperBound - start)
    return middle * cores / (2 * (form.groups / together) * keys)
  }

  /// Units of the core that has the most.
  func most(of cores: Int) -> Int {
    (0..<cores).reduce(0) { max($0, share($1, of: cores).count) }
  }
}
