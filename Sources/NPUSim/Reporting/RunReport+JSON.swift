extension RunReport {
  /// The whole report; a superset of the text. Keys are stable within a ``schema``.
  public func json() -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("schema", .string(Self.schema)),
      JSONMember("kernel", .string(kernel)),
      JSONMember("shape", .object(shape.map { JSONMember($0.name, .string($0.value)) })),
      JSONMember(
        "parameters",
        .object(
          parameters.map { parameter in
            switch parameter.value {
            case .whole(let number): JSONMember(parameter.name, .integer(number))
            case .real(let number): JSONMember(parameter.name, .double(number))
            }
          })),
      JSONMember("machine", machine.json),
      JSONMember(
        "schedule", .object(schedule.map { JSONMember($0.name, .integer($0.value)) })),
      JSONMember(
        "inputs",
        .object(
          [
            JSONMember("seed", .integer(seed)),
            JSONMember("generator_version", .integer(SeededInput.generatorVersion)),
          ] + (inputs?.json ?? []))),
      JSONMember("verdict", .string(verdict.rawValue)),
      JSONMember("fails_on", Self.value(failing)),
      JSONMember("hazards_allowed", .bool(allowsHazards)),
      JSONMember(
        "proof",
        [
          "proved": .bool(check.isProved), "statement": .string(check.statement),
          "micro_ops": .integer(check.microOps), "events": .integer(check.events),
          "barriers": .integer(check.barriers),
          "outside": .array(check.outside.map { .string($0) }),
        ]),
    ]
    if let timing { members += Self.members(timing, cores: machine.cores) }
    if let traffic {
      members.append(
        JSONMember(
          "bytes",
          [
            "hbm_read": .integer(traffic.hbmRead), "hbm_written": .integer(traffic.hbmWritten),
            "hbm_read_bursts": .integer(traffic.hbmReadBursts),
            "hbm_written_bursts": .integer(traffic.hbmWrittenBursts),
          ]))
      members.append(JSONMember("macs", .integer(traffic.macs)))
    }
    if let numerics { members.append(JSONMember("numerics", value(numerics))) }
    if let expectation { members.append(JSONMember("expect", Self.value(expectation))) }
    if let minimisation {
      members.append(JSONMember("minimise", Self.value(minimisation)))
    }
    if let jitter {
      members.append(
        JSONMember(
          "jitter",
          [
            "runs": .integer(jitter.runs), "percent": .integer(jitter.percent),
            "changed": .integer(jitter.changed),
          ]))
    }
    members.append(JSONMember("mended_together", jointTrial.map(\.json) ?? .null))
    members.append(JSONMember("findings", .array(findings.map(Self.value))))
    return .object(members)
  }

  /// The severities that make the verdict `findings`.
  static func value(_ failing: Set<Finding.Severity>) -> JSONValue {
    .array(Finding.Severity.allCases.filter(failing.contains).map { .string($0.rawValue) })
  }

  private static func members(_ timing: Timing, cores: Int) -> [JSONMember] {
    var result = [
      JSONMember("cycles", .integer(timing.cycles)),
      JSONMember("seconds", .double(timing.seconds)),
      JSONMember(
        "throughput",
        [
          "value": .double(timing.throughput.value), "unit": .string(timing.throughput.unit),
          "macs_per_second": .double(timing.macsPerSecond),
        ]),
    ]
    if let bounds = timing.bounds { result.append(JSONMember("bounds", bounds.json)) }
    if !timing.binding.isEmpty {
      result.append(
        JSONMember(
          "path",
          [
            "binding": .array(
              timing.binding.map {
                ["what": .string($0.what), "cycles": .integer($0.cycles)]
              })
          ]))
    }
    let advice = Advice.sentences(timing, cores: cores)
    if !advice.isEmpty {
      result.append(JSONMember("advice", .string(advice.joined(separator: "; "))))
    }
    result.append(JSONMember("queues", queues(timing.queues)))
    result.append(
      JSONMember(
        "cores",
        .array(
          timing.cores.map {
            ["cycles": .integer($0.cycles), "queues": queues($0.queues)]
          })))
    return result
  }

  private static func queues(_ queues: [QueueTiming]) -> JSONValue {
    .object(
      zip(Queue.allCases, queues).map { queue, timing in
        JSONMember(
          queue.name,
          [
            "ops": .integer(timing.ops), "busy": .integer(timing.busy),
            "stalls": .object(
              StallReason.allCases.map { JSONMember($0.rawValue, .integer(timing[$0])) }),
          ])
      })
  }

  private func value(_ numerics: Numerics) -> JSONValue {
    let compared = [
      numerics.isBitExact.map { _ in "reference" }, expectation.map { _ in "expect" },
    ]
    return [
      "compared_with": .array(compared.compactMap { $0 }.map { .string($0) }),
      "bit_exact": numerics.isBitExact.map { .bool($0) } ?? .null,
      "checked_outputs": .integer(numerics.checkedOutputs),
      "total_outputs": .integer(numerics.totalOutputs),
      "compared_words": .integer(numerics.words), "mismatches": .integer(numerics.mismatches),
      "max_abs_error": Self.value(numerics.worstOutput?.maximum),
      "max_abs_error_tensor": numerics.worstOutput.map { .string($0.name) } ?? .null,
      "rms_error": Self.value(numerics.worstOutput?.rmsError),
      "worst_error_of_bound": Self.value(numerics.worstOfBound),
      "beyond_bound": .integer(numerics.beyondBound),
      "non_finite_outputs": .integer(numerics.nonFiniteOutputs),
      "reached_outputs": .integer(numerics.reachedOutputs),
      "input_nans": .integer(numerics.inputNaNs),
      "input_infinities": .integer(numerics.inputInfinities),
      "result_nans": .integer(numerics.health.nans),
      "result_infinities": .integer(numerics.health.infinities),
      "saturated": .integer(numerics.health.saturated),
      "drifting_chains": .integer(numerics.health.drifting),
      "tensors": .array(numerics.tensors.map { Self.value($0) }),
      "error_note": numerics.errorNote.map { .string($0) } ?? .null,
    ]
  }

  private static func value(_ error: TensorError) -> JSONValue {
    [
      "name": .string(error.name), "max_abs_error": value(error.maximum),
      "rms_error": value(error.rmsError), "rms": value(error.rms),
      "relative_rms_error": value(error.relative),
      "expected_rms_error": value(error.expected), "bound": value(error.bound),
      "worst_error_of_bound": value(error.worstOfBound), "non_finite": .integer(error.nonFinite),
    ]
  }

  /// Null where there is no number.
  private static func value(_ number: Double?) -> JSONValue {
    number.map { $0.isFinite ? .double($0) : .null } ?? .null
  }

  private static func value(_ trial: FixTrial) -> JSONValue {
    [
      "cycles_before": trial.cyclesBefore.map { .integer($0) } ?? .null,
      "cycles_after": trial.cyclesAfter.map { .integer($0) } ?? .null,
      "cost_cycles": trial.cost.map { .integer($0) } ?? .null,
      "removes_finding": .bool(trial.removesFinding),
      "missing_event_ids": .integer(trial.missingIdentifiers),
    ]
  }

  private static func value(_ described: Described) -> JSONValue {
    let finding = described.finding
    return [
      "code": .string(finding.code.rawValue), "severity": .string(finding.severity.rawValue),
      "title": .string(finding.code.title), "message": .string(finding.message),
      "sites": .array(
        finding.sites.indices.map { number in
          value(
            finding.sites[number], described.places[number],
            number < finding.times.count ? finding.times[number] : nil)
        }),
      "declaration": described.declaration?.location.map(value) ?? .null,
      "bytes": described.bytes.map { .string($0) } ?? .null,
      "manifests": finding.manifests.map { .bool($0) } ?? .null,
      "spare_cycles": finding.spare.map { .integer($0.printed) } ?? .null,
      "least_spare_cycles": finding.spare.map { .integer($0.least) } ?? .null,
      "likely_cause": finding.likelyCause.map { .string($0) } ?? .null,
      "pairs": .array(
        zip(finding.pairs, described.pairs).map { value($0, $1.first, $1.second) }),
      "missing": finding.missing.map { .string($0) } ?? .null, "fix": .string(finding.fix),
      "trial": finding.trial.map(value) ?? .null,
      "folded": .integer(finding.folded), "cores": .integer(finding.cores),
    ]
  }

  private static func value(
    _ pair: Finding.Pair, _ first: FindingPlace, _ second: FindingPlace
  ) -> JSONValue {
    guard let race = pair.races.first else { return .null }
    return [
      "code": .string(race.code.rawValue), "first": value(race.first, first, nil),
      "second": value(race.second, second, nil), "races": .integer(pair.races.count),
      "showing": pair.showing.map { .integer($0) } ?? .null,
    ]
  }

  private static func value(_ location: SourceLocation) -> JSONValue {
    [
      "file": .string(location.file), "line": .integer(location.line),
      "column": .integer(location.column),
    ]
  }

  private static func value(
    _ site: Finding.Site, _ place: FindingPlace, _ time: Finding.SiteTime?
  ) -> JSONValue {
    [
      "core": .integer(site.core), "op": .integer(site.op), "text": .string(place.text),
      "queue": .string(place.queue), "scope": .string(place.scope),
      "file": place.location.map { .string($0.file) } ?? .null,
      "line": place.location.map { .integer($0.line) } ?? .null,
      "column": place.location.map { .integer($0.column) } ?? .null,
      "iterations": .string(place.turns),
      "start": time.map { .integer($0.start) } ?? .null,
      "free": time.map { .integer($0.free) } ?? .null,
      "visible": time.map { .integer($0.visible) } ?? .null,
    ]
  }
}
