// swift-format-ignore-file
// Generated from Configs/ascend-910b-like.json by Configs/embed.sh. Do not edit.

extension EmbeddedPresets {
  static let ascend910bLike = #"""
{
  "name": "ascend-910b-like",
  "summary": "Atlas A2 class: 24 cores with one matrix and one vector unit each, an MXINT8 extension assumed",
  "clock_ghz": {"value": 1.85, "provenance": "published", "source": "published platform data, Atlas A2"},
  "cores": {"value": 24, "provenance": "published", "source": "published platform data, Atlas A2; the second vector unit of a core is not modelled"},
  "core": {
    "barrier": {"value": 100, "provenance": "assumed", "source": "no public figure"}
  },
  "group": {
    "matrix_cores": {"value": 0, "provenance": "assumed", "source": "one core stands for a cube core and a vector core"},
    "vector_cores": {"value": 0, "provenance": "assumed", "source": "one core stands for a cube core and a vector core"}
  },
  "matrix": {
    "kind": {"value": "cube", "provenance": "published", "source": "published platform data, Atlas A2"},
    "m0": {"value": 16, "provenance": "published", "source": "published platform data, Atlas A2, INT8 tile 16x32x16; MXINT8 at the INT8 rate is assumed"},
    "k0": {"value": 32, "provenance": "published", "source": "published platform data, Atlas A2, INT8 tile 16x32x16; MXINT8 at the INT8 rate is assumed"},
    "n0": {"value": 16, "provenance": "published", "source": "published platform data, Atlas A2, INT8 tile 16x32x16; MXINT8 at the INT8 rate is assumed"},
    "accumulator": {"value": "bf16", "provenance": "assumed", "source": "BF16 accumulation after each block; fp32 is the other choice"},
    "cycles_per_tile": {"value": 1, "provenance": "published", "source": "published platform data, Atlas A2: one unit tile a cycle"},
    "overhead": {"value": 2, "provenance": "measured", "source": "fit to published 910B measurements: occupancy = tiles + 2"},
    "latency": {"value": 21, "provenance": "assumed", "source": "no public figure"},
    "forward_tiles": {"value": 10, "provenance": "published", "source": "published matrix samples, Atlas A2: a barrier where (m/16)·(n/16) < 10"}
  },
  "vector": {
    "lanes": {"value": 64, "provenance": "published", "source": "published platform data, Atlas A2: 256 bytes a cycle"},
    "minimum_occupancy": {"value": 3, "provenance": "measured", "source": "floor of the curves of mskpp resource910b"},
    "slopes": {
      "add": {"value": 2, "provenance": "measured", "source": "fit to curve VADD_FP32 of mskpp resource910b"},
      "sub": {"value": 2, "provenance": "measured", "source": "fit to curve VSUB_FP32 of mskpp resource910b"},
      "mul": {"value": 2, "provenance": "measured", "source": "fit to curve VMUL_FP32 of mskpp resource910b"},
      "div": {"value": 4, "provenance": "measured", "source": "fit to curve VDIV_FP32 of mskpp resource910b"},
      "max": {"value": 2, "provenance": "measured", "source": "fit to curve VMAX_FP32 of mskpp resource910b"},
      "select": {"value": 2, "provenance": "measured", "source": "fit to curve VSEL_FP32 of mskpp resource910b"},
      "abs": {"value": 1, "provenance": "measured", "source": "fit to curve VABS_FP32 of mskpp resource910b"},
      "add_scalar": {"value": 1, "provenance": "measured", "source": "fit to curve VADDS_FP32 of mskpp resource910b"},
      "mul_scalar": {"value": 1, "provenance": "measured", "source": "fit to curve VMULS_FP32 of mskpp resource910b"},
      "duplicate": {"value": 1, "provenance": "measured", "source": "fit to curve VECTORDUP_FP32 of mskpp resource910b"},
      "cast": {"value": 1, "provenance": "measured", "source": "fit to curve VCONV_FP32_BF16 of mskpp resource910b"},
      "copy": {"value": 1, "provenance": "assumed", "source": "no public curve; as a cast"},
      "exp": {"value": 2, "provenance": "measured", "source": "fit to curve VEXP_FP32 of mskpp resource910b"},
      "exp2": {"value": 2, "provenance": "assumed", "source": "no public curve; as exp"},
      "log": {"value": 2, "provenance": "measured", "source": "fit to curve VLN_FP32 of mskpp resource910b"},
      "sqrt": {"value": 2, "provenance": "measured", "source": "fit to curve VSQRT_FP32 of mskpp resource910b"},
      "reciprocal": {"value": 1, "provenance": "measured", "source": "fit to curve VREC_FP32 of mskpp resource910b"},
      "rsqrt": {"value": 1, "provenance": "measured", "source": "fit to curve VRSQRT_FP32 of mskpp resource910b"},
      "sin": {"value": 8, "provenance": "assumed", "source": "no public curve; range reduction and a polynomial"},
      "cos": {"value": 8, "provenance": "assumed", "source": "no public curve; range reduction and a polynomial"},
      "sigmoid": {"value": 4, "provenance": "assumed", "source": "no public curve; exp, add and reciprocal in one pass"},
      "silu": {"value": 6, "provenance": "assumed", "source": "no public curve; sigmoid and a multiplication in one pass"},
      "fused_multiply_add": {"value": 6, "provenance": "measured", "source": "fit to curve VMADD_FP32 of mskpp resource910b"},
      "row_max": {"value": 7, "provenance": "measured", "source": "fit to curve VCMAX_FP32 of mskpp resource910b"},
      "row_sum": {"value": 3, "provenance": "measured", "source": "fit to curve VCADD_FP32 of mskpp resource910b"},
      "row_broadcast": {"value": 2, "provenance": "assumed", "source": "no public curve; as the binary operation"},
      "gather": {"value": 12, "provenance": "measured", "source": "fit to curve VGATHER_UINT32 of mskpp resource910b"},
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
      "bytes": {"value": 524288, "provenance": "published", "source": "published platform data, Atlas A2"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "left": {
      "bytes": {"value": 65536, "provenance": "published", "source": "published platform data, Atlas A2"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "right": {
      "bytes": {"value": 65536, "provenance": "published", "source": "published platform data, Atlas A2"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "acc": {
      "bytes": {"value": 131072, "provenance": "published", "source": "published platform data, Atlas A2"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
      "banks": {"value": null, "provenance": "assumed", "source": "banks of this memory are not modelled"}
    },
    "ub": {
      "bytes": {"value": 196608, "provenance": "published", "source": "published platform data, Atlas A2"},
      "alignment": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
      "banks": {"value": {"groups": 16, "banks": 3, "bytes": 4096}, "provenance": "published", "source": "published programming guide, Atlas A2: 16 groups of 3 banks of 4 KB"}
    }
  },
  "hbm": {
    "bandwidth_gb_per_s": {"value": 1420, "provenance": "published", "source": "published bandwidth, Atlas A2"},
    "burst": {"value": 512, "provenance": "published", "source": "published programming guide, Atlas A2: transfers of 512 bytes reach the full rate"},
    "bytes": {"value": 68719476736, "provenance": "published", "source": "published capacity, Atlas A2: 64 GB"},
    "read_after_write": {"value": "event", "provenance": "assumed", "source": "an event from store to load exists for this; no page demands more"}
  },
  "paths": {
    "hbm_to_l1": {
      "bytes_per_cycle": {"value": 171, "provenance": "measured", "source": "fit to published 910B measurements: MTE2 transfers to L1"},
      "latency": {"value": 187, "provenance": "measured", "source": "fit to published 910B measurements: MTE2 transfers to L1"}
    },
    "hbm_to_ub": {
      "bytes_per_cycle": {"value": 126, "provenance": "measured", "source": "fit to published 910B measurements: MTE2 transfers to UB"},
      "latency": {"value": 192, "provenance": "measured", "source": "fit to published 910B measurements: MTE2 transfers to UB"}
    },
    "l1_to_left": {
      "bytes_per_cycle": {"value": 256, "provenance": "measured", "source": "fit to published 910B measurements: MTE1 transfers to L0A"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "l1_to_right": {
      "bytes_per_cycle": {"value": 128, "provenance": "measured", "source": "fit to published 910B measurements: MTE1 transfers to L0B"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_ub": {
      "bytes_per_cycle": {"value": 128, "provenance": "assumed", "source": "no public figure"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "acc_to_hbm": {
      "bytes_per_cycle": {"value": 80, "provenance": "assumed", "source": "as ub_to_hbm"},
      "latency": {"value": 30, "provenance": "assumed", "source": "no public figure"}
    },
    "ub_to_hbm": {
      "bytes_per_cycle": {"value": 80, "provenance": "measured", "source": "fit to published 910B measurements: MTE3 transfers to HBM"},
      "latency": {"value": 121, "provenance": "measured", "source": "fit to published 910B measurements: MTE3 transfers to HBM"}
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
    "depth": {"value": 32, "provenance": "published", "source": "published programming guide, Atlas A2"},
    "interlocks": {
      "load": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"},
      "feed": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"},
      "matrix": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"},
      "drain": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"},
      "vector": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"},
      "store": {"value": "none", "provenance": "published", "source": "Ascend C API reference, PipeBarrier, Atlas A2: micro-ops of one pipe that depend on each other need a barrier"}
    }
  },
  "events": {
    "per_pair": {"value": 8, "provenance": "published", "source": "published programming guide, Atlas A2"},
    "propagation": {"value": 15, "provenance": "assumed", "source": "no public figure"},
    "pairs": {"value": ["load->feed", "load->matrix", "load->drain", "load->vector", "load->store", "load->scalar", "feed->load", "feed->matrix", "feed->drain", "feed->store", "matrix->load", "matrix->feed", "matrix->drain", "matrix->scalar", "drain->load", "drain->feed", "drain->matrix", "drain->store", "drain->scalar", "vector->load", "vector->store", "vector->scalar", "store->load", "store->feed", "store->vector", "store->scalar", "scalar->load", "scalar->vector", "scalar->store"], "provenance": "published", "source": "Ascend C API reference, SetFlag/WaitFlag: HardEvent, and its lists for cube and for vector cores in the public headers (HardEventAic, HardEventAiv)"},
    "fused_pairs": {"value": ["drain->vector", "vector->drain", "store->drain"], "provenance": "assumed", "source": "one core stands for a cube core and a vector core; between these the machine has flags between cores"},
    "core_pending": {"value": 15, "provenance": "assumed", "source": "a counter of four bits; the public pages of CrossCoreSetFlag say at most 16 sets of a flag"},
    "overwrite": {"value": "undefined", "provenance": "published", "source": "public reference of set_flag and wait_flag: two sets of one flag without a wait between are illegal"}
  }
}

"""#
}
