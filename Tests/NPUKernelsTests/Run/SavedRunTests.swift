import NPUKernels
import NPUSim
import Testing

/// A saved run says what the live one did.
@Suite struct SavedRunTests {
  /// Runs that between them have every part of a report.
  private static func reports() throws -> [RunReport] {
    let edge = try Presets.named("edge").configuration
    var request = RunRequest(kernel: "residual_add", machine: edge)
    request.arguments = ["rows": "4", "cols": "64"]
    let dump = try Runner.run(request).dump()
    request.seed = 3
    request.expect = TensorSource(TensorArchive(dump))
    request.inputs = dump
    request.jitterRuns = 1
    request.lints = true
    let compared = try Runner.run(request).report
    request.inputs = nil
    let different = try Runner.run(request).report
    request = RunRequest(kernel: "gemm", machine: edge)
    request.plan = .check
    request.minimises = true
    let minimised = try Runner.run(request).report
    let pages = try ["fold", "output-never-written", "minus-one-row", "wrong-slot"].map {
      try DiagnosisPage(DiagnosisPage.text($0), cores: 2, lints: true).report
    }
    let early = try DiagnosisPage(
      DiagnosisPage.text("../RealKernels/setset_barrier"), on: "ascend-910b-like"
    ).report
    return [compared, different, minimised, early] + pages
  }

  /// As a file would have it.
  private func written(_ value: JSONValue) -> [UInt8] {
    var writer = JSONWriter()
    writer.value(value)
    return writer.takeBytes()
  }

  @Test func `a report that is read back has the same page and the same JSON`() throws {
    for report in try Self.reports() {
      let bytes = written(report.json())
      let saved = try RunReport(reading: JSONValue.parse(bytes, file: "run.json"))
      #expect(saved.text() == report.text())
      #expect(saved.verdict == report.verdict)
      #expect(written(saved.json()) == bytes, "\(report.kernel)")
    }
  }

  @Test func `what is no saved run is refused with its place`() throws {
    func message(_ text: String) -> String? {
      let error = KernelRun.error { () throws(NPUError) in
        try RunReport(reading: try JSONValue.parse(text, file: "run.json"))
      }
      return error.map { "\($0.location.map { "\($0.line):\($0.column): " } ?? "")\($0.message)" }
    }
    #expect(message("[1]") == "1:1: the document is an array; it must be an object")
    #expect(
      message("{}") == "1:1: this is no saved run: found no schema, needed \"npusim.run.v2\"")
    #expect(
      message("{\"schema\": \"npusim.run.v1\"}")
        == "1:12: this is no saved run: found schema \"npusim.run.v1\", needed \"npusim.run.v2\"")
    #expect(message("{\"schema\": 2}") == "1:12: schema is the number 2; it must be a string")
    #expect(
      message("{\"schema\": \"npusim.run.v2\"}") == "1:1: the key \"kernel\" is missing")
    #expect(
      message("{\"schema\": \"npusim.run.v2\", \"kernel\": \"k\", \"shape\": {\"m\": 1}}")
        == "1:59: shape.m is the number 1; it must be a string")
  }

  @Test func `a resource that there is not is refused by its name, and a port goes by its queue`()
    throws
  {
    let text = try Self.reports()[0].json().text()
    let key = "\"roofline_resource\": "
    #expect(text.contains(key + "\"hbm\""))
    func reading(_ name: String) throws(NPUError) -> RunReport {
      let changed = text.replacing(key + "\"hbm\"", with: key + "\"\(name)\"")
      return try RunReport(reading: JSONValue.parse(changed, file: "run.json"))
    }
    let error = KernelRun.error { () throws(NPUError) in try reading("sea") }
    #expect(
      error?.message.hasSuffix("roofline_resource is \"sea\", which is no resource") == true)
    for name in ["load", "load port"] {
      #expect(try reading(name).timing?.bounds?.rooflineResource == .queue(.load))
    }
  }

  @Test func `a member that is missing or of another kind is an error or passed over`() throws {
    var refused = 0
    for report in try Self.reports() {
      let json = report.json()
      for place in 0..<Self.places(json) {
        for wrong in [nil, .null, .integer(-1), .integer(Int64.max), .string("x"), []]
          as [JSONValue?]
        {
          var count = place
          guard let mutant = Self.changing(json, &count, to: wrong) else { continue }
          do throws(NPUError) {
            let saved = try RunReport(reading: mutant)
            _ = saved.text()
            _ = saved.json()
          } catch {
            #expect(error.category == .parse)
            refused += 1
          }
        }
      }
    }
    #expect(refused > 1000)
  }

  /// Values in a document, the configuration of the machine aside.
  private static func places(_ value: JSONValue) -> Int {
    let members = value.members.filter { $0.key != "config" }.map(\.value)
    return (members + value.elements).reduce(1) { $0 + places($1) }
  }

  /// The document with its value number `place` replaced, or without it; `nil` without the whole.
  private static func changing(
    _ value: JSONValue, _ place: inout Int, to wrong: JSONValue?
  ) -> JSONValue? {
    place -= 1
    if place == -1 { return wrong }
    guard place >= 0 else { return value }
    if !value.elements.isEmpty {
      return .array(value.elements.compactMap { changing($0, &place, to: wrong) })
    }
    guard !value.members.isEmpty else { return value }
    return .object(
      value.members.compactMap { member in
        if member.key == "config" { return member }
        return changing(member.value, &place, to: wrong).map { JSONMember(member.key, $0) }
      })
  }
}
