/** Worst errors by kind of value. */
export interface GroupReport {
  readonly group: string;
  readonly count: number;
  /** Largest relative error, by the measure of its kind. */
  readonly worst: number;
  readonly at: string;
  readonly tolerance: number;
}

export type Numbers = ArrayLike<number>;

export function largest(data: Numbers): number {
  let result = 0;
  for (let i = 0; i < data.length; i++) result = Math.max(result, Math.abs(data[i]));
  return result;
}

/** max|a - b| / scale; infinite when a number is missing or not finite. */
export function relativeError(a: Numbers, b: Numbers, scale: number): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs(a[i] - b[i]);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst === 0 ? 0 : worst / (scale || 1);
}

/** Collects errors group by group. */
export class Report {
  private readonly groups = new Map<string, { count: number; worst: number; at: string; tolerance: number }>();

  add(group: string, name: string, error: number, tolerance: number): void {
    const own = this.groups.get(group) ?? { count: 0, worst: -1, at: name, tolerance };
    own.count++;
    if (!(error <= own.worst)) {
      own.worst = error;
      own.at = name;
    }
    this.groups.set(group, own);
  }

  result(): GroupReport[] {
    return [...this.groups].map(([group, own]) => ({ group, ...own }));
  }
}
