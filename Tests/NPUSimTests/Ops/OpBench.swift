import Foundation
import NPUSim

/// Runs micro-ops on `ub` tiles: inputs come from HBM before them, outputs go to HBM after them.
struct OpBench {
  private var p: ProgramBuilder
  private var inputs: [(id: UInt32, payload: [UInt8], scales: [UInt8])] = []
  private var loads: [(Tile<UB>, Tile<HBM>)] = []
  private var outputs: [(Tile<UB>, BufferHandle<HBM>)] = []
  private var hasBegun = false

  init(machine: MachineConfiguration = TestMachine.small()) {
    p = ProgramBuilder(machine: machine, catalogue: .standard)
  }

  mutating func input(
    _ format: ElementFormat, _ rows: Int, _ columns: Int, _ payload: [UInt8],
    scales: [UInt8] = [], axis: BlockAxis = .alongColumns
  ) throws -> Tile<UB> {
    let name = "in\(inputs.count)"
    let tensor = try p.tensor(
      name, format, rows: rows, columns: columns, axis: axis, role: .input)
    let tile: Tile<UB> = try p.buffer(
      name + ".ub", in: UB.self, format, rows: rows, columns: columns, axis: axis
    ).tile()
    inputs.append((tensor.id, payload, scales))
    loads.append((tile, tensor.tile()))
    return tile
  }

  mutating func output(
    _ format: ElementFormat, _ rows: Int, _ columns: Int, axis: BlockAxis = .alongColumns
  ) throws -> Tile<UB> {
    let name = "out\(outputs.count)"
    let tensor = try p.tensor(
      name, format, rows: rows, columns: columns, axis: axis, role: .output)
    let tile: Tile<UB> = try p.buffer(
      name + ".ub", in: UB.self, format, rows: rows, columns: columns, axis: axis
    ).tile()
    outputs.append((tile, tensor))
    return tile
  }

  /// Also stores an input after the micro-ops: what in-place updates made of it.
  mutating func keep(_ tile: Tile<UB>) throws {
    let tensor = try p.tensor(
      "kept\(outputs.count)", tile.format, rows: tile.rows, columns: tile.columns,
      role: .output)
    outputs.append((tile, tensor))
  }

  mutating func emit(_ op: some MicroOp) {
    if !hasBegun {
      for (tile, tensor) in loads { p.emit(LoadUB(tile, from: tensor)) }
      p.emit(CoreBarrier())
      hasBegun = true
    }
    p.emit(op)
    p.emit(QueueBarrier(.vector))
  }

  /// Payload and scales of each output, in order of declaration; and what the run found.
  consuming func run() throws -> (
    outputs: [(payload: [UInt8], scales: [UInt8])], health: NumericHealth
  ) {
    p.emit(CoreBarrier())
    for (tile, tensor) in outputs { p.emit(StoreHBM(tensor.tile(), from: tile)) }
    let program = p.build()
    let state = MachineState(program)
    for input in inputs { try state.fill(input.id, bytes: input.payload, scales: input.scales) }
    let result = try FunctionalEngine.run(program, state: state)
    return (outputs.map { state.readTensor($0.1.id) }, result.numerics.health)
  }
}

/// Arrays as little-endian bytes.
extension Array where Element: BitwiseCopyable {
  var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

/// A little-endian array that Tests/Golden/generate_ops.py wrote.
func opsGolden(_ name: String) throws -> [UInt8] {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  let file = folder.appendingPathComponent("../../Golden/ops/\(name).bin")
  return [UInt8](try Data(contentsOf: file))
}

/// FP32 words with every NaN made the canonical one: which NaN came out of an oracle is of no
/// account.
func canonicalWords(_ bytes: [UInt8]) -> [UInt32] {
  bytes.floats.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern }
}
