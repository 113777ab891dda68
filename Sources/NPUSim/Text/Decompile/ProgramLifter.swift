/// Takes a program apart into nodes: the micro-ops of each core in their scopes, with what surrounds
/// them.
struct ProgramLifter {
  let program: Program
  var pool = RollPool()
  /// Whether events become part of the micro-ops that they stand beside.
  private let attachesEvents: Bool
  private let origins: OpOrigins?
  /// Taps by core and micro-op, in order.
  private var taps: [[(op: Int, tap: Int)]]
  /// Equal for a tensor, and for buffers of two cores that have one name and layout.
  private var bufferKeys: [Int] = []
  /// The operands of opaque micro-ops by access and queue.
  private var opaqueOperands: [UInt64: [OperandDescription]] = [:]

  init(_ program: Program, attachesEvents: Bool, origins: OpOrigins?) {
    self.program = program
    self.origins = origins
    self.attachesEvents = attachesEvents
    taps = Array(repeating: [], count: program.cores.count)
    for (index, tap) in program.taps.enumerated() where tap.core < taps.count {
      taps[tap.core].append((tap.op, index))
    }
    for core in taps.indices { taps[core].sort { ($0.op, $0.tap) < ($1.op, $1.tap) } }
    numberBuffers()
  }

  /// A block that is being filled.
  private struct Frame {
    var scope: (label: Int, iteration: Int)
    var nodes: [RollNode] = []
  }

  /// The micro-ops of a core and its taps.
  mutating func nodes(core: Int) -> [RollNode] {
    let records = program.cores[core]
    var frames = [Frame(scope: (-1, -1))]
    var lastScope: UInt32 = 0
    var nextTap = 0
    // Waits that are not yet written, and the micro-op that sets may still belong to.
    var waits = 0
    var owner: (leaf: Int, queue: Queue, op: Int)?
    for (index, record) in records.enumerated() {
      if record.scope != lastScope {
        lastScope = record.scope
        let path = path(record.scope)
        if !frames.dropFirst().map(\.scope).elementsEqual(path, by: { $0 == $1 }) {
          release(&waits, before: index, &frames, core)
          enter(path, &frames, core)
          owner = nil
        }
      }
      if attachesEvents && record.isSimpleEvent {
        if record.kind == .wait {
          owner = nil
          if waits > 0, records[index - 1].event.target != record.event.target {
            release(&waits, before: index, &frames, core)
          }
          waits += 1
          continue
        }
        release(&waits, before: index, &frames, core)
        if let last = owner, takes(record, index, last, core) { continue }
      }
      let hasTiles = record.kind == .data && program.catalogue[record.opcode].hasTiles
      var taken = 0
      if waits > 0, hasTiles, records[index - 1].event.target == record.end, waits < 255,
        (1...waits).allSatisfy({ isAtOnePlace(core, index - $0, index) })
      {
        swap(&taken, &waits)
      } else {
        release(&waits, before: index, &frames, core)
      }
      let node = operation(record, index, core, waits: (index - taken)..<index)
      owner = hasTiles ? (pool.leaves.count - 1, record.queue, index) : nil
      frames[frames.count - 1].nodes.append(node)
      while nextTap < taps[core].count, taps[core][nextTap].op == index {
        frames[frames.count - 1].nodes.append(tap(taps[core][nextTap].tap, core))
        nextTap += 1
      }
    }
    release(&waits, before: records.count, &frames, core)
    enter([], &frames, core)
    return frames[0].nodes
  }

  /// Whether a set goes with the last micro-op, which then has it.
  private mutating func takes(
    _ set: OpRecord, _ index: Int, _ last: (leaf: Int, queue: Queue, op: Int), _ core: Int
  ) -> Bool {
    guard .queue(last.queue) == set.event.source, isAtOnePlace(core, last.op, index),
      pool.leaves[last.leaf].sets < .max
    else { return false }
    pool.events.append(set.event)
    pool.leaves[last.leaf].sets += 1
    return true
  }

  /// Whether two micro-ops come from one place: an event beside a micro-op has the place of that.
  private func isAtOnePlace(_ core: Int, _ a: Int, _ b: Int) -> Bool {
    origins.map { $0[core, a] == $0[core, b] } ?? true
  }

  /// Writes out waits that no micro-op takes.
  private mutating func release(
    _ waits: inout Int, before index: Int, _ frames: inout [Frame], _ core: Int
  ) {
    for place in (index - waits)..<index {
      let record = program.cores[core][place]
      frames[frames.count - 1].nodes.append(operation(record, place, core, waits: 0..<0))
    }
    waits = 0
  }

