import NPUSim

// MARK: Schedule

extension Softmax {
  /// The micro-op program: rows split over the cores, each core's row tiles one pipeline.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var builder = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try builder.tensor("x", .bf16, rows: rows, columns: columns, role: .input)
    let out = try builder.tensor("out", .bf16, rows: rows, columns: columns, role: .output)
    for core in 0..<machine.cores {
      builder.begin(core: core)
      let share = WorkSplit.range(rows, core: core, of: machine.cores)
      if share.isEmpty { continue }
      var stream = try SoftmaxCore(self, x: x, out: out, &builder)
      stream.emit(rows: share, &builder)
    }
    return builder.sequential()
  }

  /// Column tiles of a row.
  var columnTiles: Int { (columns + plan.tileColumns - 1) / plan.tileColumns }

  /// Columns of a column tile.
  func width(_ tile: Int) -> Int { min(plan.tileColumns, columns - tile * plan.tileColumns) }

  /// What is done with each row tile, in order.
  var phases: [SoftmaxPhase] {
    if isResident {
      return [.fetch(0)] + maximum(width(0), of: .x, isFirst: true)
        + exponentials(SoftmaxPhase.Shift(keepsX: true)) + [.sum(isFirst: true), .finish, .invert]
        + [.scale]
    }
    var phases: [SoftmaxPhase] = []
    if isOnline {
      for tile in 0..<columnTiles {
        let isFirst = tile == 0
        phases.append(.fetch(tile))
        phases += maximum(width(tile), of: .x, isFirst: isFirst)
        phases += exponentials(SoftmaxPhase.Shift(rescales: !isFirst))
        if !isFirst { phases.append(.rescale) }
        phases.append(.sum(isFirst: isFirst))
      }
    } else {
      for tile in 0..<columnTiles { phases += [.fetch(tile), .collect(isFirst: tile == 0)] }
      phases += maximum(width(0), of: .work, isFirst: true)
      for tile in 0..<columnTiles {
        phases += [.fetch(tile)] + exponentials(SoftmaxPhase.Shift()) + [.sum(isFirst: tile == 0)]
      }
    }
    phases += [.finish, .invert]
    for tile in 0..<columnTiles {
      phases += [.fetch(tile)] + exponentials(SoftmaxPhase.Shift(keepsX: true)) + [.scale]
    }
    return phases
  }

  /// The maximum of `width` columns: halves on each other while that pays, then along the rows. The
  /// maximum does not depend on the order.
  private func maximum(_ width: Int, of source: SoftmaxPhase.Source, isFirst: Bool)
    -> [SoftmaxPhase]
  {
    var phases: [SoftmaxPhase] = []
    var source = source
    var width = width
    let height = plan.tileRows
    let unit = max(1, machine[.ub].alignment / 2)
    while true {
      // What lies in work is narrowed in place: no column is read and written by one micro-op, so the
      // second part is the narrower one. It starts on the alignment.
      let half = source == .work ? (width + 1) / 2 + unit - 1 : width / 2
      let start = half / unit * unit
      let folded = width - start
      let kept = max(start, folded)
      guard start > 0, folded > 0,
        MaximumTuning.foldPays(rows: height, width: width, folded: folded, kept: kept, machine)
      else { break }
      phases.append(.fold(source, start: start, width: folded))
      width = kept
      source = .work
    }
    phases.append(.rowMaximum(source, width: width))
    if isOnline { phases.append(isFirst ? .floor : .renew) }
    return phases
  }

  private func exponentials(_ shift: SoftmaxPhase.Shift) -> [SoftmaxPhase] {
    let scaled: [SoftmaxPhase] = isBase2 ? [.toBase2(shift)] : []
    return [.difference(shift)] + scaled + [.exponential(shift)]
  }
}

/// A step of the work on a row tile: one micro-op, or two that do not depend on one another.
enum SoftmaxPhase {
  /// Where a maximum is taken of.
  enum Source {
    case x, work
  }

  /// What a shift by the maximum concerns.
  struct Shift {
    /// Also the factor exp(m − m') of what was summed before.
    var rescales = false
    /// Whether the slot of x is still needed, for the result.
    var keepsX = false
  }

  /// Takes the next tile of x.
  case fetch(Int)
  /// work = max(work, x), column by column.
  case collect(isFirst: Bool)
  /// work[c] = max(source[c], source[c + start]) over `width` columns.
  case fold(Source, start: Int, width: Int)
  /// The maximum of each row: of x for the three-pass form, of this tile for the online one.
  case rowMaximum(Source, width: Int)
  /// m = max(tile maximum, lowest finite BF16).
  case floor
  /// m' = max(m, tile maximum).
  case renew
  /// work = x − m.
  case difference(Shift)
  /// work = work · log2 e.
  case toBase2(Shift)
  /// work = exp(work).
  case exponential(Shift)
  /// partials = partials · factor.
  case rescale
  /// partials += work.
  case sum(isFirst: Bool)
  /// sum = partials combined.
  case finish
  /// inverse = 1 / sum.
  case invert
  /// x = work · inverse, stored.
  case scale
}
