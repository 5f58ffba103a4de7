/** Numbers on the host, in row-major order. */
export type HostArray = Float32Array | Float64Array | Int32Array;
