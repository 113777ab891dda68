// swift-format-ignore-file
// Generated from Configs/ascend-950-like.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let ascend950Like = #"""
{
  "name": "ascend-950-like",
  "summary": "Ascend 950DT class: 32 cores with one matrix and one vector unit each, an MXINT8 extension assumed",
  "clock_ghz": {"value": 1.65, "provenance": "published", "source": "published platform data, Ascend 950"},
  "cores": {"value": 32, "provenance": "published", "source": "published platform data, Ascend 950; the second vector unit of a core is not modelled"},
  "core": {
    "barrier": {"value": 100, "provenance": "assumed", "source": "no public figure"}
  },
  "group": {
    "matrix_cores": {"value": 0, "provenance": "assumed", "source": "one core stands for a cube core and a vector core"},
    "vector_cores": {"value": 0, "provenance": "assumed", "source": "one core stands for a cube core and a vector core"}
  },
  "matrix": {
    "kind": {"value": "cube", "provenance": "published", "source": "published platform data, Ascend 950"},
    "m0": {"value": 16, "provenance": "published", "source": "published platform data, Ascend 950, FP8 tile 16x32x16; MXINT8 at the FP8 rate is assumed"},
    "k0": {"value": 32, "provenance": "published", "source": "published platform data, Ascend 950, FP8 tile 16x32x16; MXINT8 at the FP8 rate is assumed"},
    "n0": {"value": 16, "provenance": "published", "source": "published platform data, Ascend 950, FP8 tile 16x32x16; MXINT8 at the FP8 rate is assumed"},
    "accumulator": {"value": "bf16", "provenance": "assumed", "source": "BF16 accumulation after each block; fp32 is the other choice"},
    "cycles_per_tile": {"value": 1, "provenance": "published", "source": "published platform data, Ascend 950: one unit tile a cycle"},
    "overhead": {"value": 1, "provenance": "measured", "source": "fit to published 950 measurements: occupancy = tiles + 1"},
    "latency": {"value": 22, "provenance": "assumed", "source": "no public figure"},
    "forward_tiles": {"value": 10, "provenance": "assumed", "source": "taken over from Atlas A2: no public figure"}
  },
  "vector": {
    "lanes": {"value": 64, "provenance": "published", "source": "published platform data, Ascend 950: 256 bytes a cycle"},
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
      "add": {"value": 7, "provenance": "published", "source": "published programming guide, Ascend 950: VADD"},
      "sub": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "mul": {"value": 8, "provenance": "published", "source": "published programming guide, Ascend 950: VMUL"},
      "div": {"value": 17, "provenance": "published", "source": "published programming guide, Ascend 950: VDIV"},
      "max": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "select": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "abs": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "add_scalar": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "mul_scalar": {"value": 8, "provenance": "assumed", "source": "as the published VMUL"},
      "duplicate": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "cast": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "copy": {"value": 7, "provenance": "assumed", "source": "as the published VADD"},
      "exp": {"value": 16, "provenance": "published", "source": "published programming guide, Ascend 950: VEXP"},
      "exp2": {"value": 16, "provenance": "assumed", "source": "as the published VEXP"},
      "log": {"value": 16, "provenance": "assumed", "source": "as the published VEXP"},
      "sqrt": {"value": 17, "provenance": "assumed", "source": "as the published VDIV"},
      "reciprocal": {"value": 17, "provenance": "assumed", "source": "as the published VDIV"},
      "rsqrt": {"value": 17, "provenance": "assumed", "source": "as the published VDIV"},
      "sin": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "cos": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "sigmoid": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "silu": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "fused_multiply_add": {"value": 8, "provenance": "assumed", "source": "as the published VMUL"},
      "row_max": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "row_sum": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "row_broadcast": {"value": 8, "provenance": "assumed", "source": "as the published VMUL"},
      "gather": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "transpose": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "encode_mx": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "encode_fp8": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"},
      "exp2_fused": {"value": 16, "provenance": "assumed", "source": "as the published VEXP"},
      "requantise": {"value": 22, "provenance": "assumed", "source": "the longest of the published range, 7 to 22"}
    }
  },
  "sfu": {
    "mode": {"value": "correctly-rounded", "provenance": "assumed", "source": "every special function is rounded once from the exact value"}
  },
  "memories": {
    "l1": {
      "bytes": {"value": 524288, "provenance": "published", "source": "published platform data, Ascend 950"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "left": {
      "bytes": {"value": 65536, "provenance": "published", "source": "published platform data, Ascend 950"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "right": {
      "bytes": {"value": 65536, "provenance": "published", "source": "published platform data, Ascend 950"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "acc": {
      "bytes": {"value": 262144, "provenance": "published", "source": "published platform data, Ascend 950"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "ub": {
      "bytes": {"value": 253952, "provenance": "published", "source": "published platform data, Ascend 950: 256 KB, of which the top 8 KB are reserved"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
      "banks": {"value": {"groups": 8, "banks": 2, "bytes": 16384}, "provenance": "published", "source": "published programming guide, Ascend 950: 8 groups of 2 banks of 16 KB"}
    }
  },
  "hbm": {
    "bandwidth_gb_per_s": {"value": 3220, "provenance": "published", "source": "published bandwidth, Ascend 950DT"},
    "burst": {"value": 512, "provenance": "published", "source": "published programming guide, Ascend 950: transfers of 512 bytes reach the full rate"},
    "bytes": {"value": 137438953472, "provenance": "assumed", "source": "128 GiB; the published capacities of the family differ by model"},
    "read_after_write": {"value": "event", "provenance": "assumed", "source": "an event from store to load exists for this; no page demands more"}
  },
  "paths": {
    "hbm_to_l1": {
      "bytes_per_cycle": {"value": 171, "provenance": "assumed", "source": "as ascend-910b-like"},
      "latency": {"value": 187, "provenance": "assumed", "source": "as ascend-910b-like"}
    },
    "hbm_to_ub": {
      "bytes_per_cycle": {"value": 113, "provenance": "assumed", "source": "no public figure"},
      "latency": {"value": 190, "provenance": "assumed", "source": "no public figure"}
    },
    "l1_to_left": {
      "bytes_per_cycle": {"value": 256, "provenance": "published", "source": "published platform data, Ascend 950"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "l1_to_right": {
      "bytes_per_cycle": {"value": 256, "provenance": "published", "source": "published platform data, Ascend 950"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_ub": {
      "bytes_per_cycle": {"value": 128, "provenance": "published", "source": "published platform data, Ascend 950"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_hbm": {
      "bytes_per_cycle": {"value": 80, "provenance": "assumed", "source": "as ub_to_hbm"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "ub_to_hbm": {
      "bytes_per_cycle": {"value": 80, "provenance": "assumed", "source": "as ascend-910b-like"},
      "latency": {"value": 235, "provenance": "assumed", "source": "no public figure"}
    },
    "ub_to_l1": {
      "bytes_per_cycle": {"value": 256, "provenance": "assumed", "source": "no public figure"},
      "latency": {"value": 30, "provenance": "assumed", "source": "as feed and drain"}
    },
    "acc_to_l1": {
      "bytes_per_cycle": {"value": 128, "provenance": "assumed", "source": "as acc_to_ub; the vendor has the path and states no rate"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    }
  },
  "queues": {
    "depth": {"value": 32, "provenance": "published", "source": "published programming guide, Ascend 950"},
    "interlocks": {
      "load": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"},
      "feed": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"},
      "matrix": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"},
      "drain": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"},
      "vector": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"},
      "store": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Ascend 950PR and 950DT: micro-ops of one pipe that depend on each other need a barrier"}
    }
  },
  "events": {
    "per_pair": {"value": 8, "provenance": "published", "source": "published programming guide, Ascend 950"},
    "propagation": {"value": 15, "provenance": "assumed", "source": "no public figure"},
    "pairs": {"value": ["load->feed", "load->matrix", "load->drain", "load->vector", "load->store", "load->scalar", "feed->load", "feed->matrix", "feed->drain", "matrix->load", "matrix->feed", "matrix->drain", "matrix->scalar", "drain->load", "drain->feed", "drain->matrix", "drain->scalar", "vector->load", "vector->store", "vector->scalar", "store->load", "store->vector", "store->scalar", "scalar->load", "scalar->vector", "scalar->store"], "provenance": "published", "source": "Ascend C API reference, SetFlag/WaitFlag: HardEvent, and its lists for cube and for vector cores in the public headers (HardEventAic, HardEventAiv); a cube core of the 950 has no MTE3"},
    "fused_pairs": {"value": ["feed->store", "drain->vector", "drain->store", "vector->drain", "store->feed", "store->drain"], "provenance": "assumed", "source": "one core stands for a cube core and a vector core; between these the machine has flags between cores"},
    "core_pending": {"value": 15, "provenance": "assumed", "source": "a counter of four bits; the public pages of CrossCoreSetFlag say at most 16 sets of a flag"},
    "overwrite": {"value": "undefined", "provenance": "published", "source": "public reference of set_flag and wait_flag: two sets of one flag without a wait between are illegal"}
  }
}

"""#
}
