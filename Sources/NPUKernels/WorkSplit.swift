/// Contiguous ranges of work for each core, the remainder to the lowest cores.
enum WorkSplit {
  /// Range of `count` items that core `core` of `cores` takes; empty when there are fewer items.
  static func range(_ count: Int, core: Int, of cores: Int) -> Range<Int> {
    let share = count / cores
    let extra = count % cores
    let start = core * share + min(core, extra)
    return start..<(start + share + (core < extra ? 1 : 0))
  }
}
