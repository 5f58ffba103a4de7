import { computeStage, type GpuBindGroupLayout, type GpuDevice, type GpuPipeline } from "../../base/gpu.js";

/** What a dispatch is bound to, and the program it runs. */
export interface Prepared {
  readonly layout: GpuBindGroupLayout;
  readonly pipeline: GpuPipeline;
}

/** The pipelines of a device: equal texts are one. */
export class Pipelines {
  private readonly layouts = new Map<string, GpuBindGroupLayout>();
  private readonly prepared = new Map<string, Prepared>();

  constructor(private readonly device: GpuDevice) {}

  /** `writes`: of every storage in the order of its binding, whether it is written. */
  of(code: string, writes: readonly boolean[]): Prepared {
    const known = this.prepared.get(code);
    if (known) return known;
    const { device } = this;
    const layout = this.layout(writes);
    const pipeline = device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
    });
    const own = { layout, pipeline };
    this.prepared.set(code, own);
    return own;
  }

  private layout(writes: readonly boolean[]): GpuBindGroupLayout {
    const key = writes.map(Number).join("");
    const known = this.layouts.get(key);
    if (known) return known;
    const types = ["uniform", ...writes.map((own) => (own ? "storage" : "read-only-storage"))] as const;
    const own = this.device.createBindGroupLayout({
      entries: types.map((type, binding) => ({ binding, visibility: computeStage, buffer: { type } })),
    });
    this.layouts.set(key, own);
    return own;
  }
}
