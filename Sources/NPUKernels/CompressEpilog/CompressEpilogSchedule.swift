import NPUSim

/// Tile sizes, stages and the order of the rows of ``CompressEpilog``.
public struct CompressEpilogSchedule: Schedule {
  /// In which order rows are taken.
  public enum Order: Int, Sendable, CaseIterable {
    /// Whichever of the other two moves fewer bursts, by slot where they are equal.
    case fewestBursts = 1
    /// Ascending slots: stores are contiguous where slots are.
    case bySlot
    /// Ascending rows of x: loads are contiguous where no row is left out.
    case byRow
  }

  /// Rows of a tile.
  public var tileRows: Int
  /// Columns of a tile: the whole row, or a multiple of 128.
  public var tileColumns: Int
  /// Slots of the ring of x.
  public var stages: Int
  /// Slots of the rings of codes and scales.
  public var outStages: Int
  public var order: Order
  public var queueOrder = QueueOrder.found

  /// ``order`` by its number.
  private var orderNumber: Int {
    get { order.rawValue }
    set { order = Order(rawValue: newValue) ?? order }
  }

  static let parameters: [ScheduleParameter<CompressEpilogSchedule>] = [
    .init(
      "tile.rows", \.tileRows, .extent, "rows of a tile",
      standard: "a long pass of the lanes, 8 tiles a core"),
    .init(
      "tile.cols", \.tileColumns, .extent, "columns of a tile", standard: "a long pass of the lanes"
    ),
    .init(
      "stages", \.stages, .slots, "slots of the ring of x", standard: "as many as fit, up to 4"),
    .init(
      "stages.out", \.outStages, .slots, "slots of the rings of codes and scales",
      standard: "as many as fit, up to 2"),
    .init(
      "order", \.orderNumber, .range(1...Order.allCases.count),
      "1 whichever of the others moves fewer bursts, 2 by slot, 3 by row of x", standard: "1"),
  ]

  /// Depths from the best to the least.
  private static let depths: [(stages: Int, out: Int)] = [
    (4, 2), (3, 2), (2, 2), (2, 1), (1, 1),
  ]

  static func smallest(_ problem: CompressEpilogProblem) -> CompressEpilogSchedule {
    CompressEpilogSchedule(
      tileRows: 1, tileColumns: min(problem.columns, FP8Block.blockSize), stages: 1, outStages: 1)
  }

  /// Cuts the tile to the rows and columns that there are, whole blocks of them.
  mutating func settle(_ problem: CompressEpilogProblem) throws(NPUError) {
    tileRows = min(tileRows, problem.rows)
    tileColumns = min(tileColumns, problem.columns)
    guard tileColumns == problem.columns || tileColumns % FP8Block.blockSize == 0 else {
      throw NPUError(
        .usage,
        "tile.cols needs a multiple of \(FP8Block.blockSize) or the whole row, "
          + "found \(tileColumns)")
    }
  }

  func buffers(_ problem: CompressEpilogProblem) -> BufferPlan {
    func ring(
      _ name: String, _ format: ElementFormat, _ slots: Int, columns: Int
    ) -> PlannedBuffer {
      PlannedBuffer(name, .ub, format, slots: slots, rows: tileRows, columns: columns)
    }
    let blocks = FP8Block.blocks(tileColumns)
    var rings = [
      ring("x_tiles", problem.input, stages, columns: tileColumns),
      ring("codes", problem.codes, outStages, columns: tileColumns),
      ring("scales", problem.scales, outStages, columns: blocks),
    ]
    if problem.isComposed {
      rings += [
        ring("quotients", .f32, 1, columns: tileColumns),
        ring("maxima", .f32, 1, columns: blocks),
      ]
    }
    return BufferPlan(rings)
  }

  private init(tileRows: Int, tileColumns: Int, stages: Int, outStages: Int) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.stages = stages
    self.outStages = outStages
    order = .fewestBursts
  }

  /// Tiles long enough to hide the start of the next, eight or more for each core, that fit `ub`.
  static func candidates(
    for space: CompressEpilogProblem, given: ScheduleText.Given
  ) -> [CompressEpilogSchedule] {
    chosen(for: space).map { [$0] } ?? []
  }

  private static func chosen(for space: CompressEpilogProblem) -> CompressEpilogSchedule? {
    let block = FP8Block.blockSize
    let target = 256 * space.machine.vector.lanes
    let perCore = (space.rows + space.machine.cores - 1) / space.machine.cores
    for depth in depths {
      var width = space.columns <= target ? space.columns : max(block, target / block * block)
      while true {
        var height = max(1, min(target / width, (perCore + 7) / 8))
        while height >= 1 {
          let plan = CompressEpilogSchedule(
            tileRows: height, tileColumns: width, stages: depth.stages, outStages: depth.out)
          if plan.fits(space) { return plan }
          height /= 2
        }
        if width <= block { break }
        width = max(block, width / 2 / block * block)
      }
    }
    return nil
  }
}

/// What a schedule of ``CompressEpilog`` is chosen for.
struct CompressEpilogProblem: ScheduleProblem, Sendable {
  /// Most rows that are written.
  let rows: Int
  let columns: Int
  /// The formats of x, of its codes and of their scales.
  let input: ElementFormat
  let codes: ElementFormat
  let scales: ElementFormat
  let isComposed: Bool
  let machine: MachineConfiguration

  var kernel: String { CompressEpilog.name }
  var remedy: String { "use a machine with a larger ub" }
}
