import NPUSim
import Testing

@Suite struct MXINT8Tests {
  private func encodes(_ values: [Float], _ scale: UInt8, _ payload: [Int8]) -> Bool {
    let block = MXINT8.encodeBlock(values)
    return block.scale.bits == scale && block.payload == payload
  }

  @Test func `the largest exponent field is the scale and payloads round to even`() {
    #expect(encodes([1, 1 / 128, 3 / 128, -0.5, 0.99609375], 127, [64, 0, 2, -32, 64]))
    #expect(encodes([1.9921875, -1.9921875, 1.984375], 127, [127, -127, 127]))
    #expect(encodes([0.75, 0.7519531, 0x1p-8], 126, [96, 96, 0]))
    #expect(encodes([Float(bitPattern: 0x0001_16C2)], 0, [1]))
    #expect(encodes([.greatestFiniteMagnitude], 254, [127]))
  }

  @Test func `a block with an infinity or NaN is all NaN, a block of zeros all zero`() {
    #expect(encodes([1, .infinity, 2], 255, [0, 0, 0]))
    #expect(encodes([.nan, 0], 255, [0, 0]))
    #expect(encodes([0, -0.0], 0, [0, 0]))
    #expect(encodes([], 0, []))
    #expect(MXINT8.decode(17, scale: .nan).bitPattern == 0x7FC0_0000)
  }

  @Test func `blocks encode as NumPy computes them, −128 never appears`() throws {
    let values = try NumericsGolden("mx_values").float
    let scales = try NumericsGolden("mx_scales").bytes
    let payloads = try NumericsGolden("mx_payloads").bytes.map { Int8(bitPattern: $0) }
    for block in scales.indices {
      let slice = Array(values[block * 32..<block * 32 + 32])
      let expected = Array(payloads[block * 32..<block * 32 + 32])
      #expect(encodes(slice, scales[block], expected), "block \(block)")
    }
    #expect(!payloads.contains(-128))
  }

  @Test func `decoding is exact for every payload and scale`() {
    for scale in UInt8(0)..<255 {
      for payload in Int8.min...Int8.max {
        let got = MXINT8.decode(payload, scale: E8M0(bits: scale))
        let exponent = Int(scale) - 133
        let exact = Double(payload) * Double(sign: .plus, exponent: exponent, significand: 1)
        let overflows = payload == -128 && scale == 254
        #expect(overflows ? got == -.infinity : Double(got) == exact)
      }
    }
  }

  @Test func `the number of blocks covers every count`() {
    #expect([0, 1, 31, 32, 33, 64, 65, -5].map(MXINT8.blocks) == [0, 1, 1, 1, 2, 2, 3, 0])
  }
}