  /// Labels and iterations from the outermost scope in.
  private func path(_ scope: UInt32) -> [(label: Int, iteration: Int)] {
    var result: [(Int, Int)] = []
    var current = Int(scope)
    while current > 0 && current < program.scopes.count && result.count < 1000 {
      let entry = program.scopes[current]
      result.append((Int(entry.label), Int(entry.iteration)))
      current = Int(entry.parent)
    }
    return result.reversed()
  }

  /// Closes and opens blocks until those of `path` are open.
  private mutating func enter(
    _ path: [(label: Int, iteration: Int)], _ frames: inout [Frame], _ core: Int
  ) {
    var common = 0
    while common < path.count, common + 1 < frames.count,
      frames[common + 1].scope == path[common]
    {
      common += 1
    }
    while frames.count > common + 1 {
      let frame = frames.removeLast()
      let label = frame.scope.label
      let hasIteration = frame.scope.iteration >= 0
      let structure = pool.add(
        [RollLeaf.Kind.scope.key, label, hasIteration ? 1 : 0],
        hasIteration ? [RollNumber(kind: .plain)] : [])
      let head = leaf(
        .scope, label, core, structure, hasIteration ? [frame.scope.iteration] : [])
      var node = RollNode(kind: .scope, structure: structure, turns: head.turns)
      node.children = frame.nodes
      frames[frames.count - 1].nodes.append(node)
    }
    for scope in path[common...] { frames.append(Frame(scope: scope)) }
  }

  private mutating func leaf(
    _ kind: RollLeaf.Kind, _ payload: Int, _ core: Int, _ structure: Int, _ numbers: [Int]
  ) -> RollNode {
    let leaf = RollLeaf(
      kind: kind, payload: Int32(payload), core: Int32(core), structure: Int32(structure),
      number: Int32(pool.numbers.count), event: Int32(pool.events.count))
    pool.numbers += numbers
    pool.leaves.append(leaf)
    return RollNode(
      kind: .leaf, structure: structure, turns: RollTurns(Int32(pool.leaves.count - 1)))
  }

  private mutating func operation(
    _ record: OpRecord, _ index: Int, _ core: Int, waits: Range<Int>
  ) -> RollNode {
    var key = [RollLeaf.Kind.operation.key, Int(record.opcode)]
    var numbers: [Int] = []
    let operands = operands(of: record)
    for (k, operand) in operands.enumerated() where k < OpRecord.maximumOperands {
      let word = record.words[k]
      switch operand.kind {
      case .tile:
        let tile = program.tiles[Int(word)]
        key.append(bufferKeys[Int(tile.buffer)])
        key.append(Int(tile.indexList))
        append(tile, &numbers)
      case .scalar:
        if let number = Self.wholeNumber(word) {
          key.append(-1)
          numbers.append(number)
        } else {
          key.append(Int(word))
        }
      case .integer: numbers.append(Int(Int32(bitPattern: word)))
      case .choice(let words):
        if words.count == 2 && words == Bool.choices {
          numbers.append(Int(word))
        } else {
          key.append(Int(word))
        }
      case .event:
        let event = Event(packed: word)
        key.append(event.pair)
        numbers.append(Int(event.id))
      }
    }
    let work = program.works[Int(record.work)]
    if let name = work.name {
      key += [-2, record.queue.index, name, Int(record.accessBits), work.streams ? 1 : 0]
      numbers += [Int(work.amounts.0), Int(work.amounts.1)]
    }
    if let place = origins?[core, index], place != .none {
      key += [-3, Int(place.file), Int(place.line)]
    }
    let structure = pool.structure(key) ?? pool.add(key, template(operands, record))
    let node = leaf(.operation, index, core, structure, numbers)
    for place in waits {
      pool.events.append(program.cores[core][place].event)
      pool.leaves[pool.leaves.count - 1].waits += 1
    }
    return node
  }

  /// The kinds of a record's operands. Those of an opaque one are made anew for each, so that they are
  /// kept; their names and memories are not looked at.
  private mutating func operands(of record: OpRecord) -> [OperandDescription] {
    let entry = program.catalogue[record.opcode]
    guard entry.isOpaque else { return entry.operands }
    let key =
      UInt64(record.accessBits) << 16 | UInt64(record.operandCount) << 8
      | UInt64(record.queue.rawValue)
    if let known = opaqueOperands[key] { return known }
    let operands = program.operands(of: record)
    opaqueOperands[key] = operands
    return operands
  }

