/// Query rows that are worked on together: the same rows of each of some groups, and some columns of
/// the result.
struct SoftmaxVJob {
  var groups: Range<Int>
  var rowsPerGroup: Int
  /// First row among all query rows; the job's rows are contiguous.
  var firstRow: Int
  var columns: Range<Int>

  /// The job's rows among all query rows.
  var rows: Range<Int> { firstRow..<firstRow + groups.count * rowsPerGroup }

  /// The rows of some of the groups, counted in the job.
  func rows(of positions: Range<Int>) -> Range<Int> {
    positions.lowerBound * rowsPerGroup..<positions.upperBound * rowsPerGroup
  }

  /// The work of a core: whole kv heads together while they fit a row tile, else one in row tiles.
  /// Where there are fewer of them than cores, row tiles are smaller, and columns cut where need be.
  static func all(_ kernel: SoftmaxV, core: Int) -> [SoftmaxVJob] {
    let (groups, rowsPerGroup, plan) = (kernel.groups, kernel.rowsPerGroup, kernel.plan)
    let cores = kernel.machine.cores
    let isShort = groups < cores
    let height = min(plan.tileRows, isShort ? (kernel.rows + cores - 1) / cores : rowsPerGroup)
    let cutsColumns = groups * ((rowsPerGroup - 1) / height + 1) < cores
    let places = RowTile.cut(
      rows: 0..<rowsPerGroup, columns: 0..<kernel.headDim, tileRows: height,
      tileColumns: cutsColumns ? plan.tileColumns : kernel.headDim)
    let own = isShort ? 0..<groups : WorkSplit.range(groups, core: core, of: cores)
    let jobs = RowTile.pieces(own, isShort ? 1 : plan.tileRows / rowsPerGroup).flatMap { groups in
      places.map {
        SoftmaxVJob(
          groups: groups, rowsPerGroup: $0.rows.count,
          firstRow: groups.lowerBound * rowsPerGroup + $0.rows.lowerBound, columns: $0.columns)
      }
    }
    return isShort ? Array(jobs[WorkSplit.range(jobs.count, core: core, of: cores)]) : jobs
  }
}
