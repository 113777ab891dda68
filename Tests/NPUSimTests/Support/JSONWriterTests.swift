import NPUSim
import Testing

@Suite struct JSONWriterTests {
  @Test func `the pretty layout puts a member on each line and scalars of an array on one`() throws
  {
    let value: JSONValue = [
      "name": "edge", "rate": .double(51.2), "shape": [1, 2, 3], "empty": [:], "none": [],
      "rows": [[1, 2], []], "deep": ["x": nil, "y": true],
    ]
    #expect(
      value.text() == """
        {
          "name": "edge",
          "rate": 51.2,
          "shape": [1, 2, 3],
          "empty": {},
          "none": [],
          "rows": [
            [1, 2],
            []
          ],
          "deep": {
            "x": null,
            "y": true
          }
        }

        """)
    #expect(
      value.text(.compact)
        == #"{"name":"edge","rate":51.2,"shape":[1,2,3],"empty":{},"none":[],"#
        + #""rows":[[1,2],[]],"deep":{"x":null,"y":true}}"#)
  }

  @Test func `numbers keep their literals and everything reads back equal`() throws {
    let text = #"{"a":[1.50,-0,1e3,18446744073709551615],"b":"\u00e9\n\u0001\"\\/"}"#
    let value = try JSONValue.parse(text, file: "t")
    #expect(
      value.text(.compact)
        == #"{"a":[1.50,-0,1e3,18446744073709551615],"b":"é\n\u0001\"\\/"}"#)
    for layout in [JSONWriter.Layout.pretty, .compact] {
      #expect(try JSONValue.parse(value.bytes(layout), file: "t") == value)
    }
  }

  @Test func `numbers are written in full and what JSON lacks becomes null`() {
    var json = JSONWriter(.compact)
    json.beginArray()
    json.integer(Int64.min)
    json.integer(UInt64.max)
    json.integer(0)
    json.double(0.1)
    json.double(1e300)
    json.float(0.1)
    json.double(.nan)
    json.double(-.infinity)
    json.float(.infinity)
    json.endArray()
    #expect(
      String(decoding: json.takeBytes(), as: UTF8.self)
        == "[-9223372036854775808,18446744073709551615,0,0.1,1e+300,0.1,null,null,null]")
    #expect(JSONValue.double(.nan) == .null)
  }

  @Test func `taking the bytes piecewise gives the same text`() {
    func write(takingEvery step: Int) -> [UInt8] {
      var json = JSONWriter()
      var bytes: [UInt8] = []
      json.beginObject()
      for index in 0..<100 {
        json.key("k\(index)")
        json.beginArray(inline: true)
        json.integer(index)
        json.string("v")
        json.endArray()
        if index % step == 0 { bytes += json.takeBytes() }
      }
      json.endObject()
      json.newline()
      return bytes + json.takeBytes()
    }
    #expect(write(takingEvery: 1000) == write(takingEvery: 3))
  }

  @Test func `objects are equal whatever the order of their keys, numbers by value`() throws {
    let left = try JSONValue.parse(#"{"a":1,"b":2.50}"#, file: "l")
    let right = try JSONValue.parse(#"{"b":25e-1,"a":1.0}"#, file: "r")
    #expect(left == right)
    #expect(left != ["a": 1])
    #expect(left != ["a": 1, "b": "2.50"])
    #expect(JSONValue.array([1, 2]) != [2, 1])
  }
}