  /// The value of an FP32 word that is a whole number, as far as each has its own word: it may follow
  /// from the turns of loops. The zero with a sign is none.
  static func wholeNumber(_ word: UInt32) -> Int? {
    let value = Float(bitPattern: word)
    guard abs(value) <= 16_777_216, let number = Int(exactly: value), number != 0 || word == 0
    else {
      return nil
    }
    return number
  }

  /// The kinds of a micro-op's numbers.
  private func template(
    _ operands: [OperandDescription], _ record: OpRecord
  ) -> [RollNumber] {
    var result: [RollNumber] = []
    for (k, operand) in operands.enumerated() where k < OpRecord.maximumOperands {
      switch operand.kind {
      case .tile: result += template(program.tiles[Int(record.words[k])])
      case .scalar:
        if Self.wholeNumber(record.words[k]) != nil { result.append(RollNumber(kind: .plain)) }
      case .integer: result.append(RollNumber(kind: .plain))
      case .choice(let words):
        if words == Bool.choices { result.append(RollNumber(kind: .flag)) }
      case .event: result.append(RollNumber(kind: .cyclic))
      }
    }
    // What is stated of an opaque micro-op: its cycles and its latency.
    if program.works[Int(record.work)].name != nil {
      result += [RollNumber(kind: .plain), RollNumber(kind: .plain)]
    }
    return result
  }

  private func template(_ tile: TileRef) -> [RollNumber] {
    let slots = max(1, program.buffers[Int(tile.buffer)].slots)
    return [
      RollNumber(kind: .cyclic, slots: slots), RollNumber(kind: .plain),
      RollNumber(kind: .extent), RollNumber(kind: .plain), RollNumber(kind: .extent),
    ]
  }

  private func append(_ tile: TileRef, _ numbers: inout [Int]) {
    numbers.append(Int(tile.slot))
    numbers.append(Int(tile.row))
    numbers.append(Int(tile.rows))
    numbers.append(Int(tile.column))
    numbers.append(Int(tile.columns))
  }

  private mutating func tap(_ index: Int, _ core: Int) -> RollNode {
    let tap = program.taps[index]
    let slots = max(1, program.tapTensors[tap.tensor].slots)
    let key = [
      RollLeaf.Kind.tap.key, tap.tensor, bufferKeys[Int(tap.tile.buffer)],
      Int(tap.tile.indexList),
    ]
    let head = [
      RollNumber(kind: .cyclic, slots: slots), RollNumber(kind: .plain), RollNumber(kind: .plain),
    ]
    let structure = pool.structure(key) ?? pool.add(key, head + template(tap.tile))
    var numbers = [tap.slot, tap.row, tap.column]
    append(tap.tile, &numbers)
    return leaf(.tap, index, core, structure, numbers)
  }

  /// The declaration of a buffer; `address` where it is not where the next one would be placed.
  mutating func buffer(_ index: Int, address: Int?) -> RollNode {
    let buffer = program.buffers[index]
    let key = [
      RollLeaf.Kind.buffer.key, bufferKeys[index], address == nil ? 0 : 1,
    ]
    let structure = pool.add(key, address == nil ? [] : [RollNumber(kind: .plain)])
    return leaf(.buffer, index, max(0, Int(buffer.core)), structure, address.map { [$0] } ?? [])
  }

  /// The block of a core.
  mutating func core(_ number: Int, _ children: [RollNode]) -> RollNode {
    let structure = pool.add(
      [RollLeaf.Kind.core.key], [RollNumber(kind: .plain)])
    let head = leaf(.core, number, number, structure, [number])
    var node = RollNode(kind: .core, structure: structure, turns: head.turns)
    node.children = children
    return node
  }

  /// Numbers the buffers by name, memory and layout.
  private mutating func numberBuffers() {
    var names: [String: Int] = [:]
    for (index, buffer) in program.buffers.enumerated() {
      guard buffer.space != .hbm else {
        bufferKeys.append(-index - 1)
        continue
      }
      let name = names[buffer.name] ?? names.count
      names[buffer.name] = name
      bufferKeys.append(
        pool.add([
          -1, name, Int(buffer.space.rawValue), Int(buffer.format.rawValue),
          Int(buffer.axis.rawValue), buffer.slots, buffer.rows, buffer.columns,
        ]))
    }
  }
}

extension RollLeaf.Kind {
  /// Tells structures of different kinds apart.
  var key: Int { Int(rawValue) }
}

extension OpEntry {
  /// Whether it has a tile among its operands, or may have.
  var hasTiles: Bool { isOpaque || operands.contains { $0.tileAccess != nil } }
}

extension OpRecord {
  /// Whether it sets or waits for an event between two queues of its core.
  fileprivate var isSimpleEvent: Bool {
    (kind == .set || kind == .wait) && event.source != event.target
  }
}
