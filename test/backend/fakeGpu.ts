/** A GPU that computes nothing and keeps what it is told, in order. */
import type { GpuAdapter, GpuBuffer, GpuDevice, GpuLimits } from "../../src/base/gpu.js";

/** A promise that is kept or broken from outside. */
export interface Held<T> {
  readonly promise: Promise<T>;
  keep(value: T): void;
  breakWith(error: Error): void;
}
export function held<T>(): Held<T> {
  let [keep, breakWith]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((resolve, reject) => {
    [keep, breakWith] = [resolve, reject];
  });
  return { promise, keep, breakWith };
}

export interface FakeGpu {
  readonly gpu: GpuDevice;
  readonly adapter: GpuAdapter;
  /** What happened, in order. */
  readonly events: string[];
  /** Pipelines that compile until the test says that they have. */
  readonly compiling: Held<{ readonly label: string }>[];
  /** Buffers that are mapped when the test says so. */
  readonly mapping: Held<void>[];
  /** Buffers that were made and not destroyed. */
  readonly buffers: ReadonlySet<Pick<GpuBuffer, "size">>;
  /** For the test to say that the GPU is gone, and what its driver has found wrong. */
  readonly lost: Held<{ readonly reason: string; readonly message: string }>;
  fault(message: string): void;
}

/** `forced`: limits that are not the portable ones. */
export function fakeGpu(forced: Partial<GpuLimits> = {}): FakeGpu {
  const events: string[] = [];
  const buffers = new Set<Pick<GpuBuffer, "size">>();
  const lost: FakeGpu["lost"] = held();
  const faults: ((event: { readonly error: { readonly message: string } }) => void)[] = [];
  const compiling: FakeGpu["compiling"] = [];
  const mapping: FakeGpu["mapping"] = [];
  const limits = {
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 28,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupsPerDimension: 65_535,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupStorageSize: 16_384,
    ...forced,
  };
  const features: ReadonlySet<string> = new Set();
  const encoder = () => {
    const told: string[] = [];
    return {
      beginComputePass: () => ({
        setPipeline: ({ label }: { readonly label: string }) => void told.push(label),
        setBindGroup: () => undefined,
        dispatchWorkgroups: () => undefined,
        end: () => undefined,
      }),
      copyBufferToBuffer: () => void told.push("copy"),
      clearBuffer: () => void told.push("clear"),
      finish: () => ({ label: told.join("+") }),
    };
  };
  const gpu = {
    limits,
    features,
    lost: lost.promise,
    addEventListener: (_: string, take: (typeof faults)[number]) => void faults.push(take),
    destroy: () => void events.push("destroy device"),
    createBuffer: ({ size }: { readonly size: number }) => {
      const buffer = {
        size,
        mapAsync: () => {
          events.push("map");
          mapping.push(held());
          return mapping[mapping.length - 1].promise;
        },
        getMappedRange: () => new ArrayBuffer(size),
        unmap: () => undefined,
        destroy: () => {
          events.push("destroy buffer");
          buffers.delete(buffer);
        },
      };
      buffers.add(buffer);
      return buffer;
    },
    createShaderModule: () => ({ label: "" }),
    createBindGroupLayout: () => ({ label: "" }),
    createPipelineLayout: () => ({ label: "" }),
    createBindGroup: () => ({ label: "" }),
    createComputePipelineAsync: () => {
      compiling.push(held());
      return compiling[compiling.length - 1].promise;
    },
    pushErrorScope: () => undefined,
    popErrorScope: async () => null,
    createCommandEncoder: encoder,
    queue: {
      writeBuffer: (_: unknown, __: number, data: Float32Array | Int32Array) => void events.push(`write ${data[0]}`),
      submit: (list: readonly { readonly label: string }[]) =>
        void events.push(list.length === 0 ? "submit nothing" : `submit ${list.map(({ label }) => label).join(",")}`),
      onSubmittedWorkDone: async () => undefined,
    },
  };
  const adapter = { info: { vendor: "", architecture: "", device: "a made-up GPU", description: "" }, features, limits };
  return {
    gpu: gpu as unknown as GpuDevice,
    adapter: adapter as unknown as GpuAdapter,
    events,
    compiling,
    mapping,
    buffers,
    lost,
    fault: (message) => faults.forEach((take) => take({ error: { message } })),
  };
}
