import NPUSim

/// Compares a run's tensors with somebody's dump.
enum ExpectationCheck {
  /// What a comparison gave: the figures, and N004 where they are not what was expected.
  struct Outcome {
    var expectation: RunReport.Expectation
    var finding: Finding?
  }

  /// Compares every tensor of `expect` that the run has. Throws `.tensor` for a name that the kernel
  /// does not have and for another shape or type.
  static func compare(
    _ tensors: RunTensors, with expect: TensorSet, tolerance: Double, program: Program,
    writer: WriterIndex
  ) throws(NPUError) -> Outcome {
    var result = RunReport.Expectation(tolerance: tolerance)
    var site: Finding.Site?
    let dump = try tensors.dump()
    for given in expect.names {
      guard let wanted = expect[given] else { continue }
      let name = tensors.specs.first { $0.aliases.contains(given) }?.name ?? given
      guard let found = dump[name] else {
        let near = DidYouMean.suggest(name, among: dump.names)
        throw NPUError(
          .tensor,
          "\(expect.origin ?? "the expected tensors"): this kernel has no tensor '\(name)'",
          hint: near.map { "did you mean \($0)?" }
            ?? "its tensors are \(dump.names.joined(separator: ", "))")
      }
      guard wanted.shape == found.shape, wanted.dtype == found.dtype else {
        throw NPUError(
          .tensor,
          "\(expect.origin ?? "the expected tensors"): \(name) is \(wanted.dtype.rawValue) "
            + "\(wanted.shape), this run makes \(found.dtype.rawValue) \(found.shape)")
      }
      result.tensors += 1
      result.words += found.elementCount
      guard wanted.storage != found.storage else { continue }
      let first = compare(name, found, wanted, writer: writer, program: program, &result)
      site = site ?? first
    }
    guard result.beyondTolerance > 0 else { return Outcome(expectation: result) }
    return Outcome(
      expectation: result,
      finding: Finding(
        .N004,
        "\(Quantity.grouped(result.beyondTolerance)) words differ from those expected; "
          + (result.details.first ?? ""),
        sites: site.map { [$0] } ?? [],
        fix: "compare the tensors in the order of the algorithm: the first that differs shows the "
          + "step at fault"))
  }

  private static func compare(
    _ name: String, _ found: Tensor, _ wanted: Tensor, writer: WriterIndex, program: Program,
    _ result: inout RunReport.Expectation
  ) -> Finding.Site? {
    let size = found.dtype.byteCount
    let format = ElementFormat.allCases.first { $0.dtype == found.dtype } ?? .i8
    var first: Int?
    var count = 0
    for element in 0..<found.elementCount {
      let a = Verifier.word(found.storage, element * size, size)
      let b = Verifier.word(wanted.storage, element * size, size)
      guard a != b else { continue }
      count += 1
      result.mismatches += 1
      let difference = (Verifier.value(a, format) - Verifier.value(b, format)).magnitude
      if difference <= result.tolerance { continue }
      result.beyondTolerance += 1
      if first == nil { first = element }
    }
    guard let first else { return nil }
    let a = Verifier.word(found.storage, first * size, size)
    let b = Verifier.word(wanted.storage, first * size, size)
    let hex = { (word: UInt32) in
      let digits = String(word, radix: 16)
      return "0x" + String(repeating: "0", count: max(0, 2 * size - digits.count)) + digits
    }
    var line =
      "\(name): first at \(index(first, found.shape)) (block \(first % max(1, found.shape.last ?? 1) / 32)): "
      + "found \(hex(a)), expected \(hex(b))"
    if let distance = ulps(a, b, format) { line += ", \(distance) ULPs apart" }
    line += "; \(Quantity.grouped(count)) of \(Quantity.grouped(found.elementCount)) differ"
    result.details.append(line)
    guard let site = writer.writer(of: name, element: first) else { return nil }
    result.details.append("  written by \(program.line(site))")
    return site
  }

