/// What was found out about a micro-op. Where another has tiles of the same buffers and extents, on the
/// same bytes of their bursts, and the same immediates, its access, legality and work are the same.
struct TextMemo {
  /// The statement whose micro-ops it holds for, as each reports for itself what is wrong; −1 for those
  /// of all.
  var statement: Int32 = -1
  /// Its opcode and its number of operands; −1 where nothing is known.
  var opcode: Int16 = -1
  var record = OpRecord(opcode: 0, queue: .load)
  var key = TextMemoKey()
}

/// What makes micro-ops of one opcode alike.
struct TextMemoKey {
  /// Three words an operand: buffer and rows, columns, and place in a burst of a tile; the word of an
  /// immediate.
  private var words = InlineArray<18, UInt64>(repeating: 0)
  private(set) var hash: UInt64 = 0
  private var count = 0
  /// Whether there may be others that are alike: what an index list makes of its rows is not looked at.
  private(set) var isComparable = true

  mutating func append(_ tile: TileRef, phase: Int) {
    append(UInt64(tile.buffer) << 32 | UInt64(UInt32(bitPattern: tile.rows)))
    append(UInt64(UInt32(bitPattern: tile.columns)))
    append(UInt64(bitPattern: Int64(phase)))
    if tile.indexList != 0 { isComparable = false }
  }

  mutating func append(immediate word: UInt32) { append(UInt64(word)) }

  private mutating func append(_ word: UInt64) {
    guard count < 18 else {
      isComparable = false
      return
    }
    words[count] = word
    count += 1
    hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
  }

  func isSame(_ other: TextMemoKey) -> Bool {
    guard hash == other.hash, count == other.count else { return false }
    for place in 0..<count where words[place] != other.words[place] { return false }
    return true
  }
}

/// The last micro-ops that were looked into, found again by what makes them alike.
struct TextMemos {
  private static var size: Int { 512 }

  private var memos: [TextMemo]

  /// Room for memos, or for none where nothing is emitted.
  init(isUsed: Bool) {
    memos = isUsed ? Array(repeating: TextMemo(), count: Self.size) : []
  }

  /// The record of a micro-op that is alike, and whether nothing is wrong with it; `nil` where none is
  /// known.
  func record(
    _ opcode: UInt8, _ key: TextMemoKey, _ statement: Int
  ) -> (record: OpRecord, isLegal: Bool)? {
    let place = place(opcode, key)
    guard key.isComparable, memos[place].opcode == Int16(opcode),
      memos[place].statement < 0 || memos[place].statement == Int32(statement),
      memos[place].key.isSame(key)
    else { return nil }
    return (memos[place].record, memos[place].statement < 0)
  }

  /// Keeps what was found out, for the micro-ops of one statement or of all.
  mutating func keep(_ record: OpRecord, _ key: TextMemoKey, for statement: Int?) {
    guard key.isComparable else { return }
    memos[place(record.opcode, key)] = TextMemo(
      statement: Int32(statement ?? -1), opcode: Int16(record.opcode), record: record, key: key)
  }

  private func place(_ opcode: UInt8, _ key: TextMemoKey) -> Int {
    let hash = (key.hash ^ UInt64(opcode)) &* 0xBF58_476D_1CE4_E5B9
    return Int(truncatingIfNeeded: hash >> 32) & (Self.size - 1)
  }
}

extension TileLayout {
  /// Where in a burst the payload and the scales of an HBM tile start: tiles of one buffer and extent
  /// that are alike in this touch as many bursts. 0 on chip, where it makes no difference.
  func burstPhase(_ tile: TileRef) -> Int {
    let index = Int(tile.buffer)
    guard tile.space == .hbm, index < buffers.count else { return 0 }
    let row = Int(tile.row)
    let column = Int(tile.column)
    let slot = Int(tile.slot)
    // Parts of a buffer are taken one by one: all of it would take its name along.
    let payload =
      buffers[index].base &+ slot &* buffers[index].slotStride &+ row &* buffers[index].pitch
      &+ column &* tile.format.bytes
    guard tile.format == .mxint8 else { return payload % burst }
    let isAcross = tile.axis == .alongColumns
    let scales =
      buffers[index].scaleBase &+ slot &* buffers[index].scaleSlotStride
      &+ (isAcross ? row : row / 32) &* buffers[index].scalePitch
      &+ (isAcross ? column / 32 : column)
    return payload % burst &* burst &+ scales % burst
  }
}
