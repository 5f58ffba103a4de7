import { messageOf } from "../../base/errors.js";
import { computeStage, type GpuBindGroupLayout, type GpuDevice, type GpuPipeline } from "../../base/gpu.js";
import { oneLine } from "./adapters.js";

/** What a dispatch is bound to, and the program it runs. */
export interface Prepared {
  readonly layout: GpuBindGroupLayout;
  /** Left out while it compiles, and where it does not. */
  readonly pipeline?: GpuPipeline;
}

/** The pipelines of a device: equal texts are one. They compile beside the thread, so that a page does not stand still meanwhile. */
export class Pipelines {
  private readonly layouts = new Map<string, GpuBindGroupLayout>();
  private readonly prepared = new Map<string, Prepared>();
  private readonly compiling = new Map<Prepared, Promise<void>>();

  constructor(
    private readonly device: GpuDevice,
    /** Takes the text of what does not compile. */
    private readonly failed: (why: string) => void,
  ) {}

  /** `writes`: of every storage in the order of its binding, whether it is written. */
  of(code: string, writes: readonly boolean[]): Prepared {
    const known = this.prepared.get(code);
    if (known) return known;
    const own: { -readonly [K in keyof Prepared]: Prepared[K] } = { layout: this.layout(writes) };
    this.prepared.set(code, own);
    const compiled = this.compile(code, own.layout)
      .then(
        (pipeline) => {
          own.pipeline = pipeline;
        },
        (error: unknown) => this.failed(messageOf(error)),
      )
      .then(() => void this.compiling.delete(own));
    this.compiling.set(own, compiled);
    return own;
  }

  /** Resolves when these have compiled, or have turned out not to; undefined where they have. All of the device if not given. */
  ready(list?: readonly Prepared[]): Promise<unknown> | undefined {
    const waiting = list ? [...new Set(list)].flatMap((own) => this.compiling.get(own) ?? []) : [...this.compiling.values()];
    return waiting.length > 0 ? Promise.all(waiting) : undefined;
  }

  /** @throws Error with the text of what is wrong */
  private async compile(code: string, layout: GpuBindGroupLayout): Promise<GpuPipeline> {
    const { device } = this;
    // What is wrong with a text is said of its module; its pipeline only says that the module is wrong.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const fault = device.popErrorScope().catch(() => null);
    try {
      return await device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      });
    } catch (error) {
      throw new Error(`a shader does not compile: ${oneLine((await fault) ?? error)}`);
    }
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