  /// The element's place as `[0, 3, 0, 17]`.
  static func index(_ element: Int, _ shape: [Int]) -> String {
    var rest = element
    var parts: [Int] = []
    for extent in shape.reversed() {
      parts.append(rest % max(1, extent))
      rest /= max(1, extent)
    }
    return "[\(parts.reversed().map(String.init).joined(separator: ", "))]"
  }

  /// Steps between two floating words of one format; `nil` for NaN and for integers.
  static func ulps(_ a: UInt32, _ b: UInt32, _ format: ElementFormat) -> Int64? {
    guard !Verifier.value(a, format).isNaN, !Verifier.value(b, format).isNaN else { return nil }
    let bits: UInt32
    switch format {
    case .bf16, .f16: bits = 16
    case .f32: bits = 32
    case .e4m3fn, .e5m2: bits = 8
    case .e8m0, .i8, .i32, .mxint8: return nil
    }
    // Sign and magnitude to a line of integers, both zeros at 0.
    func position(_ word: UInt32) -> Int64 {
      let sign = word >> (bits - 1) & 1
      let magnitude = Int64(word & (bits == 32 ? 0x7FFF_FFFF : (1 << (bits - 1)) - 1))
      return sign == 1 ? -magnitude : magnitude
    }
    return (position(a) - position(b)).magnitude > Int64.max
      ? nil : Int64((position(a) - position(b)).magnitude)
  }
}

/// Finds the micro-op that wrote an element of a named tensor.
struct WriterIndex {
  private let program: Program

  init(_ program: Program) { self.program = program }

  /// The last micro-op whose tap or HBM tile covers the element (an element of the payload).
  func writer(of name: String, element: Int) -> Finding.Site? {
    let isScale = name.hasSuffix(".scale")
    let base = isScale ? String(name.dropLast(6)) : name
    if let tensor = program.tapTensors.firstIndex(where: { $0.name == base }) {
      let place = Self.place(element, program.tapTensors[tensor], isScale: isScale)
      for tap in program.taps.reversed() where tap.tensor == tensor {
        if tap.slot == place.slot, (tap.row..<tap.row + Int(tap.tile.rows)).contains(place.row),
          (tap.column..<tap.column + Int(tap.tile.columns)).contains(place.column)
        {
          return Finding.Site(core: tap.core, op: tap.op)
        }
      }
      return nil
    }
    guard
      let buffer = program.buffers.firstIndex(where: { $0.name == base && $0.space == .hbm })
    else { return nil }
    let place = Self.place(element, program.buffers[buffer], isScale: isScale)
    for core in program.cores.indices {
      for op in program.cores[core].indices.reversed() {
        let record = program.cores[core][op]
        for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
          let tile = program.tiles[Int(record.words[k])]
          if Int(tile.buffer) == buffer, tile.indexList == 0, Int(tile.slot) == place.slot,
            (Int(tile.row)..<Int(tile.row + tile.rows)).contains(place.row),
            (Int(tile.column)..<Int(tile.column + tile.columns)).contains(place.column)
          {
            return Finding.Site(core: core, op: op)
          }
        }
      }
    }
    return nil
  }

  /// Slot, row and column of an element; of the first element of its block for a scale.
  private static func place(_ element: Int, _ buffer: Buffer, isScale: Bool) -> (
    slot: Int, row: Int, column: Int
  ) {
    let isAcross = buffer.axis == .alongColumns
    let columns = max(1, isScale && isAcross ? (buffer.columns + 31) / 32 : buffer.columns)
    let rows = max(1, isScale && !isAcross ? (buffer.rows + 31) / 32 : buffer.rows)
    let row = element / columns % rows
    let column = element % columns
    return (
      element / columns / rows, isScale && !isAcross ? row * 32 : row,
      isScale && isAcross ? column * 32 : column
    )
  }
}
