// The members of a report that say what its cycles are and where they went.

extension JSONField<RunReport.Timing> {
  /// The same member of a report, which has it where the program was timed.
  var ofTiming: JSONField<RunReport> {
    JSONField<RunReport>(key) { report in
      report.timing.flatMap(write)
    } read: { report, value, path throws(NPUError) in
      if case .null = value.content { return }
      var timing = report.timing ?? .blank
      try read(&timing, value, path)
      report.timing = timing
    }
  }
}

extension RunReport.Timing {
  static let blank = Self(
    cycles: 0, seconds: 0, throughput: (0, ""), macsPerSecond: 0, binding: [],
    queues: Queue.allCases.map { _ in .blank }, cores: [])

  static let fields: [JSONField<Self>] = [
    JSONField("cycles", \.cycles), JSONField("seconds", \.seconds),
    JSONField("throughput") {
      [
        "value": .double($0.throughput.value), "unit": .string($0.throughput.unit),
        "macs_per_second": .double($0.macsPerSecond),
      ]
    } read: { timing, value, path throws(NPUError) in
      let rate = try Throughput(json: value, path)
      timing.throughput = (rate.value, rate.unit)
      timing.macsPerSecond = rate.macsPerSecond
    },
    .ifAny("launch", \.launch), .ifAny("bounds", \.bounds),
    JSONField("path") {
      $0.binding.isEmpty
        ? nil
        : [
          "binding": .array(
            $0.binding.map { ["what": .string($0.what), "cycles": .integer($0.cycles)] })
        ]
    } read: { timing, value, path throws(NPUError) in
      timing.binding = try [Share](json: value["binding"] ?? .null, "\(path).binding").map {
        ($0.what, $0.cycles)
      }
    },
    JSONField("queues") {
      queues($0.queues)
    } read: { timing, value, path throws(NPUError) in
      timing.queues = try queues(value, path)
    },
    JSONField("cores", \.cores),
  ]

  /// A row for each queue, by its name.
  fileprivate static func queues(_ queues: [QueueTiming]) -> JSONValue {
    .object(zip(Queue.allCases, queues).map { JSONMember($0.name, $1.json) })
  }

  fileprivate static func queues(
    _ value: JSONValue, _ path: String
  ) throws(NPUError) -> [QueueTiming] {
    var rows: [QueueTiming] = []
    for queue in Queue.allCases {
      guard let row = value[queue.name] else {
        throw NPUError(
          .parse, "the key \"\(queue.name)\" is missing in \(path)", at: value.location)
      }
      rows.append(try QueueTiming(json: row, "\(path).\(queue.name)"))
    }
    return rows
  }

  private struct Throughput: JSONRecord {
    var value = 0.0
    var unit = ""
    var macsPerSecond = 0.0
    static let blank = Throughput()
    static let fields: [JSONField<Self>] = [
      JSONField("value", \.value), JSONField("unit", \.unit),
      JSONField("macs_per_second", \.macsPerSecond),
    ]
  }

  private struct Share: JSONRecord {
    var what = ""
    var cycles: Int64 = 0
    static let blank = Share()
    static let fields: [JSONField<Self>] = [
      JSONField("what", \.what), JSONField("cycles", \.cycles),
    ]
  }
}

extension RunReport.Launch: JSONRecord {
  static let blank = Self(cycles: 0, seconds: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("cycles", \.cycles), JSONField("seconds", \.seconds),
  ]
}

extension Resource: JSONConvertible {
  var json: JSONValue { .string(name) }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    let name = try json.requireString(path)
    guard let resource = Resource(name: name) else {
      throw NPUError(
        .parse, "\(path) is \"\(name)\", which is no resource", at: json.location,
        hint: "hbm, matrix, vector, or the port of a queue such as \"load port\"")
    }
    self = resource
  }
}

extension Bounds: JSONRecord {
  static let blank = Bounds(
    roofline: 0, rooflineResource: .hbm, usesProgramWork: false, attainable: 0,
    attainableResource: .hbm, criticalPath: 0, serialSum: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("roofline_cycles", \.roofline), JSONField("roofline_resource", \.rooflineResource),
    JSONField("roofline_of_program", \.usesProgramWork),
    JSONField("attainable_cycles", \.attainable),
    JSONField("attainable_resource", \.attainableResource),
    JSONField("critical_path_cycles", \.criticalPath),
    JSONField("serial_sum_cycles", \.serialSum),
  ]
}

extension CoreTiming: JSONRecord {
  static let blank = CoreTiming(cycles: 0, queues: [])
  static let fields: [JSONField<Self>] = [
    JSONField("cycles", \.cycles),
    JSONField("queues") {
      RunReport.Timing.queues($0.queues)
    } read: { core, value, path throws(NPUError) in
      core.queues = try RunReport.Timing.queues(value, path)
    },
  ]
}

extension QueueTiming: JSONRecord {
  static let blank = QueueTiming(
    ops: 0, busy: 0, stalls: Array(repeating: 0, count: StallReason.count))
  static let fields: [JSONField<Self>] = [
    JSONField("ops", \.ops), JSONField("busy", \.busy),
    JSONField("stalls") { timing in
      .object(StallReason.allCases.map { JSONMember($0.rawValue, .integer(timing[$0])) })
    } read: { timing, value, path throws(NPUError) in
      for reason in StallReason.allCases {
        timing.stalls[reason.index] = try Int64(
          json: value[reason.rawValue] ?? .null, "\(path).\(reason.rawValue)")
      }
    },
  ]
}
