import NPUSim

/// Where the rows of k and v lie: dense, or in the pages that a block table names.
struct FlashCacheRows: Sendable {
  let form: FlashShape
  private let table: [Int32]

  init(_ form: FlashShape, table: [Int32]) {
    self.form = form
    self.table = table
  }

  /// Throws `.internal` where a paged cache has no block table.
  init(_ form: FlashShape, _ inputs: [String: TensorValue]) throws(NPUError) {
    var table: [Int32] = []
    if form.page != nil {
      guard case .plain(let tensor) = inputs["block_table"] else {
        throw NPUError(.internal, "flash_attention was not given block_table")
      }
      table = try tensor.words(as: Int32.self)
    }
    self.init(form, table: table)
  }

  /// The (page, kv head) that holds a key of a group, and the key's row in the page. Dense rows are
  /// one page a group.
  func place(group: Int, key: Int) -> (slot: Int, row: Int) {
    guard let page = form.page else { return (group, key) }
    let (sequence, head) = (group / form.kvHeads, group % form.kvHeads)
    let entry = Int(table[sequence * form.pagesPerSequence + key / page])
    return (entry * form.kvHeads + head, key % page)
  }

  /// The row of a key among all rows of the tensor.
  func row(group: Int, key: Int) -> Int {
    let (slot, row) = place(group: group, key: key)
    return slot * (form.page ?? form.kv) + row
  }
}
