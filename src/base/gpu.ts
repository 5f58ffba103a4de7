/**
 * What is used of WebGPU, as types of our own: published signatures need neither the DOM's library nor `@webgpu/types`.
 * @source https://www.w3.org/TR/webgpu/
 */

export interface Gpu {
  requestAdapter(options?: { readonly powerPreference?: "low-power" | "high-performance" }): Promise<GpuAdapter | null>;
  /** Parts of WGSL that not all engines have. */
  readonly wgslLanguageFeatures?: ReadonlySet<string>;
}

export interface GpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
}

export interface GpuAdapter {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    /** Whether it computes on the processor, where the engine says so. */
    readonly isFallbackAdapter?: boolean;
    readonly type?: string;
    /** How many lanes subgroups have, where engines say so. */
    readonly subgroupMinSize?: number;
    readonly subgroupMaxSize?: number;
  };
  /** As older engines say it. */
  readonly isFallbackAdapter?: boolean;
  readonly features: ReadonlySet<string>;
  readonly limits: GpuLimits;
  requestDevice(options: {
    readonly requiredFeatures: readonly string[];
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<GpuDevice>;
}

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export interface GpuBindGroupLayout {
  readonly label: string;
}
export interface GpuBindGroup {
  readonly label: string;
}
export interface GpuPipeline {
  readonly label: string;
}
export interface GpuShader {
  readonly label: string;
}
export interface GpuPipelineLayout {
  readonly label: string;
}
export interface GpuCommands {
  readonly label: string;
}
export interface GpuQuerySet {
  destroy(): void;
}

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: GpuBindGroup): void;
  dispatchWorkgroups(x: number, y: number): void;
  end(): void;
}

export interface GpuEncoder {
  beginComputePass(options?: {
    readonly timestampWrites: {
      readonly querySet: GpuQuerySet;
      readonly beginningOfPassWriteIndex: number;
      readonly endOfPassWriteIndex: number;
    };
  }): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void;
  clearBuffer(buffer: GpuBuffer, offset: number, bytes: number): void;
  resolveQuerySet(set: GpuQuerySet, first: number, count: number, to: GpuBuffer, offset: number): void;
  finish(): GpuCommands;
}

type Binding = { readonly binding: number };

export interface GpuDevice {
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: Float32Array | Int32Array): void;
    submit(commands: readonly GpuCommands[]): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  readonly limits: GpuLimits;
  readonly features: ReadonlySet<string>;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  createBuffer(options: { readonly label?: string; readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(options: { readonly code: string }): GpuShader;
  createBindGroupLayout(options: {
    readonly entries: readonly (Binding & {
      readonly visibility: number;
      readonly buffer: { readonly type: "uniform" | "storage" | "read-only-storage" };
    })[];
  }): GpuBindGroupLayout;
  createPipelineLayout(options: { readonly bindGroupLayouts: readonly GpuBindGroupLayout[] }): GpuPipelineLayout;
  /** Rejects where it does not compile. */
  createComputePipelineAsync(options: {
    readonly label?: string;
    readonly layout: GpuPipelineLayout;
    readonly compute: { readonly module: GpuShader; readonly entryPoint: string };
  }): Promise<GpuPipeline>;
  pushErrorScope(filter: "validation"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  createBindGroup(options: {
    readonly layout: GpuBindGroupLayout;
    readonly entries: readonly (Binding & {
      readonly resource: { readonly buffer: GpuBuffer; readonly offset?: number; readonly size?: number };
    })[];
  }): GpuBindGroup;
  createCommandEncoder(): GpuEncoder;
  createQuerySet(options: { readonly type: "timestamp"; readonly count: number }): GpuQuerySet;
  addEventListener(type: "uncapturederror", take: (event: { readonly error: { readonly message: string } }) => void): void;
  destroy(): void;
}

/** Numbers of the specification. */
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128, queryResolve: 512 } as const;
export const computeStage = 4;
export const mapForReading = 1;
