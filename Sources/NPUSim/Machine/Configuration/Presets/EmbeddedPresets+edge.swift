// swift-format-ignore-file
// Generated from Configs/edge.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let edge = #"""
{
  "name": "edge",
  "summary": "A small NPU on LPDDR5: DaVinci-Lite class core with an MXINT8 matrix unit",
  "clock_ghz": {"value": 1.0, "provenance": "assumed", "source": "a moderate clock for an edge device"},
  "cores": {"value": 1, "provenance": "assumed", "source": "one core"},
  "core": {
    "barrier": {"value": 100, "provenance": "assumed", "source": "no public figure"}
  },
  "group": {
    "matrix_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"},
    "vector_cores": {"value": 0, "provenance": "assumed", "source": "every core has every queue"}
  },
  "matrix": {
    "kind": {"value": "cube", "provenance": "assumed", "source": "a cube, as in DaVinci cores"},
    "m0": {"value": 16, "provenance": "assumed", "source": "DaVinci-Lite class"},
    "k0": {"value": 32, "provenance": "assumed", "source": "one MXINT8 block"},
    "n0": {"value": 8, "provenance": "assumed", "source": "8.2 TOPS with m0, k0 and 1 GHz"},
    "accumulator": {"value": "bf16", "provenance": "assumed", "source": "BF16 accumulation after each block; fp32 is the other choice"},
    "cycles_per_tile": {"value": 1, "provenance": "assumed", "source": "one unit tile a cycle"},
    "overhead": {"value": 2, "provenance": "measured", "source": "fit to published 910B measurements, taken over: occupancy = tiles + 2"},
    "latency": {"value": 21, "provenance": "assumed", "source": "no public figure"},
    "forward_tiles": {"value": 1, "provenance": "assumed", "source": "always forwards"}
  },
  "vector": {
    "lanes": {"value": 32, "provenance": "assumed", "source": "half of a 910B-class vector unit"},
    "minimum_occupancy": {"value": 3, "provenance": "measured", "source": "floor of the curves of mskpp resource910b, taken over"},
    "slopes": {
      "add": {"value": 2, "provenance": "measured", "source": "fit to curve VADD_FP32 of mskpp resource910b, taken over"},
      "sub": {"value": 2, "provenance": "measured", "source": "fit to curve VSUB_FP32 of mskpp resource910b, taken over"},
      "mul": {"value": 2, "provenance": "measured", "source": "fit to curve VMUL_FP32 of mskpp resource910b, taken over"},
      "div": {"value": 4, "provenance": "measured", "source": "fit to curve VDIV_FP32 of mskpp resource910b, taken over"},
      "max": {"value": 2, "provenance": "measured", "source": "fit to curve VMAX_FP32 of mskpp resource910b, taken over"},
      "select": {"value": 2, "provenance": "measured", "source": "fit to curve VSEL_FP32 of mskpp resource910b, taken over"},
      "abs": {"value": 1, "provenance": "measured", "source": "fit to curve VABS_FP32 of mskpp resource910b, taken over"},
      "add_scalar": {"value": 1, "provenance": "measured", "source": "fit to curve VADDS_FP32 of mskpp resource910b, taken over"},
      "mul_scalar": {"value": 1, "provenance": "measured", "source": "fit to curve VMULS_FP32 of mskpp resource910b, taken over"},
      "duplicate": {"value": 1, "provenance": "measured", "source": "fit to curve VECTORDUP_FP32 of mskpp resource910b, taken over"},
      "cast": {"value": 1, "provenance": "measured", "source": "fit to curve VCONV_FP32_BF16 of mskpp resource910b, taken over"},
      "copy": {"value": 1, "provenance": "assumed", "source": "no public curve; as a cast"},
      "exp": {"value": 2, "provenance": "measured", "source": "fit to curve VEXP_FP32 of mskpp resource910b, taken over"},
      "exp2": {"value": 2, "provenance": "assumed", "source": "no public curve; as exp"},
      "log": {"value": 2, "provenance": "measured", "source": "fit to curve VLN_FP32 of mskpp resource910b, taken over"},
      "sqrt": {"value": 2, "provenance": "measured", "source": "fit to curve VSQRT_FP32 of mskpp resource910b, taken over"},
      "reciprocal": {"value": 1, "provenance": "measured", "source": "fit to curve VREC_FP32 of mskpp resource910b, taken over"},
      "rsqrt": {"value": 1, "provenance": "measured", "source": "fit to curve VRSQRT_FP32 of mskpp resource910b, taken over"},
      "sin": {"value": 8, "provenance": "assumed", "source": "no public curve; range reduction and a polynomial"},
      "cos": {"value": 8, "provenance": "assumed", "source": "no public curve; range reduction and a polynomial"},
      "sigmoid": {"value": 4, "provenance": "assumed", "source": "no public curve; exp, add and reciprocal in one pass"},
      "silu": {"value": 6, "provenance": "assumed", "source": "no public curve; sigmoid and a multiplication in one pass"},
      "fused_multiply_add": {"value": 6, "provenance": "measured", "source": "fit to curve VMADD_FP32 of mskpp resource910b, taken over"},
      "row_max": {"value": 7, "provenance": "measured", "source": "fit to curve VCMAX_FP32 of mskpp resource910b, taken over"},
      "row_sum": {"value": 3, "provenance": "measured", "source": "fit to curve VCADD_FP32 of mskpp resource910b, taken over"},
      "row_broadcast": {"value": 2, "provenance": "assumed", "source": "no public curve; as the binary operation"},
      "gather": {"value": 12, "provenance": "measured", "source": "fit to curve VGATHER_UINT32 of mskpp resource910b, taken over"},
      "transpose": {"value": 4, "provenance": "assumed", "source": "no public curve; a transposed copy"},
      "encode_mx": {"value": 3, "provenance": "assumed", "source": "no public curve; block maximum, scale and rounding in one pass"},
      "encode_fp8": {"value": 4, "provenance": "assumed", "source": "no public curve; 128-blocks with scales in one pass"},
      "exp2_fused": {"value": 3, "provenance": "assumed", "source": "no public curve; multiply, subtract and exp2 in one pass"},
      "requantise": {"value": 2, "provenance": "assumed", "source": "no public curve; for each ceil(source bytes / (4 lanes))"}
    },
    "latencies": {
      "add": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "sub": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "mul": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "div": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "max": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "select": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "abs": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "add_scalar": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "mul_scalar": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "duplicate": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "cast": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "copy": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "exp": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "exp2": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "log": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "sqrt": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "reciprocal": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "rsqrt": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "sin": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "cos": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "sigmoid": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "silu": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "fused_multiply_add": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "row_max": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "row_sum": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "row_broadcast": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "gather": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "transpose": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "encode_mx": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "encode_fp8": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "exp2_fused": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"},
      "requantise": {"value": 32, "provenance": "assumed", "source": "the head of a vector instruction, every class alike"}
    }
  },
  "sfu": {
    "mode": {"value": "correctly-rounded", "provenance": "assumed", "source": "every special function is rounded once from the exact value"}
  },
  "memories": {
    "l1": {
      "bytes": {"value": 524288, "provenance": "published", "source": "DaVinci-Lite class, as published"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as ascend-910b-like"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "left": {
      "bytes": {"value": 32768, "provenance": "published", "source": "DaVinci-Lite class, as published"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as ascend-910b-like"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "right": {
      "bytes": {"value": 32768, "provenance": "published", "source": "DaVinci-Lite class, as published"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as ascend-910b-like"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "acc": {
      "bytes": {"value": 65536, "provenance": "published", "source": "DaVinci-Lite class, as published"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as ascend-910b-like"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "ub": {
      "bytes": {"value": 131072, "provenance": "published", "source": "DaVinci-Lite class, as published"},
      "alignment": {"value": 32, "provenance": "assumed", "source": "as ascend-910b-like"},
      "banks": {"value": {"groups": 8, "banks": 2, "bytes": 8192}, "provenance": "assumed", "source": "8 groups of 2 banks of 8 KB"}
    }
  },
  "hbm": {
    "bandwidth_gb_per_s": {"value": 51.2, "provenance": "published", "source": "LPDDR5-6400, 64 bits wide"},
    "burst": {"value": 64, "provenance": "assumed", "source": "one LPDDR5 access of 64 bytes"},
    "bytes": {"value": 8589934592, "provenance": "assumed", "source": "8 GiB of LPDDR5"},
    "read_after_write": {"value": "event", "provenance": "assumed", "source": "a write is visible when it is done"}
  },
  "paths": {
    "hbm_to_l1": {
      "bytes_per_cycle": {"value": 51.2, "provenance": "assumed", "source": "the whole rate of the LPDDR5"},
      "latency": {"value": 120, "provenance": "assumed", "source": "LPDDR5 access"}
    },
    "hbm_to_ub": {
      "bytes_per_cycle": {"value": 51.2, "provenance": "assumed", "source": "the whole rate of the LPDDR5"},
      "latency": {"value": 120, "provenance": "assumed", "source": "LPDDR5 access"}
    },
    "l1_to_left": {
      "bytes_per_cycle": {"value": 128, "provenance": "assumed", "source": "half of ascend-910b-like"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "l1_to_right": {
      "bytes_per_cycle": {"value": 64, "provenance": "assumed", "source": "half of ascend-910b-like"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_ub": {
      "bytes_per_cycle": {"value": 64, "provenance": "assumed", "source": "half of ascend-910b-like"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_hbm": {
      "bytes_per_cycle": {"value": 51.2, "provenance": "assumed", "source": "the whole rate of the LPDDR5"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "ub_to_hbm": {
      "bytes_per_cycle": {"value": 51.2, "provenance": "assumed", "source": "the whole rate of the LPDDR5"},
      "latency": {"value": 100, "provenance": "assumed", "source": "LPDDR5 access"}
    },
    "ub_to_l1": {
      "bytes_per_cycle": {"value": 128, "provenance": "assumed", "source": "half of ascend-910b-like"},
      "latency": {"value": 30, "provenance": "assumed", "source": "as feed and drain"}
    },
    "acc_to_l1": {
      "bytes_per_cycle": {"value": 64, "provenance": "assumed", "source": "as acc_to_ub"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    }
  },
  "queues": {
    "depth": {"value": 16, "provenance": "assumed", "source": "half of ascend-910b-like"},
    "interlocks": {
      "load": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"},
      "feed": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"},
      "matrix": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"},
      "drain": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"},
      "vector": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"},
      "store": {"value": "full", "provenance": "assumed", "source": "every queue waits for its own results"}
    }
  },
  "events": {
    "per_pair": {"value": 8, "provenance": "assumed", "source": "as ascend-910b-like"},
    "propagation": {"value": 15, "provenance": "assumed", "source": "no public figure"},
    "pairs": {"value": "all", "provenance": "assumed", "source": "every queue may wait for every other one"},
    "fused_pairs": {"value": [], "provenance": "assumed", "source": "one core is one core"},
    "core_pending": {"value": 15, "provenance": "assumed", "source": "as ascend-910b-like"},
    "overwrite": {"value": "undefined", "provenance": "assumed", "source": "an event is one bit, as published for machines of this class"}
  }
}

"""#
}
