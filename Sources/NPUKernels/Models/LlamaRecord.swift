import NPUSim

/// The words that the launches of a run left, by name: what a dump has. A tensor grows by the rows of
/// each pass, a row for each token or one for the last.
struct LlamaRecord {
  /// A tensor so far.
  private struct Recorded {
    var format: ElementFormat
    /// The shape of a row.
    var row: [Int]
    var rows = 0
    var bytes: [UInt8] = []
  }

  /// Rows that a launch added.
  struct Event {
    var name: String
    var rows: Range<Int>
    /// The position of the first token of the pass.
    var position: Int
  }

  /// The names in the order in which they were first met.
  private(set) var names: [String] = []
  private var tensors: [String: Recorded] = [:]
  /// Everything that was added, in the order of time.
  private(set) var events: [Event] = []

  /// Adds rows of words.
  mutating func add(_ kept: LlamaGraph.Kept, _ bytes: [UInt8], at position: Int) {
    let (name, form) = (kept.name, kept.form)
    let count = form.shape.first ?? 1
    let before = tensors[name]?.rows ?? 0
    if before == 0 {
      names.append(name)
      tensors[name] = Recorded(format: form.format, row: Array(form.shape.dropFirst()))
    }
    tensors[name]?.rows += count
    tensors[name]?.bytes += bytes
    events.append(Event(name: name, rows: before..<before + count, position: position))
  }

  /// The tensors as a file has them.
  func dump() throws(NPUError) -> TensorSet {
    var set = TensorSet()
    for name in names {
      guard let tensor = tensors[name] else { continue }
      try set.insert(
        Tensor(
          dtype: tensor.format.dtype, shape: [tensor.rows] + tensor.row, storage: tensor.bytes),
        named: name)
    }
    return set
  }

  /// What the tensors will be of which the launches are known.
  static func specs(_ passes: [[LlamaGraph.Kept]]) -> [TensorSpec] {
    var names: [String] = []
    var shapes: [String: TensorSpec] = [:]
    for kept in passes.joined() {
      let form = kept.form
      if var spec = shapes[kept.name] {
        spec.shape[0] += form.shape.first ?? 1
        shapes[kept.name] = spec
      } else {
        names.append(kept.name)
        shapes[kept.name] = TensorSpec(
          kept.name, form.format, form.shape, role: kept.name == "ids" ? .input : .output)
      }
    }
    return names.compactMap { shapes[$0] }
  }
}
