// What JSON keeps of the parts of a report: each member once, for writing and reading.

extension RunReport.Machine: JSONRecord {
  static let blank = Self(name: "", cores: 1, clockHz: 1, config: .null)
  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name), JSONField("cores", \.cores), JSONField("clock_hz", \.clockHz),
    JSONField("config", \.config),
  ]
}

extension RunReport.Check: JSONRecord {
  static let blank = Self(
    isProved: false, statement: "", microOps: 0, events: 0, barriers: 0, outside: [])
  static let fields: [JSONField<Self>] = [
    JSONField("proved", \.isProved), JSONField("statement", \.statement),
    JSONField("micro_ops", \.microOps), JSONField("events", \.events),
    JSONField("barriers", \.barriers), JSONField("outside", \.outside),
  ]
}

extension RunReport.Traffic: JSONRecord {
  static let blank = Self(
    hbmRead: 0, hbmWritten: 0, hbmReadBursts: 0, hbmWrittenBursts: 0, macs: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("hbm_read", \.hbmRead), JSONField("hbm_written", \.hbmWritten),
    JSONField("hbm_read_bursts", \.hbmReadBursts),
    JSONField("hbm_written_bursts", \.hbmWrittenBursts),
  ]
}

extension RunReport.Jitter: JSONRecord {
  static let blank = Self(runs: 0, percent: 0, changed: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("runs", \.runs), JSONField("percent", \.percent), JSONField("changed", \.changed),
  ]
}

extension RunReport.Numerics: JSONRecord {
  static let blank = Self(
    totalOutputs: 0, inputNaNs: 0, inputInfinities: 0, health: NumericHealth())
  static let fields: [JSONField<Self>] = [
    JSONField("bit_exact", \.isBitExact), JSONField("checked_outputs", \.checkedOutputs),
    JSONField("total_outputs", \.totalOutputs), JSONField("compared_words", \.words),
    JSONField("mismatches", \.mismatches),
    .derived("max_abs_error") { ($0.worstOutput?.maximum).json },
    .derived("max_abs_error_tensor") { ($0.worstOutput?.name).json },
    .derived("rms_error") { ($0.worstOutput?.rmsError).json },
    .derived("worst_error_of_bound") { $0.worstOfBound.json },
    .derived("beyond_bound") { $0.beyondBound.json },
    .derived("non_finite_outputs") { $0.nonFiniteOutputs.json },
    JSONField("reached_outputs", \.reachedOutputs), .ifAny("tied_rows", \.tiedRows),
    JSONField("input_nans", \.inputNaNs),
    JSONField("input_infinities", \.inputInfinities), JSONField("result_nans", \.health.nans),
    JSONField("result_infinities", \.health.infinities),
    JSONField("saturated", \.health.saturated), JSONField("drifting_chains", \.health.drifting),
    JSONField("tensors", \.tensors), JSONField("error_note", \.errorNote),
  ]
}

extension RunReport.TensorError: JSONRecord {
  static let blank = Self(
    name: "", isOutput: false, maximum: nil, rmsError: nil, rms: nil, expected: nil, bound: nil,
    worstOfBound: nil, beyondBound: 0, nonFinite: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name), JSONField("is_output", \.isOutput),
    JSONField("max_abs_error", \.maximum), JSONField("rms_error", \.rmsError),
    JSONField("rms", \.rms), .derived("relative_rms_error") { $0.relative.json },
    JSONField("expected_rms_error", \.expected), JSONField("bound", \.bound),
    JSONField("worst_error_of_bound", \.worstOfBound), JSONField("beyond_bound", \.beyondBound),
    JSONField("non_finite", \.nonFinite),
  ]
}

extension JointTrial: JSONRecord {
  static let blank = Self(fixes: 0, races: 0, errorsLeft: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("fixes", \.fixes), JSONField("races", \.races),
    JSONField("errors_left", \.errorsLeft), JSONField("cycles_before", \.cyclesBefore),
    JSONField("cycles_after", \.cyclesAfter),
  ]
}

extension Minimisation: JSONRecord {
  static let blank = Self(
    events: 0, removedEvents: 0, barriers: 0, removedBarriers: 0, groups: [])
  static let fields: [JSONField<Self>] = [
    JSONField("events", \.events), JSONField("removable_events", \.removedEvents),
    JSONField("barriers", \.barriers), JSONField("removable_barriers", \.removedBarriers),
    JSONField("cycles_before", \.cyclesBefore), JSONField("cycles_after", \.cyclesAfter),
    JSONField("groups", \.groups),
  ]
}

extension Minimisation.Group: JSONRecord {
  static let blank = Self(what: "", count: 0, sites: [])
  static let fields: [JSONField<Self>] = [
    JSONField("what", \.what), JSONField("count", \.count), JSONField("first", \.sites),
  ]
}

extension RunReport.Inputs: JSONRecord {
  static let blank = Self(origin: nil)
  static let fields: [JSONField<Self>] = [
    .ifAny("file", \.origin), JSONField("given", \.given), JSONField("seeded", \.seeded),
    JSONField("cast", \.casts), JSONField("ignored", \.ignored),
  ]
}

extension RunReport.Inputs.Cast: JSONRecord {
  static let blank = Self(name: "", from: "", to: "")
  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name), JSONField("from", \.from), JSONField("to", \.to),
  ]
}

extension RunReport.Ignored.Fate: JSONConvertible {}

extension RunReport.Ignored: JSONRecord {
  static let blank = Self(name: "", type: "", shape: [], near: nil, fate: .seeded)
  static let fields: [JSONField<Self>] = [
    JSONField("name", \.name), JSONField("dtype", \.type), JSONField("shape", \.shape),
    JSONField("near", \.near), JSONField("fate", \.fate),
  ]
}
