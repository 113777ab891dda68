/// Takes a program apart into nodes: the micro-ops of each core in their scopes, with what surrounds
/// them.
struct ProgramLifter {
  let program: Program
  var shapes = RollShapes()
  /// Taps by core and micro-op, in order.
  private var taps: [[(op: Int, tap: Int)]]
  /// See ``bufferKey(_:)``.
  private var bufferKeys: [Int] = []

  init(_ program: Program) {
    self.program = program
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
    var frames = [Frame(scope: (-1, -1))]
    var lastScope: UInt32 = 0
    var nextTap = 0
    for (index, record) in program.cores[core].enumerated() {
      if record.scope != lastScope {
        lastScope = record.scope
        enter(path(record.scope), &frames, core)
      }
      frames[frames.count - 1].nodes.append(operation(record, index, core))
      while nextTap < taps[core].count, taps[core][nextTap].op == index {
        frames[frames.count - 1].nodes.append(tap(taps[core][nextTap].tap, core))
        nextTap += 1
      }
    }
    enter([], &frames, core)
    return frames[0].nodes
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
      var node = RollNode(kind: .scope, payload: frame.scope.label, core: core)
      if frame.scope.iteration >= 0 {
        node.components = [RollComponent(.plain, frame.scope.iteration)]
      }
      node.structure = shapes.id([RollNode.Kind.scope.rawValue, frame.scope.label])
      node.children = frame.nodes
      node.shape = shapes.id(of: node, inner: [node.kind.rawValue, node.structure])
      node.summarise()
      frames[frames.count - 1].nodes.append(node)
    }
    for scope in path[common...] { frames.append(Frame(scope: scope)) }
  }

  private mutating func operation(_ record: OpRecord, _ index: Int, _ core: Int) -> RollNode {
    var node = RollNode(kind: .operation, payload: index, core: core)
    var key = [RollNode.Kind.operation.rawValue, Int(record.opcode)]
    let entry = program.catalogue[record.opcode]
    for (k, operand) in entry.operands.enumerated() where k < OpRecord.maximumOperands {
      let word = record.words[k]
      switch operand.kind {
      case .tile: key += tile(program.tiles[Int(word)], &node)
      case .scalar: key.append(Int(word))
      case .integer: node.components.append(RollComponent(.plain, Int(Int32(bitPattern: word))))
      case .choice(let words):
        if words == Bool.choices {
          node.components.append(RollComponent(.flag, Int(word)))
        } else {
          key.append(Int(word))
        }
      case .event:
        let event = Event(packed: word)
        key.append(event.pair)
        node.components.append(RollComponent(.cyclic, Int(event.id)))
      }
    }
    finish(&node, key)
    return node
  }

  /// Adds the numbers of a tile, and returns what else it is.
  private func tile(_ tile: TileRef, _ node: inout RollNode) -> [Int] {
    let buffer = program.buffers[Int(tile.buffer)]
    node.components += [
      RollComponent(.cyclic, Int(tile.slot), slots: max(1, buffer.slots)),
      RollComponent(.plain, Int(tile.row)), RollComponent(.extent, Int(tile.rows)),
      RollComponent(.plain, Int(tile.column)), RollComponent(.extent, Int(tile.columns)),
    ]
    return [bufferKey(tile.buffer), Int(tile.indexList)]
  }

  /// Equal for a tensor, and for buffers of two cores that have one name and layout.
  private func bufferKey(_ index: UInt32) -> Int { bufferKeys[Int(index)] }

  private mutating func tap(_ index: Int, _ core: Int) -> RollNode {
    let tap = program.taps[index]
    var node = RollNode(kind: .tap, payload: index, core: core)
    var key = [RollNode.Kind.tap.rawValue, tap.tensor]
    let target = program.tapTensors[tap.tensor]
    node.components = [
      RollComponent(.cyclic, tap.slot, slots: max(1, target.slots)),
      RollComponent(.plain, tap.row), RollComponent(.plain, tap.column),
    ]
    key += tile(tap.tile, &node)
    finish(&node, key)
    return node
  }

  /// The declaration of a buffer; `address` where it is not where the next one would be placed.
  mutating func buffer(_ index: Int, address: Int?) -> RollNode {
    let buffer = program.buffers[index]
    var node = RollNode(kind: .buffer, payload: index, core: max(0, Int(buffer.core)))
    if let address { node.components = [RollComponent(.plain, address)] }
    finish(
      &node,
      [RollNode.Kind.buffer.rawValue, bufferKey(UInt32(index)), address == nil ? 0 : 1])
    return node
  }

  /// The block of a core.
  mutating func core(_ number: Int, _ children: [RollNode]) -> RollNode {
    var node = RollNode(kind: .core, payload: number, core: number)
    node.components = [RollComponent(.plain, number)]
    node.children = children
    node.shape = shapes.id(of: node, inner: [node.kind.rawValue, 0])
    node.summarise()
    return node
  }

  private mutating func finish(_ node: inout RollNode, _ key: [Int]) {
    node.structure = shapes.id(key)
    node.shape = shapes.id(of: node, inner: [node.kind.rawValue, node.structure])
    node.summarise()
  }

  /// Numbers the buffers by name, memory and layout.
  private mutating func numberBuffers() {
    var names: [String: Int] = [:]
    bufferKeys = program.buffers.enumerated().map { index, buffer in
      if buffer.space == .hbm { return -index - 1 }
      let name = names[buffer.name] ?? names.count
      names[buffer.name] = name
      return shapes.id([
        name, Int(buffer.space.rawValue), Int(buffer.format.rawValue), Int(buffer.axis.rawValue),
        buffer.slots, buffer.rows, buffer.columns,
      ])
    }
  }
}
